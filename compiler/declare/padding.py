"""Padding: what vectors hold in lanes that no element of their tensor lies in.

The host writes zeros there. An operation leaves there what it makes of what its operands have there, 1 for exp and NaN
for 0 * rsqrt(0); and a product of a padded lane and a weight of zero is NaN if the lane is. The rule is that no element
of a program ever depends on it:

* an element that a view promises to be zero is zero for every reader, and so is padding that becomes elements (SXM);
* what an fp16 product multiplies by the zeros that weights have beyond K is finite and not negative, so that it adds +0
  (int8 products need nothing);
* nothing else lets lanes meet, and states and indices of SCATTER are as strict as elements.

Readers register what they need when they are declared; `clear_padding` proves from expressions that a tensor has it, or
lets the pass that makes it clear its padding on the way, by an AND with a mask.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from compiler.declare.ranges import ZERO, Range, range_of, range_of_values, ranges
from compiler.expression.expr import BITS, FORMATS
from compiler.ir.lanes import lengths, vector_count
from compiler.ir.operation import Operation
from compiler.ir.tensor import Tensor
from compiler.ir.vector import Operand, Pass, Result
from compiler.mesh.graph import Graph, Kind, Node, Port, Ref

Steps = npt.NDArray[np.bool_]
Mask = Callable[[int, int], Tensor]
"""``mask(bytes, lanes)``: a constant of two vectors of integers, all ones, and all ones in the first lanes only."""


class Need(IntEnum):
    """Need of a reader: what padding has to be for it."""

    NOTHING = 0
    TIMES_ZERO = 1
    """Its product with +0 must be +0: neither infinite nor NaN, and no sign."""
    ZERO = 2

    def holds(self, padding: Range) -> bool:
        """Return whether values are what is needed."""
        positive = padding.finite and padding.low > 0
        return padding.zero or self is Need.NOTHING or (self is Need.TIMES_ZERO and positive)


@dataclass(frozen=True)
class Cleared:
    """Operations whose padding is what their readers need.

    Attributes
    ----------
    operations : list of Operation
        As given, some in a form that clears padding.
    updates : dict of Tensor to Pass or None
        The same of what gives states their next values.
    """

    operations: list[Operation]
    updates: dict[Tensor, Pass | None]


def clear_padding(
    operations: Sequence[Operation],
    updates: Mapping[Tensor, Pass | None],
    needs: Mapping[Tensor, Need],
    mask: Mask,
) -> Cleared:
    """Return operations that leave in the padding of their results what those who read it need.

    A state begins with zeros, and is taken to keep them until an update turns out to bring something else; then all
    that reads it is looked at again.
    """
    needed = dict(needs)
    for state, update in updates.items():
        if update is not None and state in needed:
            value = update.operands[0].tensor
            needed[value] = max(needed.get(value, Need.NOTHING), needed[state])
    changed: set[Tensor] = set()
    while needed:
        walk = _Walk(updates.keys(), changed, needed, mask)
        found = [walk.visit(op) for op in operations]
        final = {state: update and walk.visit_update(state, update) for state, update in updates.items()}
        if walk.changed == changed:
            return Cleared(found, final)
        changed = walk.changed
    return Cleared(list(operations), dict(updates))


class _Walk:
    """One look at all operations, in order, given which states do not keep their zeros."""

    def __init__(
        self, states: Collection[Tensor], changed: Collection[Tensor], needs: Mapping[Tensor, Need], mask: Mask
    ) -> None:
        self.changed = set(changed)
        self._needs = needs
        self._mask = mask
        self._padding = {state: range_of(FORMATS[state.dtype]) if state in changed else ZERO for state in states}

    def visit(self, op: Operation) -> Operation:
        """Return an operation as it has to be, and note what its results have in their padding."""
        # Sums that go to MEM as they are get an epilogue where they have to be cleared.
        found = op.finished_by(self._visit_pass)
        # What no ALU has made has zeros, but for states that rows are scattered into.
        self._padding |= {tensor: ZERO for tensor in found.writes() if tensor not in self._padding}
        return found

    def visit_update(self, state: Tensor, update: Pass) -> Pass:
        """Return an update as it has to be, and note if it brings anything but zeros."""
        padding = self._ranges(update)[0]
        if not self._has(state, padding):
            return self._masked(update, [state])
        if not padding.zero:
            self.changed.add(state)
        return update

    def _has(self, tensor: Tensor, padding: Range) -> bool:
        return self._needs.get(tensor, Need.NOTHING).holds(padding)

    def _visit_pass(self, op: Pass) -> Pass:
        joined: dict[Tensor, Range] = {}
        for result, padding in zip(op.results, self._ranges(op), strict=True):
            joined[result.tensor] = padding | joined.get(result.tensor, padding)
        wrong = [tensor for tensor, padding in joined.items() if not self._has(tensor, padding)]
        self._padding |= joined | dict.fromkeys(wrong, ZERO)
        return self._masked(op, wrong) if wrong else op

    def _ranges(self, op: Pass) -> list[Range]:
        """Return what a pass leaves in the padding of each result; zeros where a result has none."""
        found = []
        for result, output in zip(op.results, op.graph.outputs, strict=True):
            last = _last_block(result, op.config.vector_length)
            if not last.any():
                found.append(ZERO)
                continue
            ports = [self._operand(op, operand, result.tensor, last) for operand in op.operands]
            found.append(ranges(op.graph, ports, op.steps)[output])
        return found

    def _operand(self, op: Pass, operand: Operand, target: Tensor, steps: Steps) -> Range:
        """Return what an operand has, in some steps, in the lanes that are padding of a result."""
        vector, tensor = op.config.vector_length, operand.tensor
        first = target.shape[target.lanes] % vector
        # A reduction takes several vectors for one result: all steps are looked at.
        numbers = np.unique(operand.steps[steps] if not _accumulates(op.graph) else operand.steps)
        dtype = FORMATS[tensor.dtype]
        if operand.vectors is not None:
            elements = operand.vectors[numbers][:, first:]
            wanted = elements[elements >= 0]
            if not wanted.size:
                return ZERO
            if tensor.data is None:
                return range_of(dtype)
            held = range_of_values(tensor.data.reshape(-1)[wanted])
            return held if (elements >= 0).all() else held | ZERO
        numbers = numbers[numbers >= 0]
        if not len(numbers):
            return ZERO
        if (lengths(tensor, numbers, vector) > first).any():
            return range_of(dtype)
        return self._padding.get(tensor, range_of(dtype)) | ZERO

    def _masked(self, op: Pass, tensors: Collection[Tensor]) -> Pass:
        """Return a pass that clears the padding of some results on their way to MEM."""
        nodes, ports, outputs = [*op.graph.nodes], [*op.graph.ports], [*op.graph.outputs]
        operands = [*op.operands]
        vector = op.config.vector_length
        for number, result in enumerate(op.results):
            if result.tensor not in tensors:
                continue
            tensor = result.tensor
            bits = BITS[tensor.itemsize]
            last = _last_block(result, vector)
            rows = np.arange(2 * vector, dtype=np.int32).reshape(2, vector)[int(last.all()) :]
            mask = self._mask(tensor.itemsize, tensor.shape[tensor.lanes] % vector)
            steps = np.zeros(op.steps, np.int64) if last.all() else last.astype(np.int64)
            operands.append(Operand(mask, rows, steps))
            ports.append(Port(len(ports), bits))
            refs = Ref(Kind.NODE, outputs[number]), Ref(Kind.PORT, len(ports) - 1)
            outputs[number] = len(nodes)
            nodes.append(Node("AND", bits, bits, refs))
        return replace(op, graph=Graph(tuple(nodes), tuple(ports), tuple(outputs)), operands=tuple(operands))


def _accumulates(graph: Graph) -> bool:
    return any(node.accumulates for node in graph.nodes)


def _last_block(result: Result, vector: int) -> Steps:
    """Return in which steps a vector with padding is made."""
    blocks, steps = vector_count(result.tensor, vector)
    padded = result.tensor.shape[result.tensor.lanes] % vector != 0
    return (result.steps >= (blocks - 1) * steps) & padded
