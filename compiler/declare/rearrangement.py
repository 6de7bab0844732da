"""Any elements of tensors in any lanes of new vectors.

Every vector of a source that has elements for a wanted vector makes a *pair* with it. Where lanes change, the pair goes
through a PERMUTE, whose map comes with it and has zeros for all other lanes; where they stay, an AND with a mask does
the same. What the pairs of a wanted vector leave is joined by OR in the VXM. Bits are never changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.geometry import UnitKind
from compiler.declare.map_pass import Scope
from compiler.declare.moving import QUEUES
from compiler.declare.switch_pass import chained, switch
from compiler.expression.expr import BITS
from compiler.ir.lanes import Numbers, Pairs, distinct, pairs_of
from compiler.ir.operation import Operation
from compiler.ir.switch import Switch
from compiler.ir.tensor import Elements, Tensor
from compiler.ir.vector import Operand, Pass, Result
from compiler.mesh.graph import Graph, Kind, Node, Port, Ref

_FEW = 32
"""Pairs that one queue of the SXM takes alone."""

_MOST_OPERANDS = 8
"""Of a pass that joins: a tree of ORs and as many ANDs fill the mesh."""

Piece = tuple[Tensor, Elements]
"""A tensor and which of its elements are wanted, shape (n, vector_length); -1 or `BEYOND` where none is."""


@dataclass(frozen=True)
class _Part:
    """Contribution of an operand to each wanted vector.

    Attributes
    ----------
    operand : Operand
    held : ndarray of bool, shape (n,)
        Wanted vectors that it brings anything to.
    kept : ndarray of bool, shape (n, vector_length), or None
        Lanes that count; None if all others are zeros.
    """

    operand: Operand
    held: npt.NDArray[np.bool_]
    kept: npt.NDArray[np.bool_] | None = None

    @property
    def operands(self) -> int:
        """Operands of a pass that takes it, a mask being one."""
        return 1 if self.kept is None else 2


def rearrangement(scope: Scope, pieces: Sequence[Piece], target: Tensor) -> list[Operation]:
    """Return the operations that make a tensor of elements of others, zeros where no piece has one.

    Parameters
    ----------
    scope : Scope
    pieces : sequence of (Tensor, ndarray of int32)
        At most one of them has an element in a lane of a vector; one has any.
    target : Tensor
        Its vectors, in order, are the wanted ones. The last operation writes it; so may some before that.
    """
    vector, n = scope.config.vector_length, len(pieces[0][1])
    ops: list[Operation] = []
    parts: list[_Part] = []
    for number, (tensor, wanted) in enumerate(pieces):
        if not (wanted >= 0).any():
            continue
        if not scope.stored(tensor):
            operand = Operand(tensor, *distinct(np.maximum(wanted, -1)))
            parts.append(_Part(operand, np.any(wanted >= 0, axis=1)))
            continue
        pairs = pairs_of(tensor, wanted, vector)
        moved = ~pairs.stay
        if len(pieces) == 1 and moved.any() and len(np.unique(pairs.wanted)) == len(pairs.wanted):
            return [*_permuted(scope, tensor, _with_zeros(pairs, n), target)]
        parts += _staying(tensor, _some(pairs, ~moved), n)
        if moved.any():
            pairs = _some(pairs, moved)
            brought = Tensor(f"{target.name}.moved{number}", (len(pairs.wanted), vector), tensor.dtype)
            own = pairs._replace(wanted=np.arange(len(pairs.wanted)))
            ops += _permuted(scope, tensor, own, brought)
            for chosen in _by_rank(pairs):
                steps = np.full(n, -1, np.int64)
                steps[pairs.wanted[chosen]] = chosen
                parts.append(_Part(Operand(brought, None, steps), steps >= 0))
    return [*ops, *_joined(scope, parts, target, n)]


def _some(pairs: Pairs, chosen: npt.NDArray[Any]) -> Pairs:
    return Pairs(*(part[chosen] for part in pairs))


def _with_zeros(pairs: Pairs, n: int) -> Pairs:
    """Return pairs, one for every wanted vector: a vector of zeros for one that has none."""
    numbers, maps = np.full(n, -1, np.int64), np.full((n, pairs.maps.shape[1]), -1, np.int16)
    numbers[pairs.wanted], maps[pairs.wanted] = pairs.numbers, pairs.maps
    return Pairs(np.arange(n), numbers, maps)


def _by_rank(pairs: Pairs) -> list[Numbers]:
    """Return the first pair of every wanted vector, the second of those that have one, and so on."""
    place = np.arange(len(pairs.wanted))
    rank = place - np.searchsorted(pairs.wanted, pairs.wanted)
    return [place[rank == number] for number in range(int(rank.max(initial=-1)) + 1)]


def _permuted(scope: Scope, tensor: Tensor, pairs: Pairs, target: Tensor) -> list[Switch]:
    """Return the operations that bring each pair's elements to their lanes, half of them in each hemisphere."""
    maps, which = distinct(pairs.maps)
    table = scope.shared("lane maps", maps)
    elements = np.arange(maps.size, dtype=np.int32).reshape(maps.shape)
    shares = QUEUES if len(pairs.wanted) > _FEW else 1
    ops = []
    for mine in np.array_split(np.arange(len(pairs.wanted)), shares):
        rows, steps = distinct(elements[which[mine]])
        sources = [("src", Operand(tensor, None, pairs.numbers[mine])), ("map", Operand(table, rows, steps))]
        results = [pairs.wanted[mine]]
        ops.append(switch(scope, "PERMUTE", UnitKind.SXM_PERMUTE, sources, target, results, streamed=1, register=0))
    return chained(ops)


def _staying(tensor: Tensor, pairs: Pairs, n: int) -> list[_Part]:
    """Return what pairs bring whose elements stay in their lanes."""
    parts = []
    for chosen in _by_rank(pairs):
        rows = pairs.wanted[chosen]
        steps = np.full(n, -1, np.int64)
        steps[rows] = pairs.numbers[chosen]
        kept = np.zeros((n, pairs.maps.shape[1]), np.bool_)
        kept[rows] = pairs.maps[chosen] >= 0
        held = steps >= 0
        parts.append(_Part(Operand(tensor, None, steps), held, None if kept[held].all() else kept))
    return parts


def _joined(scope: Scope, parts: Sequence[_Part], target: Tensor, n: int) -> list[Pass]:
    """Return the passes that join parts: several, in a tree, where there are more than a pass can read."""
    config, size = scope.config, target.itemsize
    # Operands, and as much again for results and what runs beside.
    most = max(2, min(_MOST_OPERANDS, config.slices // (2 * size)))
    ops: list[Pass] = []
    left = [*parts]
    while len(left) > 2 and sum(part.operands for part in left) > most:
        group = [left.pop(0), left.pop(0)]
        while left and sum(part.operands for part in (*group, left[0])) <= most:
            group.append(left.pop(0))
        rows = np.flatnonzero(np.any([part.held for part in group], axis=0))
        between = Tensor(f"{target.name}.joined{len(ops)}", (len(rows), config.vector_length), target.dtype)
        ops.append(_or_pass(scope, group, between, rows))
        steps = np.full(n, -1, np.int64)
        steps[rows] = np.arange(len(rows))
        left.append(_Part(Operand(between, None, steps), steps >= 0))
    return [*ops, _or_pass(scope, left, target, np.arange(n))]


def _or_pass(scope: Scope, parts: Sequence[_Part], target: Tensor, rows: Numbers) -> Pass:
    """Return the pass that joins what parts have in the lanes that count, for some of the wanted vectors."""
    bits = BITS[target.itemsize]
    nodes: list[Node] = []
    operands: list[Operand] = []

    def port(operand: Operand) -> Ref:
        operands.append(operand)
        return Ref(Kind.PORT, len(operands) - 1)

    def node(mnemonic: str, *refs: Ref) -> Ref:
        nodes.append(Node(mnemonic, bits, bits, refs))
        return Ref(Kind.NODE, len(nodes) - 1)

    values = []
    for part in parts:
        value = port(Operand(part.operand.tensor, part.operand.vectors, part.operand.steps[rows]))
        if part.kept is not None:
            kept, steps = distinct(part.kept[rows].astype(np.int32))
            mask = scope.shared("mask", -kept.astype(bits.numpy))
            elements = np.arange(kept.size, dtype=np.int32).reshape(kept.shape)
            value = node("AND", value, port(Operand(mask, elements, steps)))
        values.append(value)
    if not nodes and len(values) == 1:
        node("PASS", values.pop())
    while len(values) > 1:
        values = [*values[2:], node("OR", *values[:2])]
    graph = Graph(tuple(nodes), tuple(Port(number, bits) for number in range(len(operands))), (len(nodes) - 1,))
    result = Result(target, np.arange(len(rows)))
    return Pass(scope.config, target.name, graph, tuple(operands), (result,), np.zeros(len(rows), np.bool_))
