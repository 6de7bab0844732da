"""Elements of tensors in the lanes of vectors."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError
from compiler.ir.tensor import Elements, Tensor, View

Numbers = npt.NDArray[np.int64]

BEYOND = -2
"""Stands for a lane beyond the end of the lane axis, in which no element lies; -1 is an element that a view promises to
be zero. An operation sees the second, and must not let the first matter: see `compiler.declare.padding`."""


def vectors_along(elements: Elements, axis: int, vector: int) -> Elements:
    """Return the vectors of an array of elements, lanes along one axis.

    Parameters
    ----------
    elements : ndarray of int32
    axis : int
        The lane axis; it is cut into blocks of `vector`.
    vector : int
        Vector length.

    Returns
    -------
    ndarray of int32, shape (blocks * steps, vector)
        Blocks are slowest; lanes beyond the axis hold `BEYOND`.
    """
    last = np.moveaxis(elements, axis, -1)
    size = last.shape[-1]
    blocks = -(-size // vector)
    padded = np.full((*last.shape[:-1], blocks * vector), BEYOND, np.int32)
    padded[..., :size] = last
    by_block = np.moveaxis(padded.reshape(*last.shape[:-1], blocks, vector), -2, 0)
    return np.ascontiguousarray(by_block).reshape(-1, vector)


def vector_count(tensor: Tensor, vector: int) -> tuple[int, int]:
    """Return the blocks of a tensor, and its steps."""
    size = tensor.shape[tensor.lanes]
    return -(-size // vector), tensor.size // size


def place_of(tensor: Tensor, elements: Elements, vector: int) -> tuple[Numbers, Numbers]:
    """Return number of the vector and lane of elements (all at least 0) of a tensor in its own layout."""
    after = int(np.prod(tensor.shape[tensor.lanes + len(tensor.shape) + 1 :]))
    size = tensor.shape[tensor.lanes]
    number = elements.astype(np.int64)
    along = number // after % size
    step = number // (after * size) * after + number % after
    steps = vector_count(tensor, vector)[1]
    return along // vector * steps + step, along % vector


def lane_axis(view: View, vector: int, worst: Sequence[int] = ()) -> int:
    """Return the axis of a view, from the end, along which lanes run.

    The last axis along which neighbours stand in neighbouring lanes; without one, the last of size 1 or with one
    element among zeros, the `worst` axes only if there is no other.
    """
    rank = len(view.shape)
    # Lines through the first element: those at the edges of a padded view are zeros.
    first = np.unravel_index(np.argmax(view.elements >= 0), view.shape)
    single = []
    for axis in range(-1, -rank - 1, -1):
        line = view.elements[tuple(slice(None) if place == axis + rank else first[place] for place in range(rank))]
        held = np.flatnonzero(line >= 0)
        fits = bool((place_of(view.tensor, line[held], vector)[1] == held % vector).all())
        if fits and len(held) > 1:
            return axis
        if len(line) == 1 or (fits and len(held) == 1):
            single.append(axis)
    return min(single, key=lambda axis: axis in worst, default=-1)


def find_vectors(tensor: Tensor, wanted: Elements, vector: int) -> Numbers:
    """Return which vectors of a result hold the wanted elements lane by lane; -1 for vectors without any.

    Parameters
    ----------
    tensor : Tensor
    wanted : ndarray of int32, shape (n, vector)
        What the vector has in lanes of -1 or `BEYOND` beside elements is not looked at: `strays` tells.

    Raises
    ------
    TaktError
        When a wanted vector is none of the tensor's: `compiler.declare.rearrangement` makes it.
    """
    numbers, wrong = _matched(tensor, wanted, vector)
    if wrong:
        raise TaktError(
            f"{tensor.name} must be used as the whole vectors that it is made of (lanes along axis {tensor.lanes} of "
            f"{tensor.shape}), not with other elements in their lanes"
        )
    return numbers


def are_vectors(tensor: Tensor, wanted: Elements, vector: int) -> bool:
    """Return whether `find_vectors` finds the wanted elements."""
    return not _matched(tensor, wanted, vector)[1]


def _matched(tensor: Tensor, wanted: Elements, vector: int) -> tuple[Numbers, bool]:
    """Return the vectors of the first elements of each row, and whether any of them holds others in other lanes."""
    lane = (wanted >= 0).argmax(axis=1)
    first = wanted[np.arange(len(wanted)), lane]
    numbers, _ = place_of(tensor, np.maximum(first, 0), vector)
    numbers[first < 0] = -1
    held = vectors_along(np.arange(tensor.size, dtype=np.int32).reshape(tensor.shape), tensor.lanes, vector)
    return numbers, bool(((held[numbers] != wanted) & (wanted >= 0)).any())


class Pairs(NamedTuple):
    """Vectors of a tensor and wanted vectors that they have elements for.

    Attributes
    ----------
    wanted, numbers : ndarray of int64, shape (p,)
        Number of the wanted vector, ascending, and of the tensor's.
    maps : ndarray of int16, shape (p, vector)
        For every lane of the wanted vector, the lane of the tensor's vector whose element it has; -1 for none.
    """

    wanted: Numbers
    numbers: Numbers
    maps: npt.NDArray[np.int16]

    @property
    def stay(self) -> npt.NDArray[np.bool_]:
        """Whether all elements of each pair are in the lanes in which they are wanted, shape (p,)."""
        found: npt.NDArray[np.bool_] = ((self.maps < 0) | (self.maps == np.arange(self.maps.shape[1]))).all(axis=1)
        return found


def pairs_of(tensor: Tensor, wanted: Elements, vector: int) -> Pairs:
    """Return the pairs of a tensor's vectors and wanted ones, shape (n, vector)."""
    row, lane = np.nonzero(wanted >= 0)
    number, source = place_of(tensor, wanted[row, lane], vector)
    count = math.prod(vector_count(tensor, vector))
    keys, which = np.unique(row * count + number, return_inverse=True)
    maps = np.full((len(keys), vector), -1, np.int16)
    maps[which.reshape(-1), lane] = source
    return Pairs(*np.divmod(keys, count), maps)


class Strays(NamedTuple):
    """Contents of vectors of a result in lanes where no element of it is wanted.

    Attributes
    ----------
    elements_for_zeros, padding_for_zeros : bool
        Whether a lane that is to be zero holds another element, or padding (no element at all).
    elements_beyond, padding_beyond : bool
        The same of lanes beyond the end of the lane axis.
    """

    elements_for_zeros: bool = False
    padding_for_zeros: bool = False
    elements_beyond: bool = False
    padding_beyond: bool = False


def strays(tensor: Tensor, wanted: Elements, vector: int) -> Strays:
    """Return what else the vectors of a result hold that have the wanted elements; raises as `find_vectors`."""
    mixed = wanted[((wanted < 0).any(axis=1)) & ((wanted >= 0).any(axis=1))]
    if not len(mixed):
        return Strays()
    mixed = np.unique(mixed, axis=0) if len(mixed) > 1 else mixed
    numbers = find_vectors(tensor, mixed, vector)
    elements = np.arange(vector) < lengths(tensor, numbers, vector)[:, None]
    zeros, beyond = mixed == -1, mixed == BEYOND
    return Strays(
        bool((zeros & elements).any()),
        bool((zeros & ~elements).any()),
        bool((beyond & elements).any()),
        bool((beyond & ~elements).any()),
    )


def lengths(tensor: Tensor, numbers: Numbers, vector: int) -> Numbers:
    """Return how many lanes of some vectors of a tensor hold elements."""
    steps = vector_count(tensor, vector)[1]
    found: Numbers = np.minimum(tensor.shape[tensor.lanes] - numbers // steps * vector, vector)
    return found


def weight_vectors(view: View, vector: int) -> Numbers:
    """Return the vectors of a result that are the columns of a matrix, shape (K, N): by blocks of K, then columns."""
    return find_vectors(view.tensor, vectors_along(view.elements, -2, vector), vector)


def distinct(rows: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], Numbers]:
    """Return the different rows in order of first appearance, and the number of each row among them."""
    keys = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).reshape(-1)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rows[first[order]], rank[inverse.reshape(-1)]
