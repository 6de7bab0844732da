"""Benches of the stream registers."""
