"""Benches: units, chip, kernels, models, formal."""
