"""One stream out of the registers of a position."""

from amaranth.hdl import Cat, Mux, Value

from arch.config import Config

__all__ = ["select_stream"]


def select_stream(config: Config, east: Value, west: Value, direction: Value, stream: Value) -> Value:
    """Return the ``lanes * 8`` bits of one stream.

    Parameters
    ----------
    config : Config
    east, west : Value
        Registers of a position, ``streams * lanes * 8`` bits.
    direction : Value
        0 east, 1 west.
    stream : Value
        Number of the stream, below ``config.streams``.
    """
    bits = 8 * config.lanes
    if config.streams & (config.streams - 1):
        return Mux(direction, west.word_select(stream, bits), east.word_select(stream, bits))
    number = Cat(stream[: (config.streams - 1).bit_length()], direction)
    return Cat(east, west).word_select(number, bits)
