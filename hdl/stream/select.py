"""One stream out of the registers of a position."""

from amaranth.hdl import Instance, Module, Signal, Value

from arch.config import Config

__all__ = ["select_stream"]


def select_stream(
    m: Module, config: Config, east: Value, west: Value, *, en: Value, direction: Value, stream: Value
) -> Signal:
    """Add the choice of one stream to a module, combinational.

    Parameters
    ----------
    m : Module
    config : Config
    east, west : Value
        Registers of a position, ``streams * stream_bits`` bits.
    en : Value
        Whether a stream is wanted.
    direction : Value
        0 east, 1 west.
    stream : Value
        Number of the stream, below ``config.streams``.

    Returns
    -------
    Signal
        Its ``stream_bits``, check bits included (see `hdl.ecc.reader`); 0 without `en`.
    """
    bits = config.stream_bits
    found = []
    for name, words, wanted in (("east", east, en & ~direction), ("west", west, en & direction)):
        word = Signal(bits, name=f"{name}_word")
        m.submodules[f"{name}_select"] = Instance(
            "takt_select",
            p_WIDTH=bits,
            p_COUNT=config.streams,
            i_en=wanted,
            i_index=stream,
            i_words=words,
            o_word=word,
        )
        found.append(word)
    chosen = Signal(bits, name="stream_word")
    m.d.comb += chosen.eq(found[0] | found[1])
    return chosen
