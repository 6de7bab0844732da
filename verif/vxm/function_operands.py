"""Operands at which a costly function changes."""

import numpy as np
import numpy.typing as npt

from arch.functions.function import Function
from verif.vxm.vectors import FLOAT_CORNERS

__all__ = ["corners"]

Bits = npt.NDArray[np.uint32]

_EDGES: dict[Function, list[npt.NDArray[np.floating]]] = {
    Function.EXP: [
        np.arange(-150 * 32, 129 * 32) / 32 * np.log(2),
        np.array([88.72283, 88.72284, -87.33654, -103.27892, -103.97207, -103.97208, 104, 128]),
    ],
    Function.TANH: [np.arange(2 * 320 + 2) / 32],
    Function.RSQRT: [1 + np.arange(32) / 32, 2 + np.arange(32) / 16, 2.0 ** np.arange(-149, 128)],
    Function.RECIP: [1 + np.arange(64) / 64, 2.0 ** np.arange(-149, 128), 2.0**-128 * np.array([1, 1 + 2**-21])],
    Function.LOG: [1 + np.arange(64) / 64, 0.5 + np.arange(64) / 128, 2.0 ** np.arange(-149, 128)],
    Function.SIGMOID: [
        np.arange(2 * 320) / 16,
        np.arange(20 * 32, 150 * 32) / 32 * np.log(2),
        np.array([103.27892, 103.97207, 103.97208, 104, 128]),
    ],
}


def corners(function: Function) -> Bits:
    """Return both signs of the ends of segments and ranges, each with four neighbours, and the corners of fp32."""
    edges = np.abs(np.concatenate(_EDGES[function])).astype(np.float32).view(np.uint32).astype(np.int64)
    near = np.clip(edges[:, None] + np.arange(-2, 3), 0, 0x7F800000).ravel().astype(np.uint32)
    return np.unique(np.concatenate([FLOAT_CORNERS, near, near | 1 << 31]))
