"""Max and average pooling of sequences and images."""

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
    x : ndarray of int8, float16 or float32, shape (..., channels)
    window : Window
        Padding never wins: it counts as -infinity, or -128.

    Returns
    -------
    ndarray
        Shape (places along each axis, channels), dtype of `x`.
    """
    if x.dtype == np.int8:
        return np.asarray(np.max(windows(x, window, -128), axis=0))
    parts = windows(widened(x), window, -np.inf)
    return narrowed(reduce(lambda best, part: apply("MAX", part, best), parts), x.dtype)


def avgpool(x: Floats, window: Window, count_include_pad: bool = True) -> Floats:
    """Return the mean of every window of every channel.

    In fp32: the sum in row-major order of the window, padding as zeros, times fp32(1 / elements): those of the window
    in image and padding or, without `count_include_pad`, in the image (ONNX AveragePool).

    Parameters
    ----------
    x : ndarray of float16 or float32, shape (..., channels)
    window : Window
    count_include_pad : bool

    Returns
    -------
    ndarray
        Shape (places along each axis, channels), dtype of `x`.
    """
    if x.dtype not in (np.float16, np.float32):
        raise TaktError(f"x must be float16 or float32, not {x.dtype}")
    parts: list[Float32] = list(windows(widened(x), window, 0.0))
    total = reduce(lambda sums, part: apply("ADD", part, sums), parts)
    shares = (1 / window.counts(x.shape[:-1], count_include_pad)).astype(np.float32)
    return narrowed(apply("MUL", total, shares[..., None]), x.dtype)


def global_average(x: Floats) -> Floats:
    """Return the mean of every channel, shape (channels,): `avgpool` of one window, the whole image."""
    return avgpool(x, Window(sizes=x.shape[:-1])).reshape(x.shape[-1])
