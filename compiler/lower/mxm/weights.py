"""Weights that the host writes, in the order in which planes load them."""

import numpy as np

from compiler.ir.matmul import MatMul
from compiler.ir.tensor import as_view
from compiler.lower.mxm.plan import Feeder
from compiler.memory.maps import MapWords, map_words
from compiler.memory.words import Numbers


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
            for tile in range(feeder.tiles(op)):
                tiles += [
                    (tile * feeder.parts + load.part, load.block * vector + lanes * column_block, load.byte)
                    for load in loads
                    for column_block in reversed(range(load.steps))
                ]
                tiles += [(tile, op.n, 0)] * rest
        k_blocks, columns, byte = np.array(tiles).T[:, None, :, None]
        column = columns + np.arange(lanes)[:, None, None]
        row = k_blocks * vector + np.arange(vector)
        inside = (row < op.k) & (column < op.n)
        element = elements[np.minimum(row, op.k - 1), np.minimum(column, op.n - 1)]
        found.append(np.where(inside & (element >= 0), element * op.w.itemsize + byte, -1))
    return map_words(slices, addrs, np.concatenate(found))
