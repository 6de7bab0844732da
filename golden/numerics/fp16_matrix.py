"""Products of an fp16 vector with an fp16 matrix: exact sums, rounded once to fp32."""

import numpy as np
import numpy.typing as npt

from golden.numerics.floating import canonical

Float16 = npt.NDArray[np.float16]
Bits = npt.NDArray[np.uint32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_LIMB = 20
"""Bits of a limb: a finite fp16 is an integer of at most 40 bits, in units of 2**-24, and so has two."""

_UNIT = -48
"""Exponent of the unit of a product."""


class Fp16Matrix:
    """A matrix of fp16 numbers that multiplies vectors.

    A number is kept as ``high * 2**20 + low`` units of 2**-24. Limb products stay below 2**40 and their sums over as
    many as 2**12 rows below 2**53, so NumPy's float64 matrix product of the limbs is exact in whatever order it adds.

    Parameters
    ----------
    columns : ndarray of float16, shape (columns, rows)
        Row n holds column n of the matrix.
    """

    def __init__(self, columns: Float16) -> None:
        assert columns.shape[1] <= 1 << 12
        self._columns = columns.copy()
        high, low, self._special = _limbs(self._columns)
        self._limbs = np.ascontiguousarray(np.concatenate([high, low]).T)

    def product(self, vector: Float16) -> Bits:
        """Return the bit patterns of ``vector @ matrix``, shape (columns,).

        Each sum is rounded once, to nearest even. NaN, 0 * inf and inf - inf give the canonical NaN; a zero sum is +0
        unless every product in it is -0.
        """
        high, low, special = _limbs(vector)
        sums = (np.stack([high, low]) @ self._limbs).astype(np.int64).reshape(2, 2, -1)
        bits = _rounded(sums[0, 0], sums[0, 1] + sums[1, 0], sums[1, 1])
        zero = np.flatnonzero(bits == 0)
        if len(zero):
            bits[zero[np.signbit(self._products(vector, zero)).all(axis=1)]] = 0x80000000
        if special or self._special:
            total = self._products(vector, slice(None)).sum(axis=1)
            bits = np.where(np.isfinite(total), bits, canonical(total.astype(np.float32)))
        return bits

    def _products(self, vector: Float16, columns: Int64 | slice) -> Float64:
        """Return all products of some columns; float64 holds each exactly."""
        return self._columns[columns].astype(np.float64) * vector.astype(np.float64)


def _limbs(values: Float16) -> tuple[Float64, Float64, bool]:
    """Return the limbs of finite numbers, 0 for others, and whether there are others; only the high limb is signed."""
    units = values.astype(np.float64) * 2.0**24
    finite = np.isfinite(units)
    special = not finite.all()
    if special:
        units = np.where(finite, units, 0.0)
    high = np.floor(units * 2.0**-_LIMB)
    return high, units - high * 2.0**_LIMB, special


def _rounded(top: Int64, middle: Int64, bottom: Int64) -> Bits:
    """Return ``top * 2**40 + middle * 2**20 + bottom`` units of a product as fp32 patterns; 0 as +0."""
    mask = (1 << _LIMB) - 1
    middle = middle + (bottom >> _LIMB)
    high = top + (middle >> _LIMB)
    low = (middle & mask) << _LIMB | bottom & mask
    # Now high * 2**40 + low with 0 <= low < 2**40; the same for the magnitude.
    negative = high < 0
    borrow = negative & (low > 0)
    low = np.where(borrow, (1 << 2 * _LIMB) - low, low)
    high = np.where(negative, -high - borrow, high)
    # 63 bits hold a small sum exactly. A large one has more leading bits than an fp32 and its guard bit need, and
    # may say in its last bit that something is left below.
    small = high < 1 << 22
    exact = high << 2 * _LIMB | low
    sticky = high << 8 | low >> 32 | ((low & 0xFFFFFFFF) != 0)
    rounded = np.where(small, exact, sticky).astype(np.float32)
    scaled = np.ldexp(rounded, np.where(small, _UNIT, _UNIT + 32))
    return np.where(negative, -scaled, scaled).astype(np.float32).view(np.uint32)
