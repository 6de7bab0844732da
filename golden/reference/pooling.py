"""Max and average pooling of images."""

from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError
from golden.reference.fp32 import Float32, Floats, apply, narrowed, widened
from golden.reference.windows import Window, windows


def maxpool(x: npt.NDArray[Any], window: Window) -> npt.NDArray[Any]:
    """Return the largest element of every window of every channel.

    Parameters
    ----------
    x : ndarray of int8, float16 or float32, shape (height, width, channels)
    window : Window
        Padding never wins: it counts as -infinity, or -128.

    Returns
    -------
    ndarray
        Shape (rows, columns, channels), dtype of `x`.
    """
    if x.dtype == np.int8:
        return np.asarray(np.max(windows(x, window, -128), axis=0))
    parts = windows(widened(x), window, -np.inf)
    return narrowed(reduce(lambda best, part: apply("MAX", part, best), parts), x.dtype)


def avgpool(x: Floats, window: Window) -> Floats:
    """Return the mean of every window of every channel; padding counts as zeros (ONNX count_include_pad=1).

    In fp32: the sum in row-major order of the window, times fp32(1 / elements).

    Parameters
    ----------
    x : ndarray of float16 or float32, shape (height, width, channels)
    window : Window

    Returns
    -------
    ndarray
        Shape (rows, columns, channels), dtype of `x`.
    """
    if x.dtype not in (np.float16, np.float32):
        raise TaktError(f"x must be float16 or float32, not {x.dtype}")
    parts: list[Float32] = list(windows(widened(x), window, 0.0))
    total = reduce(lambda sums, part: apply("ADD", part, sums), parts)
    return narrowed(apply("MUL", total, np.float32(1 / len(parts))), x.dtype)
