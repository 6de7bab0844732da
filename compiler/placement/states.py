"""States, and the passes that give them their next values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compiler.operation import MatMul
from compiler.tensor import Tensor, as_view
from compiler.vector.operation import Pass


@dataclass(frozen=True)
class States:
    """States of a program.

    Attributes
    ----------
    tensors : tuple of Tensor
    written : dict of Tensor to Tensor
        Results that the pass that makes them writes to a state too.
    """

    tensors: tuple[Tensor, ...]
    written: Mapping[Tensor, Tensor]


def direct_updates(operations: Sequence[MatMul | Pass], updates: Mapping[Tensor, Pass]) -> dict[Tensor, Tensor]:
    """Return the results that can go to a state right away, after which nothing reads its old value, with that state."""
    found: dict[Tensor, Tensor] = {}
    for state, update in updates.items():
        (operand,) = update.operands
        value = operand.tensor
        whole = operand.vectors is None and np.array_equal(operand.steps, update.results[0].steps)
        makers = [
            number
            for number, op in enumerate(operations)
            if isinstance(op, Pass) and op.in_mesh and op.makes and any(tensor is value for tensor in op.writes())
        ]
        if whole and len(makers) == 1 and value not in found:
            later = operations[makers[0] + 1 :]
            if not any(tensor is state for op in later for tensor in _reads(op)):
                found[value] = state
    return found


def _reads(op: MatMul | Pass) -> Iterable[Tensor]:
    if isinstance(op, Pass):
        return op.reads()
    beside = [] if op.epilogue is None else op.epilogue.reads()
    return [as_view(op.x).tensor, as_view(op.w).tensor, *beside]
