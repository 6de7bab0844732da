"""Expressions on the VXM's mesh of ALUs."""
