"""Lanes of views: which axis of a view is made of whole vectors of the tensor behind it, if any.

Graphs need not be of the complete interface: then results are used in whole vectors only. Drafts ask here, so that most
of them compile; the complete interface takes any view, and its drafts do not ask.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["lane_axis", "vector_of"]

Array = npt.NDArray[Any]


def vector_of(shape: tuple[int, ...], lanes: int, vector: int) -> tuple[Array, Array]:
    """Return, for each element of a tensor by its number, the vector that it lies in, and its lane."""
    elements = np.moveaxis(np.arange(int(np.prod(shape))).reshape(shape), lanes, -1)
    step, along = np.indices((elements.size // elements.shape[-1], elements.shape[-1])).reshape(2, -1)
    number, lane = np.empty(elements.size, np.int64), np.empty(elements.size, np.int64)
    flat = elements.reshape(-1)
    number[flat] = along // vector * (elements.size // elements.shape[-1]) + step
    lane[flat] = along % vector
    return number, lane


def lane_axis(elements: Array, shape: tuple[int, ...], lanes: int, vector: int) -> int | None:
    """Return the axis of a view, from the end, along which its vectors are those of the tensor.

    Parameters
    ----------
    elements : ndarray
        Numbers of elements of the tensor; -1 for zeros.
    shape, lanes
        Of the tensor.
    vector : int
        Vector length.

    Returns
    -------
    int or None
        The last axis of more than one element that fits; else the last one that fits at all.
    """
    number, lane = vector_of(shape, lanes, vector)
    fitting = [axis for axis in range(-1, -elements.ndim - 1, -1) if _fits(elements, axis, number, lane, vector)]
    return next((axis for axis in fitting if elements.shape[axis] > 1), next(iter(fitting), None))


def _fits(elements: Array, axis: int, number: Array, lane: Array, vector: int) -> bool:
    rows = np.moveaxis(elements, axis, -1).reshape(-1, elements.shape[axis])
    for first in range(0, rows.shape[1], vector):
        block = rows[:, first : first + vector]
        held = block >= 0
        if (held & (lane[block] != np.arange(block.shape[1]))).any():
            return False
        numbers = np.where(held, number[block], -1)
        if (held & (numbers != numbers.max(axis=1, keepdims=True))).any():
            return False
    return True
