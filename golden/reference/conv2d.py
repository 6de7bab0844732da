"""Convolution of one sequence or image, in groups, and channel by channel."""

from typing import Any

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError
from golden.reference.fp32 import Float16, Float32, apply, widened
from golden.reference.matmul import matmul_int32
from golden.reference.matmul_fp16 import matmul_fp16
from golden.reference.windows import Padding, PerAxis, Window, windows


def conv2d_int8(
    x: npt.NDArray[np.int8],
    w: npt.NDArray[np.int8],
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> npt.NDArray[np.int32]:
    """Return the int32 sums of a convolution (cross-correlation, as ONNX Conv); they wrap.

    Parameters
    ----------
    x : ndarray of int8, shape (..., channels)
        (height, width, channels) of an image, (length, channels) of a sequence.
    w : ndarray of int8, shape (taps per axis, channels / groups, filters)
    stride, dilation : int or sequence of int
    padding : int, or sequence of int or of (before, after)
    groups : int
        Share g of the filters sees share g of the channels.

    Returns
    -------
    ndarray of int32, shape (places along each axis, filters)
    """
    parts = _parts(x, w, stride, padding, dilation, groups)
    k = len(parts) * w.shape[-2]
    found = []
    for part, weights in _shares(parts, w, groups):
        rows = np.moveaxis(part, 0, -2).reshape(-1, k)
        found.append(matmul_int32(np.ascontiguousarray(rows), np.ascontiguousarray(weights.reshape(k, -1))))
    return np.concatenate(found, axis=-1).reshape(*parts.shape[1:-1], -1)


def conv2d_fp16(
    x: Float16,
    w: Float16,
    vector_length: int,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Float32:
    """Return a convolution of fp16 values in fp32.

    One product as `matmul_fp16` per element of the filter, in row-major order, added up pass by pass in fp32.

    Parameters
    ----------
    x : ndarray of float16, shape (..., channels)
    w : ndarray of float16, shape (taps per axis, channels / groups, filters)
    vector_length : int
        Terms of an MXM pass.
    stride, padding, dilation, groups
        As of `conv2d_int8`.

    Returns
    -------
    ndarray of float32, shape (places along each axis, filters)
    """
    parts = _parts(x, w, stride, padding, dilation, groups)
    found = [_group(part, weights, vector_length) for part, weights in _shares(parts, w, groups)]
    return np.concatenate(found, axis=-1).reshape(*parts.shape[1:-1], -1)


def depthwise_int8(
    x: npt.NDArray[np.int8],
    w: npt.NDArray[np.int8],
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
) -> npt.NDArray[np.int32]:
    """Return the int32 sums of a convolution of every channel with a filter of its own, w (taps per axis, channels)."""
    parts = windows(x, _window(w.shape[:-1], stride, padding, dilation), 0)
    products = parts.astype(np.int32) * w.reshape(len(parts), *(1 for _ in parts.shape[1:-1]), -1)
    total: npt.NDArray[np.int32] = products.sum(axis=0, dtype=np.int32)
    return total


def depthwise_fp16(x: Float16, w: Float16, stride: PerAxis = 1, padding: Padding = 0, dilation: PerAxis = 1) -> Float32:
    """Return a convolution of every channel with a filter of its own, w (taps per axis, channels), in fp32.

    Products are rounded, then added up in row-major order of the filter.
    """
    parts = windows(widened(x), _window(w.shape[:-1], stride, padding, dilation), 0)
    total: Float32 | None = None
    for part, weights in zip(parts, widened(w).reshape(len(parts), -1), strict=True):
        product = apply("MUL", part, weights)
        total = product if total is None else apply("ADD", total, product)
    assert total is not None
    return total


def _group(part: Float16, weights: Float16, vector_length: int) -> Float32:
    channels, filters = weights.shape[-2:]
    total: Float32 | None = None
    for rows, tap in zip(part.reshape(len(part), -1, channels), weights.reshape(-1, channels, filters), strict=True):
        for first in range(0, channels, vector_length):
            block = slice(first, first + vector_length)
            product = matmul_fp16(np.ascontiguousarray(rows[:, block]), np.ascontiguousarray(tap[block]), vector_length)
            total = product if total is None else apply("ADD", total, product)
    assert total is not None
    return total


def _window(sizes: tuple[int, ...], stride: PerAxis, padding: Padding, dilation: PerAxis) -> Window:
    return Window(sizes=sizes, strides=stride, padding=padding, dilation=dilation)


def _parts(
    x: npt.NDArray[Any], w: npt.NDArray[Any], stride: PerAxis, padding: Padding, dilation: PerAxis, groups: int
) -> npt.NDArray[Any]:
    if w.ndim != x.ndim + 1 or groups < 1 or x.shape[-1] != groups * w.shape[-2] or w.shape[-1] % groups:
        raise TaktError(
            f"w must be (taps per axis, channels / groups, filters) for x of shape {x.shape} in {groups} groups, "
            f"not {w.shape}"
        )
    return windows(x, _window(w.shape[:-2], stride, padding, dilation), 0)


def _shares(
    parts: npt.NDArray[Any], w: npt.NDArray[Any], groups: int
) -> list[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    return list(zip(np.split(parts, groups, axis=-1), np.split(w, groups, axis=-1), strict=True))
