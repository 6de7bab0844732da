"""fp32 arithmetic of the machine on whole arrays, for definitions of kernels."""

from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError
from arch.formats import DType
from golden.vxm.alu import operate

Float16 = npt.NDArray[np.float16]
Float32 = npt.NDArray[np.float32]
Floats = npt.NDArray[Any]
"""float16 or float32."""

PARTIALS = 3
"""Interleaved partial results of a reduction over time: an ALU sees its own result three cycles later (timing.held)."""


def apply(mnemonic: str, a: npt.ArrayLike, b: npt.ArrayLike = 0.0) -> Float32:
    """Return an fp32 operation of the VXM on broadcast float32 arrays, element by element.

    Parameters
    ----------
    mnemonic : str
        A VXM instruction with fp32 operands and result.
    a, b : array_like of float32
    """
    left, right = np.broadcast_arrays(np.asarray(a, np.float32), np.asarray(b, np.float32))
    bits = operate(mnemonic, DType.FP32, DType.FP32, False, _bits(left), _bits(right))
    return np.asarray(bits, np.uint32).view(np.float32)


def widened(x: Floats) -> Float32:
    """Return float16 or float32 values as float32: a CVT of float16, whose NaNs become the canonical one."""
    if x.dtype == np.float32:
        return np.asarray(x, np.float32)
    if x.dtype != np.float16:
        raise TaktError(f"x must be float16 or float32, not {x.dtype}")
    patterns = _bits(x).astype(np.uint32)
    return operate("CVT", DType.FP16, DType.FP32, False, patterns, np.zeros_like(patterns)).view(np.float32)


def narrowed(x: Float32, dtype: npt.DTypeLike) -> Floats:
    """Return float32 values in float16 (CVT, nearest even) or float32."""
    if np.dtype(dtype) == np.float32:
        return x
    patterns = _bits(np.asarray(x, np.float32))
    halves = operate("CVT", DType.FP32, DType.FP16, False, patterns, np.zeros_like(patterns))
    return np.asarray(halves, np.uint16).view(np.float16)


def reduce_time(mnemonic: str, x: Float32, axis: int) -> Float32:
    """Return an fp32 reduction (ADD, MAX or MIN) along an axis that runs over time.

    Element i joins partial result ``i % PARTIALS`` in the order of i; then ``(p0 o p1) o p2``.

    Parameters
    ----------
    mnemonic : str
    x : ndarray of float32
    axis : int

    Returns
    -------
    ndarray of float32
        Without `axis`.
    """
    steps = np.moveaxis(x, axis, 0)
    partials = [
        reduce(lambda total, step: apply(mnemonic, step, total), part[1:], part[0])
        for part in (steps[first::PARTIALS] for first in range(min(PARTIALS, len(steps))))
    ]
    return reduce(lambda total, part: apply(mnemonic, total, part), partials)


def _bits(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the bit patterns of numbers, in their shape, be it that of a single number."""
    return np.ascontiguousarray(x).view(f"u{x.itemsize}").reshape(x.shape)
