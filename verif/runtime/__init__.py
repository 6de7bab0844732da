"""Tests of the runtime and the command line."""
