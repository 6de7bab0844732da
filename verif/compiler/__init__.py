"""Tests of the compiler: its parts, its programs on the golden machine, its verifier against the golden machine."""
