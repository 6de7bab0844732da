"""Readers of the outward streams, for the tiles of a plane."""

from amaranth.hdl import Instance, Module, Signal, Value

from arch.config import Config
from hdl.ecc.reader import EccReader

__all__ = ["read_outward"]


def read_outward(
    m: Module, config: Config, ecc: EccReader, streams: Value, *, en: Value, group: Value, size: int
) -> Value:
    """Add the choice of an aligned group of outward streams to a module, combinational.

    Parameters
    ----------
    m
    config
        The machine.
    ecc
        Of the module.
    streams
        Outward stream registers of a superlane, ``streams * stream_bits`` bits.
    en
        They are wanted in this cycle; in others the result is undefined.
    group
        Number of the group: its streams are ``size * group`` and up.
    size
        Streams of a group.

    Returns
    -------
    Value
        Their data, ``size * lanes * 8`` bits, the lowest stream lowest.
    """
    width = config.stream_bits * size
    words = Signal(width)
    if config.ecc:
        # Quiet in other cycles, because decoders follow.
        m.submodules.select = Instance(
            "takt_select",
            p_WIDTH=width,
            p_COUNT=config.streams // size,
            i_en=en,
            i_index=group,
            i_words=streams,
            o_word=words,
        )
        return ecc.read(words, en=en)
    with m.Switch(group):
        for index in range(config.streams // size):
            with m.Case(index):
                m.d.comb += words.eq(streams[index * width : (index + 1) * width])
    return words
