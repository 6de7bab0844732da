"""From an exact integer to a format."""

import numpy as np
import numpy.typing as npt

from arch.formats import DType

Int64 = npt.NDArray[np.int64]


def narrow(exact: Int64, dtype: DType, saturate: bool) -> Int64:
    """Return exact integers brought into an integer format.

    Parameters
    ----------
    exact : ndarray of int64
    dtype : DType
        INT8, INT16 or INT32.
    saturate : bool
        True: clamp to the format's range. False: keep the low bits (two's complement wrap).
    """
    if saturate:
        low, high = limits(dtype)
        return np.minimum(np.maximum(exact, low), high)
    return exact.astype(dtype.numpy).astype(np.int64)


def limits(dtype: DType) -> tuple[int, int]:
    """Return the lowest and the highest number of an integer format."""
    bits = 8 * dtype.size
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1
