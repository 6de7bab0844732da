"""The one formula behind the costly functions of the VXM, and its table."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from arch.functions.format import ARGUMENT_BITS, FRACTION_BITS
from arch.functions.table import segments
from golden.numerics.fp32 import rounded

__all__ = ["FACTOR_BITS", "ONE_ADDEND", "ONE_FACTOR", "Terms", "down_by", "evaluate"]

Bits = npt.NDArray[np.uint32]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

FACTOR_BITS = 25
"""Fraction bits of the factor."""

_SUM_BITS = FRACTION_BITS + FACTOR_BITS
"""Fraction bits of the addend, the product and their sum."""

ONE_FACTOR = 1 << FACTOR_BITS
ONE_ADDEND = 1 << _SUM_BITS


@dataclass(frozen=True)
class Terms:
    """Terms of ``(-1)**negative * (addend +- polynomial(t) * factor) * 2**exponent``; integers are broadcast.

    Attributes
    ----------
    segment : ndarray of int64
        Of the table.
    argument : ndarray of int64
        ``t``, `ARGUMENT_BITS` fraction bits.
    factor : ndarray of int64
        `FACTOR_BITS` fraction bits.
    exponent : ndarray of int64
    addend : ndarray of int64
        55 fraction bits, as the product has.
    subtract : ndarray of bool
        The product is taken away from the addend.
    negative : ndarray of bool
    """

    segment: Int64
    argument: Int64
    factor: Int64 | int = ONE_FACTOR
    exponent: Int64 | int = 0
    addend: Int64 | int = 0
    subtract: Bool | bool = False
    negative: Bool | bool = False


def evaluate(terms: Terms) -> Bits:
    """Return the formula's value: every product of the polynomial is rounded down, the sum to nearest even."""
    # Horner's scheme, from the highest coefficient down.
    value, *lower = (column[terms.segment] for column in reversed(_columns()[:4]))
    for coefficient in lower:
        value = coefficient + (value * terms.argument >> ARGUMENT_BITS)
    product = value * terms.factor
    magnitude = terms.addend + np.where(terms.subtract, -product, product)
    return rounded(np.asarray(terms.negative), magnitude, np.asarray(terms.exponent, np.int64) - _SUM_BITS)


def down_by(segment: Int64) -> Int64:
    """Return the exponents that the table holds of segments."""
    return _columns()[4][segment]


@cache
def _columns() -> tuple[Int64, ...]:
    """c0, c1, c2, c3 and exponent of all segments."""
    # By column, since an array of indices then fetches each coefficient of all elements at once.
    rows = ((*segment.coefficients, segment.exponent) for segment in segments())
    return tuple(np.array(column, np.int64) for column in zip(*rows, strict=True))
