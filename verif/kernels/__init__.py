"""Kernels: against their definitions, their bounds, on golden machine and RTL."""
