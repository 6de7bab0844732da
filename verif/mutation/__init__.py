"""Broken RTL that the tests must notice."""
