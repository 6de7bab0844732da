"""Matrix product of float16 matrices as the MXM computes it."""

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError
from golden.numerics.floating import canonical
from golden.reference.fp32 import apply
from golden.reference.operands import check_product

Float16 = npt.NDArray[np.float16]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

_LIMB = 20
"""Bits of a limb: a finite float16 is an integer below 2**40 in units of 2**-24."""


def matmul_fp16(a: Float16, b: Float16, vector_length: int) -> Float32:
    """Return ``a @ b``: exact sums of `vector_length` terms, rounded to float32, added up in float32.

    Pass i takes the terms ``i * vector_length ..``. Its sum is exact, then rounded once, to nearest even; NaN, 0 * inf
    and inf - inf give the canonical NaN, an exact zero is +0 unless all `vector_length` products are -0 (a pass that is
    not full has +0 products). The first pass's sum is the result so far; each further one is added to it, float32,
    nearest even.

    Parameters
    ----------
    a : ndarray of float16, shape (m, k)
    b : ndarray of float16, shape (k, n)
    vector_length : int
        At most 2**12.

    Returns
    -------
    ndarray of float32, shape (m, n)

    Raises
    ------
    TaktError
        For another dtype or rank, or inner dimensions that disagree.
    """
    check_product(a, b, np.float16)
    if not 1 <= vector_length <= 1 << 12:
        raise TaktError(f"vector_length must be 1 to {1 << 12}, not {vector_length!r}")
    total: Float32 | None = None
    for first in range(0, a.shape[1], vector_length):
        terms = slice(first, first + vector_length)
        product = _one_pass(a[:, terms], b[terms], full=first + vector_length <= a.shape[1])
        total = product if total is None else apply("ADD", total, product)
    assert total is not None
    return total


def _one_pass(a: Float16, b: Float16, full: bool) -> Float32:
    """Return ``a @ b``, every sum rounded once; `full` when no further products of 0 belong to it."""
    finite = np.isfinite(a).all() and np.isfinite(b).all()
    result = _rounded(*_exact(np.where(np.isfinite(a), a, 0), np.where(np.isfinite(b), b, 0)))
    if full:
        result[(result == 0) & _all_minus_zero(a, b)] = -0.0
    if not finite:
        # Some products or sums are infinite or NaN: float64 finds out which, and no finite one overflows it.
        with np.errstate(invalid="ignore"):
            total = np.zeros(result.shape)
            for column, row in zip(a.T.astype(np.float64), b.astype(np.float64), strict=True):
                total += column[:, None] * row
            result = np.where(np.isfinite(total), result, canonical(total.astype(np.float32)).view(np.float32))
    return result


def _exact(a: Float16, b: Float16) -> tuple[Int64, Int64]:
    """Return the exact sums of products as ``high * 2**40 + low`` units of 2**-48, with 0 <= low < 2**40.

    Products of limbs stay below 2**40 and sums of 2**12 of them below 2**53, where float64 is exact in any order.
    """
    (a_high, a_low), (b_high, b_low) = _limbs(a), _limbs(b)
    bottom = (a_low @ b_low).astype(np.int64)
    middle = (a_high @ b_low).astype(np.int64) + (a_low @ b_high).astype(np.int64) + (bottom >> _LIMB)
    mask = (1 << _LIMB) - 1
    return (a_high @ b_high).astype(np.int64) + (middle >> _LIMB), (middle & mask) << _LIMB | bottom & mask


def _limbs(values: Float16) -> tuple[Float64, Float64]:
    """Return the signed upper and the unsigned lower limb, in units of 2**-24."""
    units = values.astype(np.float64) * 2.0**24
    high = np.floor(units / 2.0**_LIMB)
    return high, units - high * 2.0**_LIMB


def _rounded(high: Int64, low: Int64) -> Float32:
    """Return ``(high * 2**40 + low) * 2**-48`` in float32, rounded once."""
    negative = high < 0
    # The magnitude: of a negative number the borrow of a low part that is not 0 comes out of the high part.
    below: Bool = negative & (low > 0)
    high = np.where(negative, -high - below, high)
    low = np.where(below, (1 << 40) - low, low)
    # As many bits of `low` behind `high` as float64 takes; what is left over sets the last bit (rounding to odd), far
    # below float32's own last one.
    length = np.frexp(high.astype(np.float64))[1]
    left = np.where(high > 0, np.minimum(np.maximum(length - 12, 0), 40), 0).astype(np.int64)
    top = high << (40 - left) | low >> left | ((low & ((1 << left) - 1)) != 0)
    magnitude = np.ldexp(top.astype(np.float64), left.astype(np.int32) - 48).astype(np.float32)
    rounded: Float32 = np.where(negative, -magnitude, magnitude)
    return rounded


def _all_minus_zero(a: Float16, b: Float16) -> Bool:
    """Return where every product is -0."""
    found = np.zeros((a.shape[0], b.shape[1]))
    for left, right in ((np.signbit(a), ~np.signbit(b)), (~np.signbit(a), np.signbit(b))):
        for x, y in ((left & (a == 0), right), (left & (a != 0), right & (b == 0))):
            found += x.astype(np.float64) @ y.astype(np.float64)
    every: Bool = found == a.shape[1]
    return every
