"""Terms that the first stage of the functions' datapath hands to the second."""

import enum

from amaranth.hdl import signed
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from arch.functions.format import ARGUMENT_BITS, COEFFICIENT_BITS, FRACTION_BITS, LN2_BITS
from hdl.vxm.fp32_fields import BIAS

__all__ = [
    "ADDEND_BITS",
    "EXPONENT_OF_ONE",
    "FACTOR_BITS",
    "FUNCTION_TERMS",
    "SUM_BITS",
    "SUM_WIDTH",
    "FunctionSpecial",
]

FACTOR_BITS = 25
"""Fraction bits of `factor`."""

ADDEND_BITS = LN2_BITS
"""Fraction bits of `addend`."""

SUM_BITS = FRACTION_BITS + FACTOR_BITS
"""Fraction bits of the product of polynomial and factor."""

SUM_WIDTH = SUM_BITS + 7
"""Bits of the sum: a logarithm is below 2**7."""

EXPONENT_OF_ONE = BIAS + SUM_WIDTH - 1 - SUM_BITS
"""`exponent`, the biased exponent of the sum's highest bit, of a result that is the sum as it stands."""


class FunctionSpecial(enum.IntEnum):
    """Magnitudes of results that need no evaluation."""

    ZERO = 0
    ONE = 1
    INFINITY = 2
    NAN = 3


FUNCTION_TERMS = wiring.Signature(
    {
        "c0": Out(COEFFICIENT_BITS[0]),
        "c1": Out(signed(COEFFICIENT_BITS[1])),
        "slope": Out(signed(COEFFICIENT_BITS[2] + 1)),
        "argument": Out(ARGUMENT_BITS),
        "factor": Out(FACTOR_BITS + 1),
        "addend": Out(ADDEND_BITS + 8),
        # From -185 (e**-128) to 148 (1 / 2**-149), and `EXPONENT_OF_ONE`.
        "exponent": Out(signed(10)),
        "subtract": Out(1),
        "negative": Out(1),
        "special": Out(2),
        "is_special": Out(1),
    }
)
"""``(-1)**negative * (addend +- (c0 + (c1 + slope * argument) * argument) * factor)``, moved up by
``exponent - EXPONENT_OF_ONE`` places; or, with `is_special`, a `FunctionSpecial` of that sign. `slope` is
``c2 + c3 * argument``."""
