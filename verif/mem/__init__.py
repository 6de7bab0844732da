"""Benches of MEM."""
