"""Sets of streams, as controllers report them."""

from typing import Any

from amaranth.hdl import Cat, Const, Mux, Value

__all__ = ["driven", "stream_set"]


def stream_set(valid: Value, direction: Value, group: Value, size: int, streams: int) -> Value:
    """Return ``2 * streams`` bits, eastward streams lowest, that mark an aligned group of streams.

    Parameters
    ----------
    valid, direction, group
        Nothing is marked unless `valid`; the streams are ``size * group`` and up.
    size
        Streams of a group, a power of two.
    streams
        Streams per direction.
    """
    return _spread(valid.replicate(size), direction, group, streams)


def driven(driver: Any, streams: int) -> Value:
    """Return the streams that a `stream_driver` drives, in the same format."""
    return _spread(driver.mask, driver.direction, driver.group, streams)


def _spread(mask: Value, direction: Value, group: Value, streams: int) -> Value:
    first = Cat(Const(0, len(mask).bit_length() - 1), group)
    one_way = (mask << first)[:streams]
    return Mux(direction, Cat(Const(0, streams), one_way), one_way)
