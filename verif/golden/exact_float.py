"""fp32 from fractions: one rounding, written out."""

from fractions import Fraction

INFINITY = 0x7F800000
NAN = 0x7FC00000
SIGN = 0x80000000


def is_nan(bits: int) -> bool:
    """Return whether a pattern is a NaN."""
    return bits & ~SIGN > INFINITY


def is_infinite(bits: int) -> bool:
    """Return whether a pattern is an infinity."""
    return bits & ~SIGN == INFINITY


def value(bits: int) -> Fraction:
    """Return the number that a finite pattern stands for."""
    exponent, fraction = bits >> 23 & 0xFF, bits & 0x7FFFFF
    significand = fraction | (0x800000 if exponent else 0)
    number = Fraction(significand) * Fraction(2) ** (max(exponent, 1) - 150)
    return -number if bits & SIGN else number


def nearest(number: Fraction, zero_sign: int = 0) -> int:
    """Return the pattern nearest to a number, ties to even; `zero_sign` (0 or `SIGN`) is the sign of an exact 0."""
    if number == 0:
        return zero_sign
    sign = SIGN if number < 0 else 0
    magnitude = abs(number)
    exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    exponent -= magnitude < Fraction(2) ** exponent
    exponent = max(exponent, -126)
    # Python rounds a fraction to the nearest integer, ties to even.
    whole = round(magnitude / Fraction(2) ** (exponent - 23))
    # The pattern counts on through the exponent: a significand that became 2**24, or normal, is right by itself.
    pattern = whole + ((exponent + 126) << 23)
    return sign | min(pattern, INFINITY)


def add(a: int, b: int) -> int:
    """Return the pattern of a + b."""
    if is_nan(a) or is_nan(b) or (is_infinite(a) and is_infinite(b) and a != b):
        return NAN
    if is_infinite(a) or is_infinite(b):
        return a if is_infinite(a) else b
    return nearest(value(a) + value(b), a & b & SIGN)


def subtract(a: int, b: int) -> int:
    """Return the pattern of a - b."""
    return NAN if is_nan(b) else add(a, b ^ SIGN)


def multiply(a: int, b: int) -> int:
    """Return the pattern of a * b."""
    sign = (a ^ b) & SIGN
    if is_nan(a) or is_nan(b):
        return NAN
    if is_infinite(a) or is_infinite(b):
        zero = a & ~SIGN == 0 or b & ~SIGN == 0
        return NAN if zero else sign | INFINITY
    return nearest(value(a) * value(b), sign)


def maximum(a: int, b: int) -> int:
    """Return the pattern of IEEE 754-2019 maximum(a, b)."""
    if is_nan(a) or is_nan(b):
        return NAN
    return max((a, b), key=_rank)


def minimum(a: int, b: int) -> int:
    """Return the pattern of IEEE 754-2019 minimum(a, b)."""
    if is_nan(a) or is_nan(b):
        return NAN
    return min((a, b), key=_rank)


def _rank(bits: int) -> tuple[Fraction, int]:
    size = Fraction(2) ** 200 if is_infinite(bits) else abs(value(bits))
    return (-size if bits & SIGN else size), int(not bits & SIGN)
