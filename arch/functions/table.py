"""The table: a cubic polynomial per segment of each function's reduced argument."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from arch.functions.fit import NODES, cubic
from arch.functions.format import (
    DEPTH,
    FIRST,
    LN2_BITS,
    LOG2E_BITS,
    SEGMENTS_PER_UNIT,
    SIGMOID_SEGMENTS,
)
from arch.functions.series import ONE, exponential, ln2, logarithm, ratio, reciprocal_root, times

__all__ = ["LN2", "LOG2E", "Segment", "segments"]

Fixed = int
"""A fixed-point number of :mod:`arch.functions.series`."""

LN2 = ln2() * (1 << LN2_BITS + 1) // ONE + 1 >> 1
"""ln(2), `LN2_BITS` fraction bits, to nearest."""

LOG2E = ONE * (1 << LOG2E_BITS + 1) // ln2() + 1 >> 1
"""log2(e), `LOG2E_BITS` fraction bits, to nearest."""


@dataclass(frozen=True)
class Segment:
    """Row of the table: one segment.

    Attributes
    ----------
    coefficients : tuple of int
        c0 to c3, `FRACTION_BITS` fraction bits: the value at ``t`` in [0, 1) is ``c0 + c1 t + c2 t**2 + c3 t**3``.
    exponent : int
        The function is the value times ``2**-exponent``; not 0 in `SIGMOID` only.
    """

    coefficients: tuple[int, ...]
    exponent: int = 0


@cache
def segments() -> tuple[Segment, ...]:
    """Return the table, `DEPTH` segments long.

    ======= ==================== ================================== ================================================
    name    segments             of the argument                    value
    ======= ==================== ================================== ================================================
    SIGMOID 320, 1/16 wide       w in [0, 20)                       2**exponent / (1 + e**w), about 1 to 2
    TANH    32, 1/16 wide        w in [0, 2)                        tanh(w / 2) / (w / 2)
    EXP     32, 1/32 wide        r in [0, 1)                        2**r
    RECIP   64, 1/64 wide        m in [1, 2)                        2 / m
    RSQRT   32 and 32            m in [1, 2), in [2, 4)             2 / sqrt(m)
    LOG     64, 1/64 wide        m in [1, 2)                        ln(1 + f) / f; f = m - 1, from 3/2 up m / 2 - 1
    ======= ==================== ================================== ================================================
    """
    parts: dict[str, list[Segment]] = {
        "SIGMOID": list(_sigmoid()),
        "TANH": [Segment(cubic(values)) for values in _of_powers(_tanh, 2 * SEGMENTS_PER_UNIT)],
        "EXP": list(_exp()),
        "RECIP": _of_rationals(lambda m: ratio(2 * m.denominator, m.numerator), Fraction(1), Fraction(1, 64), 64),
        "RSQRT": [
            *_of_rationals(lambda m: 2 * reciprocal_root(m), Fraction(1), Fraction(1, 32), 32),
            *_of_rationals(lambda m: 2 * reciprocal_root(m), Fraction(2), Fraction(1, 16), 32),
        ],
        "LOG": [
            *_of_rationals(_log, Fraction(1), Fraction(1, 64), 32),
            *_of_rationals(_log, Fraction(3, 4), Fraction(1, 128), 32),
        ],
    }
    table: list[Segment] = []
    for name, part in parts.items():
        assert len(table) == FIRST[name]
        table += part
    assert len(table) == DEPTH
    return tuple(table)


def _of_rationals(function: Callable[[Fraction], Fixed], start: Fraction, width: Fraction, count: int) -> list[Segment]:
    return [Segment(cubic([function(start + width * (index + node)) for node in NODES])) for index in range(count)]


def _of_powers(function: Callable[[Fraction, Fixed], Fixed], count: int) -> Iterator[list[Fixed]]:
    """Values at the nodes of `count` segments of a function of w and e**-w: a product gives each power."""
    inside = [exponential(-ratio(node.numerator, node.denominator * SEGMENTS_PER_UNIT)) for node in NODES]
    step, start = exponential(-ratio(1, SEGMENTS_PER_UNIT)), ONE
    for index in range(count):
        powers = (times(start, factor) for factor in inside)
        yield [function((index + node) / SEGMENTS_PER_UNIT, power) for node, power in zip(NODES, powers, strict=True)]
        start = times(start, step)


def _sigmoid() -> Iterator[Segment]:
    for values in _of_powers(lambda w, power: ratio(power, ONE + power), SIGMOID_SEGMENTS):
        # The value falls along a segment, and begins less than 1/256 above the first node's: there it must be below 2.
        greatest = values[0] + values[0] // 256
        exponent = (2 * ONE // greatest).bit_length() - 1
        yield Segment(cubic([value << exponent for value in values]), exponent)


def _exp() -> Iterator[Segment]:
    inside = [exponential(ln2() * node.numerator // (32 * node.denominator)) for node in NODES]
    for index in range(32):
        start = exponential(ln2() * index // 32)
        yield Segment(cubic([times(start, factor) for factor in inside]))


def _tanh(w: Fraction, power: Fixed) -> Fixed:
    return ratio(2 * w.denominator * (ONE - power), w.numerator * (ONE + power))


def _log(m: Fraction) -> Fixed:
    return logarithm(m) * m.denominator // (m.numerator - m.denominator)
