"""Golden model: numerics and the cycle-exact machine in NumPy, from docs/machine.md, never from the RTL."""
