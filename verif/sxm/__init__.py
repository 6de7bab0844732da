"""Tests of the SXM."""
