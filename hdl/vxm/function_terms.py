"""What the first stage of the functions' datapath hands to the second."""

import enum

from amaranth.hdl import signed
from amaranth.lib import data

from arch.functions.format import ARGUMENT_BITS, COEFFICIENT_BITS, FRACTION_BITS, LN2_BITS

__all__ = [
    "ADDEND_BITS",
    "EXPONENT_SHAPE",
    "FACTOR_BITS",
    "FUNCTION_TERMS",
    "SUM_BITS",
    "FunctionSpecial",
]

FACTOR_BITS = 25
"""Fraction bits of `factor`."""

ADDEND_BITS = LN2_BITS
"""Fraction bits of `addend`."""

SUM_BITS = FRACTION_BITS + FACTOR_BITS
"""Fraction bits of the product of polynomial and factor."""

EXPONENT_SHAPE = signed(10)
"""From -185 (e**-128) to 148 (1 / 2**-149)."""


class FunctionSpecial(enum.IntEnum):
    """Magnitudes of results that need no evaluation."""

    ZERO = 0
    ONE = 1
    INFINITY = 2
    NAN = 3


FUNCTION_TERMS = data.StructLayout(
    {
        "c0": COEFFICIENT_BITS[0],
        "c1": signed(COEFFICIENT_BITS[1]),
        "slope": signed(COEFFICIENT_BITS[2] + 1),
        "argument": ARGUMENT_BITS,
        "factor": FACTOR_BITS + 1,
        "addend": ADDEND_BITS + 8,
        "exponent": EXPONENT_SHAPE,
        "subtract": 1,
        "negative": 1,
        "special": 2,
        "is_special": 1,
    }
)
"""``(-1)**negative * (addend +- (c0 + (c1 + slope * argument) * argument) * factor) * 2**exponent``, or, with
`is_special`, a `FunctionSpecial` of that sign. `slope` is ``c2 + c3 * argument``."""
