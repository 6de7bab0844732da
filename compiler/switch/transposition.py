"""Tensors with their axes in another order."""

from collections.abc import Iterator

import numpy as np

from arch.geometry import UnitKind
from compiler.switch.operation import Switch
from compiler.switch.passes import switch, tiles_transposed
from compiler.tensor import Elements, Tensor, View
from compiler.vector.lanes import BEYOND, Numbers, distinct
from compiler.vector.map_pass import Scope, operand_of
from compiler.vector.operation import Operand


def transposition(scope: Scope, name: str, view: View, axes: tuple[int, ...]) -> Iterator[Switch]:
    """Yield the operations that bring another axis into the lanes; the last one makes the result.

    A tensor is a batch of matrices, m x n, of the new and the old last axis. A TRANSPOSE stays within superlanes. So
    source vector l of a step has in superlane s the lanes-wide column block c of row ``vector_length * tile + lanes * s
    + l``, for one c. The host writes inputs and constants in this order; for results `_gathered` makes it.
    """
    config = scope.config
    vector, lanes = config.vector_length, config.lanes
    last, rest = len(axes) - 1, [axis for axis in axes[:-1] if axis != len(axes) - 1]
    shape = tuple(view.shape[axis] for axis in axes)
    m, n = view.shape[axes[-1]], view.shape[last]
    view = scope.settled(view, -1)
    matrices = view.elements.transpose(*rest, axes[-1], last).reshape(-1, m, n)
    columns, tiles, batch = -(-n // lanes), -(-m // vector), len(matrices)
    source = view.tensor
    if scope.stored(source) and config.superlanes > 1:
        ops = _gathered(scope, name, source, matrices)
        source = ops[-1].results[0].tensor
        wanted = np.arange(source.size, dtype=np.int32)
        yield from ops
    else:
        # Row and column of lane `lanes * s + j` of source l, step (tile, c); shape (tiles, columns, lanes, vector).
        s, j = np.divmod(np.arange(vector), lanes)
        row = vector * np.arange(tiles)[:, None, None, None] + lanes * s + np.arange(lanes)[:, None]
        column = lanes * np.arange(columns)[:, None, None] + j
        wanted = _elements(matrices, row, column)
    target = Tensor(name, shape, view.dtype)
    # Steps of the target's vectors, with n's axis last.
    steps = np.arange(batch * n).reshape(shape[:-1])
    steps = steps.transpose(*(axes.index(axis) for axis in [*rest, last])).reshape(batch, 1, n)
    number = np.arange(columns * lanes)
    found = np.where(number < n, steps[..., np.minimum(number, n - 1)], -1)
    results = np.where(found < 0, -1, found + batch * n * np.arange(tiles)[:, None])
    yield from tiles_transposed(scope, source, target, wanted.reshape(-1, lanes, vector), results.reshape(-1, lanes))


def _elements(matrices: Elements, row: Numbers, column: Numbers) -> Elements:
    """Return elements of all matrices, shape (batch, *shape of row and column); `BEYOND` beyond their ends."""
    m, n = matrices.shape[1:]
    found = matrices[:, np.minimum(row, m - 1), np.minimum(column, n - 1)]
    return np.where((row < m) & (column < n), found, BEYOND).astype(np.int32)


def _gathered(scope: Scope, name: str, tensor: Tensor, matrices: Elements) -> list[Switch]:
    """Return the operations that put blocks of rows of a result side by side, as `transposition` wants them.

    Per superlane s a PERMUTE brings block c of each row there, and a SELECT joins it to those of lower superlanes.
    """
    config = scope.config
    vector, lanes, superlanes = config.vector_length, config.lanes, config.superlanes
    batch, m, n = matrices.shape
    columns, tiles = -(-n // lanes), -(-m // vector)
    shape = (batch, tiles, columns, lanes, vector)
    every = np.arange(batch * tiles * columns * lanes)
    tile, c, lane = np.meshgrid(np.arange(tiles), np.arange(columns), np.arange(lanes), indexing="ij")
    column = (c // superlanes * vector)[..., None] + np.arange(vector)
    # The map of every step: which superlane it takes.
    block = np.broadcast_to(c % superlanes, shape[:-1]).reshape(-1)
    ops: list[Switch] = []
    joined: Tensor | None = None
    for s in range(superlanes):
        part = Tensor(f"{name}.part{s}", shape, tensor.dtype)
        row = (vector * tile + lanes * s + lane)[..., None]
        source = operand_of(scope, tensor, _elements(matrices, row, column).reshape(-1, vector))
        places = np.full((superlanes, vector), -1, np.int16)
        for number in range(superlanes):
            places[number, lanes * s : lanes * (s + 1)] = lanes * number + np.arange(lanes)
        table = scope.constant(f"{name}.map{s}", places)
        elements = np.arange(table.size, dtype=np.int32).reshape(table.shape)
        sources = [("src", source), ("map", Operand(table, *distinct(elements[block])))]
        ops.append(switch(scope, "PERMUTE", UnitKind.SXM_PERMUTE, sources, part, [every], streamed=1, register=0))
        if joined is not None:
            both = [("src", Operand(part, None, every)), ("low", Operand(joined, None, every))]
            part = Tensor(f"{name}.joined{s}", shape, tensor.dtype)
            ops.append(switch(scope, "SELECT", UnitKind.SXM_SHIFT, both, part, [every], amount=lanes * s))
        joined = part
    return ops
