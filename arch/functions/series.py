"""Elementary functions in fixed point, to 128 fraction bits (a few units of the last one lost)."""

from fractions import Fraction
from functools import cache
from math import isqrt

__all__ = ["ONE", "exponential", "ln2", "logarithm", "ratio", "reciprocal_root", "times"]

_BITS = 128

ONE = 1 << _BITS
"""The number 1."""


def ratio(numerator: int, denominator: int) -> int:
    """Return a quotient of integers (or of two fixed-point numbers) as a fixed-point number."""
    return (numerator << _BITS) // denominator


def times(a: int, b: int) -> int:
    """Return the product of two fixed-point numbers."""
    return a * b >> _BITS


def exponential(x: int) -> int:
    """Return e**x of a fixed-point x of magnitude 1 at most, by its Taylor series."""
    total, term, n = 0, ONE, 0
    while term not in (0, -1):
        total += term
        n += 1
        term = times(term, x) // n
    return total


def logarithm(x: Fraction) -> int:
    """Return ln(x) of x from 1/2 to 2, as 2 artanh((x - 1) / (x + 1))."""
    y = ratio(x.numerator - x.denominator, x.numerator + x.denominator)
    square, power, total, n = times(y, y), y, 0, 1
    while power not in (0, -1):
        total += power // n
        power = times(power, square)
        n += 2
    return 2 * total


@cache
def ln2() -> int:
    """Return ln(2)."""
    return logarithm(Fraction(2))


def reciprocal_root(x: Fraction) -> int:
    """Return 1 / sqrt(x)."""
    return isqrt((x.denominator << 2 * _BITS) // x.numerator)
