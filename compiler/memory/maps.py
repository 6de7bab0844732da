"""Maps from MEM words to tensors: which byte each word holds in each lane."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.image import TensorMap
from compiler.kernels.plan import Feeder
from compiler.memory.words import Numbers
from compiler.operation import MatMul
from compiler.tensor import Tensor, View, as_view


class MapWords(NamedTuple):
    """MEM words of (part of) a tensor: slices, addrs and index as in `arch.image.TensorMap`."""

    slices: Numbers
    addrs: Numbers
    bytes: Numbers


def tensor_map(tensor: Tensor, parts: list[MapWords]) -> TensorMap:
    """Return the map of a tensor that consists of all of `parts`."""
    slices, addrs, index = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return TensorMap(tensor.name, tensor.dtype, tensor.shape, slices, addrs, index)


def empty_map(config: Config, tensor: Tensor) -> TensorMap:
    """Return the map of a tensor of which MEM holds nothing."""
    none = np.zeros(0, np.int32)
    return TensorMap(tensor.name, tensor.dtype, tensor.shape, none, none, none.reshape(0, config.vector_length))


def view_map(name: str, view: View, parts: list[MapWords]) -> TensorMap:
    """Return the map of an arrangement of a tensor, each element at most once, that consists of all of `parts`."""
    slices, addrs, index = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    places = np.full(view.tensor.size, -1, np.int32)
    flat = view.elements.reshape(-1)
    places[flat] = np.arange(len(flat), dtype=np.int32)
    size = view.itemsize
    element, byte = np.divmod(index, size)
    place = places[np.maximum(element, 0)]
    moved = np.where((index < 0) | (place < 0), -1, place * size + byte).astype(np.int32)
    held = (moved >= 0).any(axis=1)
    return TensorMap(name, view.dtype, view.shape, slices[held], addrs[held], moved[held])


def element_words(elements: npt.NDArray[np.int32], slices: Numbers, addrs: Numbers) -> MapWords:
    """Return the words of vectors, one per byte of an element.

    Parameters
    ----------
    elements : ndarray of int32, shape (n, vector_length)
        Element in each lane, or -1.
    slices, addrs : ndarray, shape (bytes, n)
        Slice -1: there is no such word.
    """
    size = len(slices)
    index = np.where(elements < 0, -1, elements * size + np.arange(size)[:, None, None])
    held = slices >= 0
    return _words(slices[held], addrs[held], index[held])


def weight_words(op: MatMul, feeder: Feeder, slices: Numbers, addrs: Numbers) -> MapWords:
    """Return the words of the weights: a word is a byte of part of a column, in the order in which planes load them."""
    lanes, vector = op.config.lanes, op.config.vector_length
    elements = as_view(op.w).elements
    found = []
    for way in range(feeder.ways):
        tiles: list[tuple[int, int, int]] = []
        for group in feeder.groups:
            loads = feeder.loads(op, group)[way]
            # A way with less to load than others waits for them: columns beyond the end, of which nothing is taken.
            rest = feeder.load_steps(op, group) - sum(load.steps for load in loads)
            for k_block in range(op.k_blocks):
                tiles += [
                    (k_block, load.block * vector + lanes * column_block, load.byte)
                    for load in loads
                    for column_block in reversed(range(load.steps))
                ]
                tiles += [(k_block, op.n, 0)] * rest
        k_blocks, columns, byte = np.array(tiles).T[:, None, :, None]
        column = columns + np.arange(lanes)[:, None, None]
        row = k_blocks * vector + np.arange(vector)
        inside = (row < op.k) & (column < op.n)
        element = elements[np.minimum(row, op.k - 1), np.minimum(column, op.n - 1)]
        found.append(np.where(inside & (element >= 0), element * op.w.itemsize + byte, -1))
    return _words(slices, addrs, np.concatenate(found))


def _words(slices: Numbers, addrs: Numbers, index: npt.NDArray[np.int64]) -> MapWords:
    return MapWords(
        slices.reshape(-1).astype(np.int32),
        addrs.reshape(-1).astype(np.int32),
        index.reshape(-1, index.shape[-1]).astype(np.int32),
    )
