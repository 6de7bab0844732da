"""Operands on which the costly functions are tried."""

import numpy as np
import numpy.typing as npt

from arch.functions.function import Function
from verif.vxm.vectors import FLOAT_CORNERS

__all__ = ["corners", "every_half", "spread"]

Bits = npt.NDArray[np.uint32]

_RANGES: dict[Function, tuple[float, float]] = {
    Function.EXP: (2.0**-26, 2.0**7),
    Function.TANH: (2.0**-14, 2.0**4),
    Function.RSQRT: (2.0**-149, 2.0**127),
    Function.RECIP: (2.0**-149, 2.0**127),
    Function.LOG: (2.0**-149, 2.0**127),
    Function.SIGMOID: (2.0**-26, 2.0**7),
}
"""Magnitudes between which a function is neither constant nor its operand."""

_EDGES: dict[Function, list[npt.NDArray[np.float64]]] = {
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


def every_half() -> Bits:
    """Return all 65,536 numbers of fp16 as fp32."""
    with np.errstate(invalid="ignore"):  # signalling NaNs
        return np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32).view(np.uint32)


def corners(function: Function) -> Bits:
    """Return both signs of the ends of segments and ranges, each with four neighbours, and the corners of fp32."""
    edges = np.abs(np.concatenate(_EDGES[function])).astype(np.float32).view(np.uint32).astype(np.int64)
    near = np.clip(edges[:, None] + np.arange(-2, 3), 0, 0x7F800000).ravel().astype(np.uint32)
    return np.unique(np.concatenate([FLOAT_CORNERS, near, near | 1 << 31]))


def spread(rng: np.random.Generator, function: Function, count: int) -> Bits:
    """Return numbers: a quarter any bits, the others with magnitudes where the function is not trivial.

    Of those, a third lie evenly by exponent, a third evenly by value below 128, a third near 1.
    """
    low, high = (int(np.float32(limit).view(np.uint32)) for limit in _RANGES[function])
    sign = rng.integers(0, 2, count, dtype=np.uint32) << 31
    kinds = [
        rng.integers(0, 1 << 32, count, dtype=np.uint32),
        rng.integers(low, high, count, dtype=np.uint32) | sign,
        rng.uniform(-128, 128, count).astype(np.float32).view(np.uint32),
        rng.integers(0x3F800000 - (1 << 24), 0x3F800000 + (1 << 24), count, dtype=np.uint32) | sign,
    ]
    return np.choose(rng.integers(0, len(kinds), count), kinds).astype(np.uint32)
