"""Numbers of aligned groups of streams."""

__all__ = ["group_bits"]


def group_bits(streams: int, size: int) -> int:
    """Return the bits that number the aligned groups of `size` streams out of `streams`, at least 1."""
    return max(1, (streams // size - 1).bit_length())
