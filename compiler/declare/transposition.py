"""Tensors with their axes in another order."""

from collections.abc import Iterator

import numpy as np

from arch.geometry import UnitKind
from compiler.declare.map_pass import Scope, operand_of, replace_stored
from compiler.declare.rearrangement import rearrangement
from compiler.declare.switch_pass import switch, tiles_transposed
from compiler.ir.lanes import BEYOND, Numbers, distinct
from compiler.ir.operation import Operation
from compiler.ir.switch import Switch
from compiler.ir.tensor import Elements, Tensor, View
from compiler.ir.vector import Operand

_FEW_SUPERLANES = 2
"""Of which a PERMUTE each is no more than the two that an exchange takes."""


def transposition(scope: Scope, name: str, view: View, axes: tuple[int, ...]) -> Iterator[Operation]:
    """Yield the operations that bring another axis into the lanes; the last one makes the result.

    A tensor is a batch of matrices, m x n, of the new and the old last axis. A TRANSPOSE stays within superlanes. So
    source vector l of a step has in superlane s the lanes-wide column block c of row ``vector_length * tile + lanes * s
    + l``, for one c. The host writes inputs and constants in this order; for results
    `_selected` or `_exchanged` makes it.
    """
    config = scope.config
    vector, lanes = config.vector_length, config.lanes
    last, rest = len(axes) - 1, [axis for axis in axes[:-1] if axis != len(axes) - 1]
    shape = tuple(view.shape[axis] for axis in axes)
    m, n = view.shape[axes[-1]], view.shape[last]
    view = scope.settled(view, -1)
    matrices = view.elements.transpose(*rest, axes[-1], last).reshape(-1, m, n)
    columns, tiles, batch = -(-n // lanes), -(-m // vector), len(matrices)
    # Row and column of lane `lanes * s + j` of source l, step (tile, c); shape (tiles, columns, lanes, vector).
    s, j = np.divmod(np.arange(vector), lanes)
    row = vector * np.arange(tiles)[:, None, None, None] + lanes * s + np.arange(lanes)[:, None]
    column = lanes * np.arange(columns)[:, None, None] + j
    wanted = _elements(matrices, row, column)
    source = view.tensor
    if scope.stored(source) and config.superlanes > 1:
        exchange = _selected if config.superlanes <= _FEW_SUPERLANES else _exchanged
        ops = exchange(scope, name, source, matrices)
        (source,) = ops[-1].writes()
        yield from ops
        wanted = np.arange(source.size, dtype=np.int32)
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


def _exchanged(scope: Scope, name: str, tensor: Tensor, matrices: Elements) -> list[Operation]:
    """Return the operations that put blocks of rows of a result side by side, as `transposition` wants them.

    Block c of a row of superlane s has to come to superlane s. Rows are rotated by s superlanes, so that block c lies
    in superlane s + c; then the vector of blocks c has all of them in lanes of their own, and is put together without
    leaving them; at last it is rotated back by c. An element moves twice, however many superlanes there are.
    """
    config = scope.config
    vector, lanes, superlanes = config.vector_length, config.lanes, config.superlanes
    batch, m, n = matrices.shape
    columns, tiles, blocks = -(-n // lanes), -(-m // vector), -(-n // vector)
    lane = np.arange(vector)
    turned = Tensor(f"{name}.turned", (batch * m * blocks, vector), tensor.dtype)
    row = np.arange(m)[:, None, None]
    column = vector * np.arange(blocks)[:, None] + (lane - lanes * (row // lanes)) % vector
    ops = rearrangement(scope, [(tensor, _elements(matrices, row, column).reshape(-1, vector))], turned)
    # Rows, of those just made, that lanes of the vector of blocks c take.
    c = np.arange(columns)[:, None, None]
    row = vector * np.arange(tiles)[:, None, None, None] + np.arange(lanes)[:, None]
    row = row + lanes * ((lane // lanes - c) % superlanes)
    found = ((np.arange(batch)[:, None, None, None, None] * m + row) * blocks + c // superlanes) * vector + lane
    wanted = np.where(row < m, found, BEYOND).astype(np.int32).reshape(-1, vector)
    mixed = Tensor(f"{name}.mixed", (len(wanted), vector), tensor.dtype)
    inner = replace_stored(scope, turned, mixed)
    ops += rearrangement(inner, [(turned, wanted)], mixed)
    shape = batch, tiles, columns, lanes, vector
    places = np.arange(mixed.size, dtype=np.int32).reshape(shape)
    back = np.take_along_axis(places, np.broadcast_to((lane + lanes * c) % vector, shape), -1)
    ready = Tensor(f"{name}.exchanged", shape, tensor.dtype)
    return [*ops, *rearrangement(inner, [(mixed, back.reshape(-1, vector))], ready)]


def _selected(scope: Scope, name: str, tensor: Tensor, matrices: Elements) -> list[Switch]:
    """Return the operations that put blocks of rows of a result side by side, as `transposition` wants them.

    Per superlane s a PERMUTE brings block c of each row there, and a SELECT joins it to those of lower superlanes: of
    two superlanes, no more than `_exchanged` takes, and without the VXM.
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
        table = scope.shared("lane maps", places)
        elements = np.arange(table.size, dtype=np.int32).reshape(table.shape)
        sources = [("src", source), ("map", Operand(table, *distinct(elements[block])))]
        ops.append(switch(scope, "PERMUTE", UnitKind.SXM_PERMUTE, sources, part, [every], streamed=1, register=0))
        if joined is not None:
            both = [("src", Operand(part, None, every)), ("low", Operand(joined, None, every))]
            part = Tensor(f"{name}.joined{s}", shape, tensor.dtype)
            ops.append(switch(scope, "SELECT", UnitKind.SXM_SHIFT, both, part, [every], amount=lanes * s))
        joined = part
    return ops
