"""Tests of the MXM."""
