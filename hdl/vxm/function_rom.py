"""The table of the costly functions."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Instance, Module, Signal, Value, signed

from arch.functions.format import COEFFICIENT_BITS, DEPTH, EXPONENT_BITS
from arch.functions.table import segments

__all__ = ["FunctionSegment", "look_up"]

_WIDTHS = (*COEFFICIENT_BITS, EXPONENT_BITS)

_PARTS = ((0,), (1,), (2, 4), (3,))
"""Fields that share a memory of at most 32 bits: that is what a simulator handles best."""


@dataclass(frozen=True)
class FunctionSegment:
    """A segment of :mod:`arch.functions.table`, as signals.

    Attributes
    ----------
    c0, c1, c2, c3 : Signal
        Coefficients.
    less : Signal(5)
        Of SIGMOID: the segment's exponent, less 1. Else 0.
    """

    c0: Signal
    c1: Signal
    c2: Signal
    c3: Signal
    less: Signal


def look_up(m: Module, segment: Value) -> FunctionSegment:
    """Add the table to a module, combinational.

    Parameters
    ----------
    m : Module
    segment : Value
        Below `DEPTH`.
    """
    found = FunctionSegment(
        c0=Signal(_WIDTHS[0], name="c0"),
        c1=Signal(signed(_WIDTHS[1]), name="c1"),
        c2=Signal(signed(_WIDTHS[2]), name="c2"),
        c3=Signal(signed(_WIDTHS[3]), name="c3"),
        less=Signal(_WIDTHS[4], name="less"),
    )
    fields = (found.c0, found.c1, found.c2, found.c3, found.less)
    for number, part in enumerate(_PARTS):
        words = _words(part)
        word = Signal(sum(_WIDTHS[field] for field in part), name=f"word{number}")
        m.submodules[f"rom{number}"] = Instance(
            "takt_rom", p_WIDTH=len(word), p_DEPTH=DEPTH, p_WORDS=words, i_index=segment, o_word=word
        )
        m.d.comb += Cat(fields[field] for field in part).eq(word)
    return found


def _words(part: tuple[int, ...]) -> Const:
    """Some of the fields of all segments, the first segment in the lowest 32 bits."""
    packed = 0
    for index, segment in enumerate(segments()):
        numbers = (*segment.coefficients, max(segment.exponent - 1, 0))
        place = 32 * index
        for field in part:
            packed |= (numbers[field] & (1 << _WIDTHS[field]) - 1) << place
            place += _WIDTHS[field]
    return Const(packed, 32 * DEPTH)
