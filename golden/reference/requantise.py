"""From int32 sums to int8, as ONNX's QLinear operators do it."""

import numpy as np
import numpy.typing as npt


def requantise(
    sums: npt.NDArray[np.int32], scale: npt.ArrayLike, zero_point: int = 0, relu: bool = False
) -> npt.NDArray[np.int8]:
    """Return ``saturate(round_half_even(float32(sums) * scale) + zero_point)``.

    Parameters
    ----------
    sums : ndarray of int32, shape (m, n)
    scale : array_like of float32, scalar or shape (n,)
        Finite. Real value of one unit of `sums` over that of one unit of the result, per column or for all.
    zero_point : int
        int8 that stands for 0.
    relu : bool
        Results below `zero_point` become `zero_point`.

    Returns
    -------
    ndarray of int8, shape (m, n)
        The conversion to float32 rounds to nearest even, and so does the product (ONNX operators, QLinearMatMul).
    """
    with np.errstate(over="ignore", under="ignore"):
        scaled = sums.astype(np.float32) * np.asarray(scale, np.float32)
    # float64 holds every float32, and the sum of a clamped one and a zero point.
    rounded = np.clip(np.rint(scaled.astype(np.float64)), -(2**31), 2**31 - 1)
    low = zero_point if relu else -128
    result: npt.NDArray[np.int8] = np.clip(rounded + zero_point, low, 127).astype(np.int8)
    return result
