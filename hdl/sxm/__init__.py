"""Switch units (SXM): the only place where data changes lanes."""
