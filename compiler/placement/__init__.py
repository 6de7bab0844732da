"""Where every word of a tensor lives in MEM."""
