"""Benches of error correction."""
