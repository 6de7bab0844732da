"""Rows into a state, by index."""
