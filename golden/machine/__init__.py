"""The machine of docs/machine.md, cycle by cycle, in the hierarchy of the hardware."""
