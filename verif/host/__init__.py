"""Benches of the host port and run control."""
