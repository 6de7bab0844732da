"""Maps from MEM words to tensors: which byte each word holds in each lane."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.image import TensorMap
from compiler.ir.lanes import vectors_along
from compiler.ir.tensor import Tensor, View
from compiler.memory.words import Numbers


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


def vectors_of(config: Config, tensor: Tensor, words: MapWords) -> npt.NDArray[np.int64]:
    """Return the tensor's own vector in each word, shape (n,); of words without any element an arbitrary one."""
    rows = vectors_along(
        np.arange(tensor.size, dtype=np.int32).reshape(tensor.shape), tensor.lanes, config.vector_length
    )
    vectors = np.zeros(tensor.size, np.int64)
    vectors[rows[rows >= 0]] = np.nonzero(rows >= 0)[0]
    elements: npt.NDArray[np.int32] = np.maximum(words.bytes.max(axis=1), 0) // tensor.itemsize
    return vectors[elements]


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
    return map_words(slices[held], addrs[held], index[held])


def map_words(slices: Numbers, addrs: Numbers, index: npt.NDArray[np.int64]) -> MapWords:
    """Return words of any shape, (..., vector_length) of them in `index`, as a flat list."""
    return MapWords(
        slices.reshape(-1).astype(np.int32),
        addrs.reshape(-1).astype(np.int32),
        index.reshape(-1, index.shape[-1]).astype(np.int32),
    )
