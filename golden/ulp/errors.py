"""Errors of results against float64."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from arch.formats import CANONICAL_NAN
from golden.numerics.functions import FUNCTIONS

__all__ = ["errors"]

Bits = npt.NDArray[np.uint32]
Float64 = npt.NDArray[np.float64]


def _sigmoid(x: Float64) -> Float64:
    power = np.exp(-np.abs(x))
    return np.where(np.signbit(x), power / (1 + power), 1 / (1 + power))


_REFERENCE: Mapping[str, Callable[[Float64], Float64]] = {
    "EXP": np.exp,
    "TANH": np.tanh,
    "RSQRT": lambda x: 1 / np.sqrt(x),
    "RECIP": lambda x: 1 / x,
    "LOG": np.log,
    "SIGMOID": _sigmoid,
}
"""NumPy's float64 functions: wrong by a few 2**-53, which is 2**-27 of a unit in the last place of fp32 or less."""


def errors(mnemonic: str, operands: Bits, results: Bits | None = None) -> Float64:
    """Return the error of every result in units of the last place of fp32.

    The unit is the distance of the fp32 numbers in the binade of the true value, ``2**-149`` below ``2**-126``.

    Parameters
    ----------
    mnemonic : str
        EXP, TANH, RSQRT, RECIP, LOG or SIGMOID.
    operands : ndarray of uint32
        fp32 patterns.
    results : ndarray of uint32, optional
        fp32 patterns; the golden model's if not given.

    Returns
    -------
    ndarray of float64
        Infinite where a result has the wrong sign, where one of truth and result is an infinity or a NaN and the other
        is not (a true value that rounds to infinity is one), and where a NaN is not the canonical one.
    """
    got = FUNCTIONS[mnemonic](operands) if results is None else results
    with np.errstate(all="ignore"):
        true = _REFERENCE[mnemonic](operands.view(np.float32).astype(np.float64))
        nearest = true.astype(np.float32)
        exponent = np.frexp(true)[1] - 1
        unit = np.ldexp(1.0, np.maximum(exponent, -126) - 23)
        error = np.abs(got.view(np.float32).astype(np.float64) - true) / unit
    exact = np.where(np.isnan(nearest), np.uint32(CANONICAL_NAN), nearest.view(np.uint32))
    finite = np.isfinite(nearest) & np.isfinite(got.view(np.float32)) & (np.signbit(true) == (got >> 31 == 1))
    return np.where(finite, error, np.where(got == exact, 0.0, np.inf))
