"""Width of a format."""

from amaranth.hdl import Value

from arch.formats import DType

__all__ = ["is_two_bytes"]


def is_two_bytes(dtype: Value) -> Value:
    """Return whether a format, by its code, has two bytes."""
    return dtype.matches(*(one for one in DType if one.size == 2))
