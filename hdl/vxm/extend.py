"""Sign extension."""

from amaranth.hdl import Cat, Mux, Value

__all__ = ["sign_extended"]


def sign_extended(value: Value, width: int) -> Value:
    """Return `value`, two's complement, in `width` bits.

    As a multiplexer: copies of a sign bit side by side come out of the tools as as many operations.
    """
    more = width - len(value)
    return Cat(value, Mux(value[-1], (1 << more) - 1, 0)[:more])
