"""Matrices with rows and columns exchanged."""

from collections.abc import Iterator

import numpy as np

from arch.geometry import UnitKind
from compiler.switch.operation import Switch
from compiler.switch.passes import operand_of, switch, tiles_transposed
from compiler.tensor import Elements, Tensor, View, as_view
from compiler.vector.lanes import distinct
from compiler.vector.map_pass import Scope
from compiler.vector.operation import Operand


def transposition(scope: Scope, name: str, view: View) -> Iterator[Switch]:
    """Yield the operations that transpose a matrix; the last one makes the result.

    A TRANSPOSE stays within superlanes. So source vector l of a step has in superlane s the lanes-wide column block c
    of row ``vector_length * tile + lanes * s + l``, for one c. The host writes inputs and constants in this order; for
    results `_gathered` makes it.
    """
    config = scope.config
    vector, lanes = config.vector_length, config.lanes
    m, n = view.shape
    columns = -(-n // lanes)
    tiles = -(-m // vector)
    # Row and column of lane `lanes * s + j` of source l, step (tile, c); shape (tiles, columns, lanes, vector).
    s, j = np.divmod(np.arange(vector), lanes)
    row = vector * np.arange(tiles)[:, None, None, None] + lanes * s + np.arange(lanes)[:, None]
    column = lanes * np.arange(columns)[:, None, None] + j
    inside = (row < m) & (column < n)
    wanted = np.where(inside, view.elements[np.minimum(row, m - 1), np.minimum(column, n - 1)], -1).astype(np.int32)
    source = view.tensor
    if scope.stored(source) and config.superlanes > 1:
        ops = _gathered(scope, name, view)
        source = ops[-1].results[0].tensor
        wanted = as_view(source).elements
        yield from ops
    target = Tensor(name, (n, m), view.dtype)
    number = lanes * np.arange(columns)[:, None] + np.arange(lanes)
    results = np.where(number < n, n * np.arange(tiles)[:, None, None] + number, -1)
    yield tiles_transposed(scope, source, target, wanted.reshape(-1, lanes, vector), results.reshape(-1, lanes))


def _gathered(scope: Scope, name: str, view: View) -> list[Switch]:
    """Return the operations that put blocks of rows of a result side by side, as `transposition` wants them.

    Per superlane s a PERMUTE brings block c of each row there, and a SELECT joins it to those of lower superlanes.
    """
    config = scope.config
    vector, lanes, superlanes = config.vector_length, config.lanes, config.superlanes
    m, n = view.shape
    columns, tiles = -(-n // lanes), -(-m // vector)
    shape = (tiles, columns, lanes, vector)
    every = np.arange(tiles * columns * lanes)
    tile, c, lane = (axis.reshape(-1) for axis in np.meshgrid(*map(np.arange, shape[:3]), indexing="ij"))
    ops: list[Switch] = []
    joined: Tensor | None = None
    for s in range(superlanes):
        row = vector * tile + lanes * s + lane
        part = Tensor(f"{name}.part{s}", shape, view.dtype)
        source = operand_of(scope, view.tensor, _blocks(view, row, c // superlanes, vector))
        places = np.full((superlanes, vector), -1, np.int16)
        for block in range(superlanes):
            places[block, lanes * s : lanes * (s + 1)] = lanes * block + np.arange(lanes)
        table = scope.constant(f"{name}.map{s}", places)
        elements = np.arange(table.size, dtype=np.int32).reshape(table.shape)
        sources = [("src", source), ("map", Operand(table, *distinct(elements[c % superlanes])))]
        ops.append(
            switch(scope, "PERMUTE", UnitKind.SXM_PERMUTE, sources, part, [every], streamed=1, register=0)
        )
        if joined is not None:
            both = [("src", Operand(part, None, every)), ("low", Operand(joined, None, every))]
            part = Tensor(f"{name}.joined{s}", shape, view.dtype)
            ops.append(switch(scope, "SELECT", UnitKind.SXM_SHIFT, both, part, [every], amount=lanes * s))
        joined = part
    return ops


def _blocks(view: View, row: np.ndarray, block: np.ndarray, vector: int) -> Elements:
    """Return whole vectors of a matrix by row and block; rows beyond its end are zeros."""
    m, n = view.shape
    column = block[:, None] * vector + np.arange(vector)
    inside = (row[:, None] < m) & (column < n)
    found = view.elements[np.minimum(row[:, None], m - 1), np.minimum(column, n - 1)]
    return np.where(inside, found, -1).astype(np.int32)
