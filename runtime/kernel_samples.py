"""Random arguments of every kernel."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Sample = dict[str, npt.NDArray[Any]]
"""Arguments of a kernel by name."""

__all__ = ["SAMPLES", "sample"]


def _floats(*names: str) -> Callable[[np.random.Generator, int, str], Sample]:
    def make(rng: np.random.Generator, size: int, dtype: str) -> Sample:
        found = {"x": _normal(rng, dtype, size, size)}
        for name in names:
            found[name] = _normal(rng, dtype, size, size) if name == "residual" else _normal(rng, "float32", size)
        return found

    return make


def _image(rng: np.random.Generator, size: int, dtype: str) -> Sample:
    return {"x": _normal(rng, dtype, 8, 7, size)}


def _gemm(rng: np.random.Generator, size: int, dtype: str) -> Sample:
    return {
        "x": _normal(rng, dtype, size, size),
        "w": _normal(rng, dtype, size, size),
        "bias": _normal(rng, "float32", size),
        "residual": _normal(rng, "float32", size, size),
    }


def _conv2d(rng: np.random.Generator, size: int, dtype: str) -> Sample:
    return {"x": _normal(rng, dtype, 8, 7, size), "w": _normal(rng, dtype, 3, 2, size, size)}


def _rope(rng: np.random.Generator, size: int, dtype: str) -> Sample:
    half = -(-size // 2)
    angles = rng.uniform(0, 6, (size, half))
    x = _normal(rng, dtype, size, 2 * half)
    return {"x": x, "cosine": np.cos(angles).astype(np.float32), "sine": np.sin(angles).astype(np.float32)}


def _lstm(rng: np.random.Generator, size: int, dtype: str) -> Sample:
    return {
        "x": _normal(rng, dtype, 3, size + 1),
        "w_x": _normal(rng, dtype, size + 1, 4 * size),
        "w_h": _normal(rng, dtype, size, 4 * size),
        "bias": _normal(rng, "float32", 4 * size),
    }


def _gru(rng: np.random.Generator, size: int, dtype: str) -> Sample:
    return {
        "x": _normal(rng, dtype, 3, size + 1),
        "w_x": _normal(rng, dtype, size + 1, 3 * size),
        "w_h": _normal(rng, dtype, size, 3 * size),
        "bias_x": _normal(rng, "float32", 3 * size),
        "bias_h": _normal(rng, "float32", 3 * size),
    }


def _attention(rng: np.random.Generator, size: int, dtype: str) -> Sample:
    return {name: _normal(rng, dtype, 1, size, size) for name in "qkv"}


def _block(rng: np.random.Generator, size: int, dtype: str) -> Sample:
    return {"x": _normal(rng, dtype, size, 2, size)}


def _embedding(rng: np.random.Generator, size: int, dtype: str) -> Sample:
    return {
        "table": _normal(rng, dtype, 2 * size, size),
        "indices": rng.integers(0, 2 * size, size).astype(np.int32),
    }


def _normal(rng: np.random.Generator, dtype: str, *shape: int) -> npt.NDArray[Any]:
    if dtype == "int8":
        return rng.integers(-128, 128, shape).astype(np.int8)
    return (rng.normal(size=shape) * 2).astype(dtype)


_FLOATS = ("float32", "float16")

SAMPLES: Mapping[str, tuple[Callable[[np.random.Generator, int, str], Sample], tuple[str, ...]]] = {
    "elementwise": (_floats("scale", "shift", "residual"), _FLOATS),
    "gelu": (_floats(), _FLOATS),
    "silu": (_floats(), _FLOATS),
    "sigmoid": (_floats(), _FLOATS),
    "softmax": (_floats(), _FLOATS),
    "layernorm": (_floats("gamma", "beta"), _FLOATS),
    "rmsnorm": (_floats("gamma"), _FLOATS),
    "maxpool": (_image, ("int8", *_FLOATS)),
    "avgpool": (_image, _FLOATS),
    "rope": (_rope, _FLOATS),
    "gemm": (_gemm, ("float16",)),
    "conv2d": (_conv2d, ("int8", "float16")),
    "lstm": (_lstm, ("float16",)),
    "gru": (_gru, ("float16",)),
    "attention": (_attention, ("float16",)),
    "transpose": (_block, ("int8", *_FLOATS)),
    "embedding": (_embedding, ("int8", *_FLOATS)),
}
"""By kernel: what makes its arguments for a size, and the formats of `x`."""


def sample(name: str, dtype: str, size: int, seed: int = 1) -> Sample:
    """Return random arguments of a kernel; most axes have `size` elements."""
    return SAMPLES[name][0](np.random.default_rng(seed), size, dtype)
