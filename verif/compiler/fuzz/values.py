"""Numbers of inputs, constants and first states, from a seed."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["numbers"]

Array = npt.NDArray[Any]

_EDGES = (0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 6e-8, -6e-5, 65504.0, -65504.0, 88.0, -88.0)
"""Floats at which functions turn; all of them are float16 numbers, or round to one."""


def numbers(
    seed: int,
    shape: tuple[int, ...],
    dtype: str,
    run: int = 0,
    low: int | None = None,
    high: int | None = None,
    edges: bool = False,
) -> Array:
    """Return random numbers.

    Parameters
    ----------
    seed : int
    shape : tuple of int
    dtype : str
        A format of the machine.
    run : int
        Inputs have other numbers in each run.
    low, high : int, optional
        Numbers from `low` up, below `high`. Without them: from -6 to 6, floats in halves, every third one a zero, so
        that what a lane without an element holds, or a zero that a view promises, shows if it ever matters.
    edges : bool
        A quarter of them are the format's extremes instead: infinities and NaN, zeros of both signs, the greatest.
    """
    rng = np.random.default_rng([seed, run])
    kind = np.dtype(dtype)
    if low is not None and high is not None:
        found = rng.integers(low, high, shape) if kind.kind == "i" else rng.uniform(low, high, shape)
        return np.asarray(found).astype(kind)
    small = rng.integers(-6, 7, shape) * (rng.random(shape) < 2 / 3)
    found = small.astype(kind) if kind.kind == "i" else (small / 2).astype(kind)
    if edges:
        info = np.iinfo(kind) if kind.kind == "i" else None
        extremes = np.array([info.min, info.max, -1, 0] if info else _EDGES).astype(kind)
        found = np.where(rng.random(shape) < 1 / 4, rng.choice(extremes, shape), found).astype(kind)
    return found
