"""Two-dimensional convolution of one image."""

from typing import Any

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError
from golden.reference.fp32 import Float16, Float32, apply
from golden.reference.matmul import matmul_int32
from golden.reference.matmul_fp16 import matmul_fp16
from golden.reference.windows import Window, windows


def conv2d_int8(
    x: npt.NDArray[np.int8], w: npt.NDArray[np.int8], stride: int = 1, padding: int = 0
) -> npt.NDArray[np.int32]:
    """Return the int32 sums of a convolution (cross-correlation, as ONNX Conv); they wrap.

    Parameters
    ----------
    x : ndarray of int8, shape (height, width, channels)
    w : ndarray of int8, shape (rows, columns, channels, filters)
    stride, padding : int

    Returns
    -------
    ndarray of int32, shape (out height, out width, filters)
    """
    parts = _parts(x, w, stride, padding)
    k = w.shape[0] * w.shape[1] * w.shape[2]
    rows = parts.transpose(1, 2, 0, 3).reshape(-1, k)
    return matmul_int32(np.ascontiguousarray(rows), w.reshape(k, -1)).reshape(*parts.shape[1:3], -1)


def conv2d_fp16(x: Float16, w: Float16, vector_length: int, stride: int = 1, padding: int = 0) -> Float32:
    """Return a convolution of fp16 values in fp32.

    One product as `matmul_fp16` per element of the filter, in row-major order, added up pass by pass in fp32.

    Parameters
    ----------
    x : ndarray of float16, shape (height, width, channels)
    w : ndarray of float16, shape (rows, columns, channels, filters)
    vector_length : int
        Terms of an MXM pass.
    stride, padding : int

    Returns
    -------
    ndarray of float32, shape (out height, out width, filters)
    """
    parts = _parts(x, w, stride, padding)
    channels, filters = w.shape[2:]
    total: Float32 | None = None
    for part, weights in zip(parts.reshape(len(parts), -1, channels), w.reshape(-1, channels, filters), strict=True):
        for first in range(0, channels, vector_length):
            block = slice(first, first + vector_length)
            product = matmul_fp16(
                np.ascontiguousarray(part[:, block]), np.ascontiguousarray(weights[block]), vector_length
            )
            total = product if total is None else apply("ADD", total, product)
    assert total is not None
    return total.reshape(*parts.shape[1:3], filters)


def _parts(x: npt.NDArray[Any], w: npt.NDArray[Any], stride: int, padding: int) -> npt.NDArray[Any]:
    if x.ndim != 3 or w.ndim != 4 or x.shape[2] != w.shape[2]:
        raise TaktError(f"w must be (rows, columns, {x.shape[-1]}, filters) for x of shape {x.shape}, not {w.shape}")
    return windows(x, Window(height=w.shape[0], width=w.shape[1], stride=stride, padding=padding), 0)
