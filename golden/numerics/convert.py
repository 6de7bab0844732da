"""Conversions between integers, fp16 and fp32."""

import numpy as np
import numpy.typing as npt

from arch.formats import CANONICAL_NAN_FP16, DType
from golden.numerics.narrow import limits

Int64 = npt.NDArray[np.int64]
Float16 = npt.NDArray[np.float16]
Float32 = npt.NDArray[np.float32]
Bits = npt.NDArray[np.uint32]

_LEAST_EXPONENT = -14
"""Of a normal fp16 number; subnormals are multiples of 2**-24 too."""

_FRACTION = 10
"""Bits of an fp16 fraction."""

_OVERFLOW = 65520.0
"""From here on, half a unit above the greatest finite fp16 number, a number rounds to infinity."""


def to_float(integers: Int64) -> Float32:
    """Return integers as float32, rounded to nearest even."""
    return integers.astype(np.float32)


def to_integer(values: Float16 | Float32, dtype: DType) -> Int64:
    """Return float values as integers of a format: nearest even, saturating, NaN as 0."""
    low, high = limits(dtype)
    # float64 holds every float32 and both limits exactly.
    rounded = np.rint(values.astype(np.float64))
    return np.where(np.isnan(rounded), 0.0, np.minimum(np.maximum(rounded, low), high)).astype(np.int64)


def widen(values: Float16) -> Float32:
    """Return float16 values as float32, exact; NaN payloads are whatever NumPy makes of them."""
    return values.astype(np.float32)


def to_fp16(numbers: Int64 | Float32) -> Bits:
    """Return fp16 patterns of integers or float32 values in the low bits of uint32.

    Rounded once, to nearest even, subnormals included; infinity from 65520 up, every NaN as 0x7E00. Written out in
    float64, which holds every int32 and float32 exactly: how NumPy rounds to float16 is not relied upon.
    """
    exact = numbers.astype(np.float64)
    magnitude = np.abs(exact)
    finite = magnitude < _OVERFLOW
    size = np.where(finite, magnitude, 0.0)
    exponent = np.frexp(np.maximum(size, 2.0**_LEAST_EXPONENT))[1] - 1
    # An integer of units in the last place. The pattern counts on through the exponent: a carry out of the fraction is
    # right by itself.
    units = np.rint(np.ldexp(size, _FRACTION - exponent)).astype(np.int64)
    pattern = np.where(finite, units + ((exponent - _LEAST_EXPONENT) << _FRACTION), 0x7C00)
    pattern |= np.signbit(exact).astype(np.int64) << 15
    return np.where(np.isnan(exact), CANONICAL_NAN_FP16, pattern).astype(np.uint32)
