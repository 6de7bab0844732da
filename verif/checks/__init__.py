"""Benches of the checks."""
