"""Benches of the VXM."""
