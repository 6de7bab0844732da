"""Matrix product of quantised matrices with everything that follows it."""

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError
from golden.reference.matmul import matmul_int32
from golden.reference.requantise import requantise

Int8 = npt.NDArray[np.int8]


def qlinear_matmul(
    a: Int8,
    b: Int8,
    bias: npt.NDArray[np.int32] | None = None,
    scale: npt.ArrayLike = 1.0,
    zero_point: int = 0,
    relu: bool = False,
) -> Int8:
    """Return the int8 product of int8 matrices whose own zero points are 0 (ONNX QLinearMatMul).

    Parameters
    ----------
    a : ndarray of int8, shape (m, k)
    b : ndarray of int8, shape (k, n)
    bias : ndarray of int32, shape (n,), optional
        Added to the int32 sums; wraps.
    scale : array_like of float32, scalar or shape (n,)
        ``a_scale * b_scale / y_scale`` in float32.
    zero_point : int
        int8 that stands for 0 in the result.
    relu : bool
        Results below `zero_point` become `zero_point`.

    Returns
    -------
    ndarray of int8, shape (m, n)

    Raises
    ------
    TaktError
        For matrices as in `matmul_int32`, and a bias or scale of another shape or dtype.
    """
    sums = matmul_int32(a, b)
    columns = b.shape[1]
    if bias is not None:
        if bias.dtype != np.int32 or bias.shape != (columns,):
            raise TaktError(f"bias must be int32 of shape ({columns},), not {bias.dtype} of shape {bias.shape}")
        sums = sums + bias
    factors = np.asarray(scale, np.float32)
    if factors.shape not in ((), (1,), (columns,)):
        raise TaktError(f"scale must be one number or have the shape ({columns},), not {factors.shape}")
    if not -128 <= zero_point <= 127:
        raise TaktError(f"zero_point must be -128 to 127, not {zero_point!r}")
    return requantise(sums, factors, zero_point, relu)
