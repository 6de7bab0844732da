"""fp32 patterns taken apart and put together, in integer arithmetic."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["INFINITY", "Parts", "rounded", "taken_apart"]

Bits = npt.NDArray[np.uint32]
Int64 = npt.NDArray[np.int64]

INFINITY = 0x7F800000
"""Bits of +infinity."""

_FRACTION = 23
_SMALLEST = -149
"""Exponent of the smallest subnormal number."""


@dataclass(frozen=True)
class Parts:
    """Numbers ``(-1)**negative * significand * 2**(exponent - 23)``.

    Attributes
    ----------
    negative : ndarray of bool
    magnitude : ndarray of int64
        All bits but the sign: in the order of the numbers.
    exponent : ndarray of int64
        Of the highest bit; -150 for a zero, 128 for infinities and NaN.
    significand : ndarray of int64
        From ``2**23`` up, below ``2**24``, of subnormal numbers too; 0 for a zero.
    """

    negative: npt.NDArray[np.bool_]
    magnitude: Int64
    exponent: Int64
    significand: Int64


def taken_apart(bits: Bits) -> Parts:
    """Return the parts of patterns."""
    magnitude = bits.astype(np.int64) & 0x7FFFFFFF
    field, fraction = magnitude >> _FRACTION, magnitude & (1 << _FRACTION) - 1
    # Only normal numbers have the hidden bit.
    raw = np.where(field > 0, fraction | 1 << _FRACTION, fraction)
    up = _FRACTION + 1 - _length(raw)
    return Parts(
        negative=bits >> 31 != 0,
        magnitude=magnitude,
        # A field of 0 counts as 1: subnormal numbers have the exponent of the smallest normal ones.
        exponent=np.maximum(field, 1) - 127 - up,
        significand=raw << up,
    )


def rounded(negative: npt.NDArray[np.bool_], magnitude: Int64, exponent: Int64) -> Bits:
    """Return the patterns nearest to ``(-1)**negative * magnitude * 2**exponent``, ties to even.

    Subnormal results lose bits gradually; numbers beyond the greatest finite one become infinities.

    Parameters
    ----------
    negative : ndarray of bool
    magnitude : ndarray of int64
        From 0 up, below ``2**62``.
    exponent : ndarray of int64
    """
    # Of the 24 bits from the highest on the lowest, but never below the last place of subnormal numbers.
    last_place = np.maximum(exponent + _length(magnitude) - (_FRACTION + 1), _SMALLEST)
    # Numbers have at most 62 bits: by 63 places nothing is left but the fact that they are not 0.
    down = np.minimum(last_place - exponent, 63)
    right, left = np.maximum(down, 0), np.maximum(-down, 0)
    kept = (magnitude << left) >> right
    left_over = (magnitude << left) - (kept << right)
    half = np.where(right > 0, np.int64(1) << np.maximum(right - 1, 0), np.int64(1) << 62)
    kept += (left_over > half) | ((left_over == half) & (kept & 1 == 1))
    # The pattern counts on through the exponent: a significand that became 2**24, or normal, is right by itself.
    pattern = np.minimum(kept + (last_place - _SMALLEST << _FRACTION), INFINITY)
    sign = negative.astype(np.uint32) << 31
    return np.where(magnitude == 0, 0, pattern).astype(np.uint32) | np.asarray(sign, np.uint32)


def _length(numbers: Int64) -> Int64:
    """Bits of each number, 0 for 0."""
    rest, length = numbers, np.zeros_like(numbers)
    # By halves, since NumPy has no count of leading zeros and its logarithm is not exact.
    for step in (32, 16, 8, 4, 2, 1):
        large = rest >> step > 0
        length += large * step
        rest = np.where(large, rest >> step, rest)
    return length + rest
