"""Kernels that move elements and compute nothing."""

from typing import Any

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError


def transpose(x: npt.NDArray[Any], axes: tuple[int, ...] | None = None) -> npt.NDArray[Any]:
    """Return `x` with its axes in another order (reversed by default), C-contiguous."""
    if axes is not None and sorted(axes) != list(range(x.ndim)):
        raise TaktError(f"axes must be a permutation of 0 to {x.ndim - 1}, not {axes!r}")
    return np.ascontiguousarray(np.transpose(x, axes))


def embedding(table: npt.NDArray[Any], indices: npt.NDArray[np.int32]) -> npt.NDArray[Any]:
    """Return rows of a table.

    Parameters
    ----------
    table : ndarray, shape (rows, n)
    indices : ndarray of int32, shape (m,)

    Returns
    -------
    ndarray, shape (m, n)

    Raises
    ------
    TaktError
        For an index that names no row.
    """
    wrong = indices[(indices < 0) | (indices >= len(table))]
    if wrong.size:
        raise TaktError(f"index must be 0 to {len(table) - 1}, not {int(wrong.flat[0])}")
    return table[indices]
