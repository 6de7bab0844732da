"""The table of the costly functions."""

from amaranth.hdl import Cat, Const, Instance, Module, Signal, Value, signed
from amaranth.lib import data

from arch.functions.format import COEFFICIENT_BITS, DEPTH, EXPONENT_BITS
from arch.functions.table import segments

__all__ = ["ROM_WORD", "look_up"]

ROM_WORD = data.StructLayout(
    {
        "c0": COEFFICIENT_BITS[0],
        "c1": signed(COEFFICIENT_BITS[1]),
        "c2": signed(COEFFICIENT_BITS[2]),
        "c3": signed(COEFFICIENT_BITS[3]),
        "exponent": EXPONENT_BITS,
    }
)
"""A segment of :mod:`arch.functions.table`."""

_PARTS = (("c0", "c1"), ("c2", "c3", "exponent"))
"""Two memories: words of at most 64 bits are what a simulator handles best."""


def look_up(m: Module, segment: Value) -> data.View:
    """Add the table to a module, combinational.

    Parameters
    ----------
    m : Module
    segment : Value
        Below `DEPTH`.

    Returns
    -------
    View
        Layout `ROM_WORD`.
    """
    found = Signal(ROM_WORD, name="segment_word")
    for number, names in enumerate(_PARTS):
        fields = [found[name].as_value() if hasattr(found[name], "as_value") else found[name] for name in names]
        word = Cat(fields)
        m.submodules[f"rom{number}"] = Instance(
            "takt_rom",
            p_WIDTH=len(word),
            p_DEPTH=DEPTH,
            p_WORDS=_words(names),
            i_index=segment,
            o_word=word,
        )
    return found


def _words(names: tuple[str, ...]) -> Const:
    """All words, the first one lowest."""
    packed, place = 0, 0
    for segment in segments():
        numbers = dict(zip(ROM_WORD.members, (*segment.coefficients, segment.exponent), strict=True))
        for name in names:
            width = ROM_WORD[name].width
            packed |= (numbers[name] & (1 << width) - 1) << place
            place += width
    return Const(packed, place)
