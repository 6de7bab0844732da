"""States, and the passes that give them their next values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compiler.operation import MatMul
from compiler.tensor import Tensor, as_view
from compiler.vector.operation import Pass

_FEW = 16
"""Vectors that a pass has read before it writes its first result."""


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
    """Return results that can go to a state right away, as nothing reads its old value later, each with its state."""
    found: dict[Tensor, Tensor] = {}
    for state, update in updates.items():
        operand = update.operands[0]
        value = operand.tensor
        whole = (
            len(update.operands) == 1
            and operand.vectors is None
            and np.array_equal(operand.steps, update.results[0].steps)
        )
        makers = [
            number
            for number, op in enumerate(operations)
            if isinstance(op, Pass) and op.in_mesh and op.makes and any(tensor is value for tensor in op.writes())
        ]
        if whole and len(makers) == 1 and value not in found and not _meets(operations[makers[0]], value, state):
            later = operations[makers[0] + 1 :]
            if not any(tensor is state for op in later for tensor in _reads(op)):
                found[value] = state
    return found


def _reads(op: MatMul | Pass) -> Iterable[Tensor]:
    if isinstance(op, Pass):
        return op.reads()
    beside = [] if op.epilogue is None else op.epilogue.reads()
    return [as_view(op.x).tensor, as_view(op.w).tensor, *beside]


def _meets(op: MatMul | Pass, value: Tensor, state: Tensor) -> bool:
    """Return whether a pass would write vectors of a state that it reads later."""
    if not isinstance(op, Pass) or op.steps <= _FEW:
        return False
    written = next(result.steps for result in op.results if result.tensor is value)
    return any(operand.tensor is state and not np.array_equal(operand.steps, written) for operand in op.operands)
