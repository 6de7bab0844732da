"""Conversions between integers and binary32."""

import numpy as np
import numpy.typing as npt

from arch.formats import DType
from golden.numerics.narrow import limits

Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]


def to_float(integers: Int64) -> Float32:
    """Return integers as float32, rounded to nearest even."""
    return integers.astype(np.float32)


def to_integer(values: Float32, dtype: DType) -> Int64:
    """Return float32 values as integers of a format: nearest even, saturating, NaN as 0."""
    low, high = limits(dtype)
    # binary64 holds every float32 and both limits exactly.
    rounded = np.rint(values.astype(np.float64))
    return np.where(np.isnan(rounded), 0.0, np.minimum(np.maximum(rounded, low), high)).astype(np.int64)
