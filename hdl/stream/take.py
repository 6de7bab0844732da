"""Streams of a position into a register."""

from amaranth.hdl import ClockSignal, Instance, Module, Signal, Value

from arch.config import Config
from hdl.stream.group import group_bits

__all__ = ["take_streams"]


def take_streams(
    m: Module,
    config: Config,
    name: str,
    east: Value,
    west: Value,
    *,
    en: Value,
    direction: Value,
    group: Value,
    size: int,
) -> Signal:
    """Add a register for an aligned group of streams to a module, in its ``sync`` domain.

    Latency: one cycle. On a gated clock it costs a simulator nothing while the clock stands still, unlike
    `hdl.stream.select.select_stream`.

    Parameters
    ----------
    m : Module
    config : Config
    name : str
        Of the register, unique in the module.
    east, west : Value
        Registers of a position.
    en : Value
        Take the streams at the end of this cycle.
    direction : Value
        0 east, 1 west.
    group : Value
        Number of the group: its streams are ``size * group`` and up.
    size : int
        Streams of a group.

    Returns
    -------
    Signal
        ``size * stream_bits`` bits, the lowest stream lowest.
    """
    width = config.stream_bits * size
    word = Signal(width, name=name)
    m.submodules[f"take_{name}"] = Instance(
        "takt_take",
        p_WIDTH=width,
        p_COUNT=config.streams // size,
        i_clk=ClockSignal(),
        i_en=en,
        i_direction=direction,
        i_index=group[: group_bits(config.streams, size)],
        i_east=east,
        i_west=west,
        o_word=word,
    )
    return word
