"""Switch operations of tensors."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from arch.errors import TaktError
from arch.geometry import UnitKind
from compiler.arguments import integer
from compiler.declare.map_pass import Scope, operand_of
from compiler.declare.padding import Need
from compiler.ir.lanes import Numbers, vectors_along
from compiler.ir.switch import Switch
from compiler.ir.tensor import Elements, Tensor, View
from compiler.ir.vector import Operand, Result


def switch(
    scope: Scope,
    mnemonic: str,
    kind: UnitKind,
    sources: Sequence[tuple[str, Operand]],
    target: Tensor,
    results: Sequence[Numbers],
    loaded: int | None = None,
    **fields: int,
) -> Switch:
    """Return a switch operation with `sources` by stream field and `results`, vectors of `target` per step.

    `loaded` is the register that the map is loaded into first.
    """
    return Switch(
        scope.config,
        f"{mnemonic.lower()} of {target.name}",
        tuple(operand for _, operand in sources),
        tuple(Result(target, steps) for steps in results),
        mnemonic=mnemonic,
        kind=kind,
        fields=fields,
        sources=tuple(name for name, _ in sources),
        register=loaded,
    )


def whole(scope: Scope, view: View) -> tuple[Tensor, Elements, tuple[int, ...]]:
    """Return a view as a tensor and its vectors along the last axis, and the shape of its elements in whole vectors.

    Lanes beyond the end become elements, and are zeros.
    """
    vector = scope.config.vector_length
    view = scope.settled(view, -1, Need.ZERO)
    shape = (*view.shape[:-1], -(-view.shape[-1] // vector) * vector)
    return view.tensor, vectors_along(view.elements, -1, vector), shape


def lane_map(scope: Scope, view: View, size: int, per_superlane: bool) -> Operand:
    """Return the operand of a map, the same in every step.

    Raises
    ------
    TaktError
        For a map of another format or length.
    """
    vector, lanes = scope.config.vector_length, scope.config.lanes
    dtype = {1: "int8", 2: "int16"}[size]
    elements = view.elements
    if per_superlane and view.shape == (lanes,):
        elements = np.tile(elements, scope.config.superlanes)
    if view.dtype != dtype or elements.shape != (vector,):
        raise TaktError(f"lane_map must be {dtype} of shape ({vector},), not {view.dtype} of shape {view.shape}")
    return operand_of(scope, view.tensor, np.ascontiguousarray(elements[None]))


def moved(
    scope: Scope,
    name: str,
    mnemonic: str,
    kind: UnitKind,
    views: Sequence[tuple[str, View]],
    lane_map: Operand | None = None,
    loaded: int | None = None,
    **fields: int,
) -> Switch:
    """Return the operation that makes a vector of each vector or pair of vectors.

    Raises
    ------
    TaktError
        For sources of different shape or format.
    """
    (_, first), *others = views
    for _, view in others:
        if (view.shape, view.dtype) != (first.shape, first.dtype):
            raise TaktError(
                f"sources must have one shape and dtype, not {first.dtype} {first.shape} and {view.dtype} {view.shape}"
            )
    sources: list[tuple[str, Operand]] = []
    for field, view in views:
        # All have the same rows and shape.
        tensor, rows, shape = whole(scope, view)
        sources.append((field, operand_of(scope, tensor, rows)))
    if lane_map is not None:
        steps = np.zeros(len(rows), np.int64) + lane_map.steps[0]
        sources.append(("map", Operand(lane_map.tensor, lane_map.vectors, steps)))
    target = Tensor(name, shape, first.dtype)
    return switch(scope, mnemonic, kind, sources, target, [np.arange(len(rows))], loaded, **fields)


def rotated(scope: Scope, name: str, view: View, size: int) -> Switch:
    """Return the operation that makes the rotations of a window in every superlane."""
    if integer("size", size) not in (2, 3, 4) or size * size > scope.config.lanes:
        raise TaktError(f"size must be 2, 3 or 4, its square at most {scope.config.lanes} lanes, not {size!r}")
    tensor, rows, shape = whole(scope, view)
    count = size * size
    target = Tensor(name, (count, *shape), view.dtype)
    blocks = shape[-1] // scope.config.vector_length
    block, step = np.divmod(np.arange(len(rows)), len(rows) // blocks)
    results = [(block * count + number) * (len(rows) // blocks) + step for number in range(count)]
    source = [("src", operand_of(scope, tensor, rows))]
    return switch(scope, "ROTATE", UnitKind.SXM_ROTATE, source, target, results, size=size)


def tiles_transposed(scope: Scope, tensor: Tensor, target: Tensor, wanted: Elements, results: Numbers) -> list[Switch]:
    """Return the operations that transpose tiles of lanes x lanes within superlanes: half of them in each hemisphere.

    Parameters
    ----------
    scope : Scope
    tensor : Tensor
        Source.
    target : Tensor
    wanted : ndarray of int32, shape (n, lanes, vector_length)
        Elements of the `lanes` source vectors of each step.
    results : ndarray, shape (n, lanes)
        Vectors of `target`; -1 for those not wanted.
    """
    lanes, half = scope.config.lanes, -(-len(wanted) // 2)
    ops = []
    for steps in (slice(0, half), slice(half, None)):
        if len(mine := results[steps]):
            sources = [("src", operand_of(scope, tensor, wanted[steps, lane])) for lane in range(lanes)]
            parts = [mine[:, lane] for lane in range(lanes) if (mine[:, lane] >= 0).any()]
            ops.append(switch(scope, "TRANSPOSE", UnitKind.SXM_TRANSPOSE, sources, target, parts))
    return chained(ops)


def chained(ops: Sequence[Switch]) -> list[Switch]:
    """Return operations that make parts of one tensor as such, the last of which completes it."""
    return [*(replace(op, more=True) for op in ops[:-1]), ops[-1]]


def switch_transposed(scope: Scope, name: str, view: View) -> list[Switch]:
    """Return the operations that transpose groups of `lanes` vectors within superlanes."""
    lanes = scope.config.lanes
    tensor, rows, shape = whole(scope, view)
    vector = scope.config.vector_length
    blocks = shape[-1] // vector
    steps = len(rows) // blocks
    groups = -(-steps // lanes)
    padded = np.full((blocks, groups * lanes, vector), -1, np.int32)
    padded[:, :steps] = rows.reshape(blocks, steps, vector)
    target = Tensor(name, (groups * lanes, blocks * vector), view.dtype)
    results = np.arange(blocks * groups * lanes).reshape(-1, lanes)
    return tiles_transposed(scope, tensor, target, padded.reshape(-1, lanes, vector), results)
