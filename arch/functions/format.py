"""Widths and places of the fixed-point numbers of the functions' datapath."""

__all__ = [
    "ARGUMENT_BITS",
    "COEFFICIENT_BITS",
    "DEPTH",
    "EXPONENT_BITS",
    "FIRST",
    "FRACTION_BITS",
    "LN2_BITS",
    "LOG2E_BITS",
    "SEGMENTS_PER_UNIT",
    "SIGMOID_SEGMENTS",
]

FRACTION_BITS = 30
"""Fraction bits of the polynomials' coefficients and values."""

COEFFICIENT_BITS = (31, 28, 23, 18)
"""Bits of the coefficients of ``t**0`` (unsigned: from 0.8 up, below 2) to ``t**3`` (two's complement)."""

EXPONENT_BITS = 5
"""Bits of a segment's exponent."""

ARGUMENT_BITS = 26
"""Bits of ``t``, a segment's argument, all of them fraction: 0 at the segment's start, below 1."""

SEGMENTS_PER_UNIT = 16
"""Segments per unit of the argument ``w`` of `SIGMOID` and `TANH`."""

SIGMOID_SEGMENTS = 20 * SEGMENTS_PER_UNIT
"""``w`` from 0 to 20: beyond, 1 / (1 + e**w) is e**-w, and 1 less it is 1, to a small part of a unit in the last
place."""

FIRST = {"SIGMOID": 0, "TANH": 320, "EXP": 352, "RECIP": 384, "RSQRT": 448, "LOG": 512}
"""The first segment of each function; a segment's number is this one with its low bits replaced by the index. `EXP` and
`TANH` have 32 segments, `RECIP`, `RSQRT` and `LOG` 64."""

DEPTH = 576
"""Segments in all."""

LOG2E_BITS = 37
"""Fraction bits of the constant log2(e): the product with a significand fits 62 bits."""

LN2_BITS = 40
"""Fraction bits of the constant ln(2)."""
