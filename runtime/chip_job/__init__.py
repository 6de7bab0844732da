"""A program on the RTL of the whole chip: what runs inside the simulator."""
