"""Checks of what definitions are given."""

from typing import Any

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError


def check_product(a: npt.NDArray[Any], b: npt.NDArray[Any], dtype: npt.DTypeLike) -> None:
    """Raise TaktError unless `a` and `b` are matrices of a format that can be multiplied."""
    for name, matrix in (("a", a), ("b", b)):
        if matrix.dtype != dtype or matrix.ndim != 2:
            wanted = np.dtype(dtype).name
            article = "an" if wanted.startswith("i") else "a"
            raise TaktError(f"{name} must be {article} {wanted} matrix, not {matrix.dtype} of shape {matrix.shape}")
    if a.shape[1] != b.shape[0]:
        raise TaktError(f"b must have {a.shape[1]} rows, the columns of a, not {b.shape[0]}")
