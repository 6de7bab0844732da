"""Elements of tensors in the lanes of vectors."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError
from compiler.tensor import Elements, Tensor, View

Numbers = npt.NDArray[np.int64]


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
        Blocks are slowest; lanes beyond the axis hold -1.
    """
    last = np.moveaxis(elements, axis, -1)
    size = last.shape[-1]
    blocks = -(-size // vector)
    padded = np.full((*last.shape[:-1], blocks * vector), -1, np.int32)
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

    The last axis along which neighbours stand in neighbouring lanes; without one, the last of size 1, the `worst` axes
    only if there is no other.
    """
    rank = len(view.shape)
    for axis in range(-1, -rank - 1, -1):
        line = view.elements[tuple(slice(None) if place == axis + rank else 0 for place in range(rank))]
        if len(line) > 1 and (line >= 0).all():
            lanes = place_of(view.tensor, line, vector)[1]
            if (lanes == np.arange(len(line)) % vector).all():
                return axis
    single = [axis for axis in range(-1, -rank - 1, -1) if view.shape[axis] == 1]
    return min(single, key=lambda axis: axis in worst, default=-1)


def find_vectors(tensor: Tensor, wanted: Elements, vector: int) -> Numbers:
    """Return which vectors of a result hold the wanted elements lane by lane; -1 for vectors of zeros.

    Parameters
    ----------
    tensor : Tensor
    wanted : ndarray of int32, shape (n, vector)
        -1 for lanes that do not matter, or for whole vectors of zeros.

    Raises
    ------
    TaktError
        When a wanted vector is none of the tensor's.
    """
    lane = (wanted >= 0).argmax(axis=1)
    first = wanted[np.arange(len(wanted)), lane]
    numbers, _ = place_of(tensor, np.maximum(first, 0), vector)
    numbers[first < 0] = -1
    held = vectors_along(np.arange(tensor.size, dtype=np.int32).reshape(tensor.shape), tensor.lanes, vector)
    wrong = ((held[numbers] != wanted) & (wanted >= 0)).any(axis=1)
    if wrong.any():
        raise TaktError(
            f"{tensor.name} must be used as the whole vectors that it is made of (lanes along axis {tensor.lanes} of "
            f"{tensor.shape}), not with other elements in their lanes; transpose or permute it first"
        )
    return numbers


def weight_vectors(view: View, vector: int) -> Numbers:
    """Return the vectors of a result that are the columns of a matrix, shape (K, N): by blocks of K, then columns."""
    return find_vectors(view.tensor, vectors_along(view.elements, -2, vector), vector)


def distinct(rows: Elements) -> tuple[Elements, Numbers]:
    """Return the different rows in order of first appearance, and the number of each row among them."""
    keys = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).reshape(-1)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rows[first[order]], rank[inverse.reshape(-1)]
