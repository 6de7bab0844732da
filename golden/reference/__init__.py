"""Whole operations, from their definitions and without a machine: what kernels must give."""
