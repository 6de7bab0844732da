"""Tests of the way from Amaranth to a running simulation."""
