"""Benches of instruction control."""
