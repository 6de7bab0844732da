"""Lanes of 32 bits as four streams, and back."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Value

__all__ = ["lane_of", "streams_of"]

_BYTES = 4


def lane_of(streams: Value, lane: int, lanes: int) -> Value:
    """Return the 32 bits of a lane of four streams, the lowest byte on the first one."""
    return Cat(streams.word_select(byte * lanes + lane, 8) for byte in range(_BYTES))


def streams_of(numbers: Sequence[Value]) -> Value:
    """Return one number of 32 bits per lane as four streams."""
    return Cat(number.word_select(byte, 8) for byte in range(_BYTES) for number in numbers)
