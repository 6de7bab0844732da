"""Passes of vectors through the VXM."""
