"""A cubic polynomial through four values of a function."""

from collections.abc import Sequence
from fractions import Fraction
from math import prod

from arch.functions.format import COEFFICIENT_BITS, FRACTION_BITS
from arch.functions.series import ONE

__all__ = ["NODES", "cubic"]

NODES = tuple(Fraction(node, 1024) for node in (39, 316, 708, 985))
"""Where in a segment, from 0 to 1, the polynomial meets the function: Chebyshev's (1 - cos((2j + 1) pi / 8)) / 2 to ten
bits, with which the largest error is nearly the smallest possible."""

_SCALE = 1 << 96


def _basis() -> list[list[int]]:
    """Coefficients, times `_SCALE`, of the polynomials that are 1 at one node and 0 at the others; constant first."""
    rows = []
    for node in NODES:
        a, b, c = (other for other in NODES if other != node)
        whole = prod(node - other for other in (a, b, c))
        rows.append([round(_SCALE * k / whole) for k in (-a * b * c, a * b + b * c + c * a, -(a + b + c), Fraction(1))])
    return rows


_BASIS = _basis()


def cubic(values: Sequence[int]) -> tuple[int, ...]:
    """Return the coefficients of the polynomial with given values at the nodes.

    Parameters
    ----------
    values : sequence of int, length 4
        Fixed-point numbers of :mod:`arch.functions.series`.

    Returns
    -------
    tuple of int, length 4
        Constant term first, each rounded to `FRACTION_BITS`. The constant term is raised by one unit, since evaluation
        rounds every product down, and is the greatest that fits its bits if it would not.
    """
    unit = _SCALE * ONE >> FRACTION_BITS
    exact = (sum(value * row[power] for value, row in zip(values, _BASIS, strict=True)) for power in range(4))
    c0, *others = ((2 * c + unit) // (2 * unit) for c in exact)
    assert all(-(1 << bits - 1) <= c < 1 << bits - 1 for c, bits in zip(others, COEFFICIENT_BITS[1:], strict=True))
    return min(c0 + 1, (1 << COEFFICIENT_BITS[0]) - 1), *others
