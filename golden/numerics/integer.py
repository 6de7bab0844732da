"""Integer operations of the VXM, exact: no result is narrowed here."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from arch.formats import DType

Int64 = npt.NDArray[np.int64]

_SHIFT_MASK = 31
"""Shift counts are taken modulo 32."""


def _shrl(a: Int64, b: Int64, dtype: DType) -> Int64:
    return (a & ((1 << (8 * dtype.size)) - 1)) >> (b & _SHIFT_MASK)


EXACT: Mapping[str, Callable[[Int64, Int64, DType], Int64]] = {
    "PASS": lambda a, b, dtype: a,
    "ADD": lambda a, b, dtype: a + b,
    "SUB": lambda a, b, dtype: a - b,
    "MUL": lambda a, b, dtype: a * b,
    "MAX": lambda a, b, dtype: np.maximum(a, b),
    "MIN": lambda a, b, dtype: np.minimum(a, b),
    "SHL": lambda a, b, dtype: a << (b & _SHIFT_MASK),
    "SHR": lambda a, b, dtype: a >> (b & _SHIFT_MASK),
    "SHRL": _shrl,
    "RELU": lambda a, b, dtype: np.maximum(a, 0),
    "AND": lambda a, b, dtype: a & b,
    "OR": lambda a, b, dtype: a | b,
    "XOR": lambda a, b, dtype: a ^ b,
    "NOT": lambda a, b, dtype: ~a,
}
"""By mnemonic: ``EXACT[m](a, b, dtype)`` on int64 arrays that hold numbers of `dtype` (at most 32 bits), so that no
result, the 62-bit products and left shifts included, can overflow."""
