"""Matrix products, with what the VXM does to their sums on the way."""
