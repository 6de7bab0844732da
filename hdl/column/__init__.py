"""Columns of the chip: everything that stands at one stream register position."""
