"""Which byte of a tensor each MEM word holds in each lane."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arch.image import TensorMap
from compiler.operation import MatMul
from compiler.placement.layout import Layout, Numbers
from compiler.tensor import Tensor


class Words(NamedTuple):
    """MEM words of (part of) a tensor: slices, addrs and index as in `arch.image.TensorMap`."""

    slices: Numbers
    addrs: Numbers
    bytes: Numbers


def tensor_map(tensor: Tensor, parts: list[Words]) -> TensorMap:
    """Return the map of a tensor that consists of all of `parts`."""
    slices, addrs, index = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return TensorMap(tensor.name, tensor.dtype, tensor.shape, slices, addrs, index)


def activation_words(op: MatMul, layout: Layout) -> Words:
    """Return the words of the activations of one layout."""
    return _matrix_words(layout.slices, layout.addrs, op.m, op.k, op.config.vector_length)


def result_words(op: MatMul, layouts: list[Layout]) -> Words:
    """Return the words of a result, each from the first layout that has it."""
    slices, addrs = layouts[0].slices.copy(), layouts[0].addrs.copy()
    for layout in layouts[1:]:
        missing = slices < 0
        slices[missing], addrs[missing] = layout.slices[missing], layout.addrs[missing]
    return _matrix_words(slices, addrs, op.m, op.n, op.config.vector_length)


def weight_words(op: MatMul, groups: tuple[tuple[int, ...], ...], slices: Numbers, addrs: Numbers) -> Words:
    """Return the words of the weights: a word is part of a column, in the order in which planes load them."""
    lanes, vector = op.config.lanes, op.config.vector_length
    tiles = [
        (k_block, n_block * vector + lanes * column_block)
        for group in groups
        for k_block in range(op.k_blocks)
        for n_block in group
        for column_block in reversed(range(op.load_steps(n_block)))
    ]
    k_blocks, columns = np.array(tiles).T
    column = columns[None, :, None] + np.arange(lanes)[:, None, None]
    row = k_blocks[None, :, None] * vector + np.arange(vector)[None, None, :]
    index = np.where((row < op.k) & (column < op.n), row * op.n + column, -1)
    return _words(slices, addrs, index)


def constant_words(op: MatMul, slices: Numbers, addrs: Numbers) -> Words:
    """Return the words of a vector of 32-bit elements over the columns: byte planes by blocks."""
    vector = op.config.vector_length
    column = np.arange(op.n_blocks)[None, :, None] * vector + np.arange(vector)[None, None, :]
    index = np.where(column < op.n, column * 4 + np.arange(4)[:, None, None], -1)
    return _words(slices, addrs, index)


def _matrix_words(slices: Numbers, addrs: Numbers, rows: int, columns: int, vector: int) -> Words:
    size = len(slices)
    held = np.argwhere(slices >= 0)
    byte, block, row = (axis[:, None] for axis in held.T)
    column = block * vector + np.arange(vector)
    index = np.where(column < columns, (row * columns + column) * size + byte, -1)
    return _words(slices[slices >= 0], addrs[slices >= 0], index)


def _words(slices: Numbers, addrs: Numbers, index: npt.NDArray[np.int64]) -> Words:
    return Words(
        slices.reshape(-1).astype(np.int32),
        addrs.reshape(-1).astype(np.int32),
        index.reshape(-1, index.shape[-1]).astype(np.int32),
    )
