"""A program as its author wrote it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from arch.config import Config
from compiler.ir.operation import Operation
from compiler.ir.tensor import Tensor, View
from compiler.ir.vector import Pass


@dataclass(frozen=True)
class Control:
    """Barriers and superlanes: what holds for operations as a whole.

    Attributes
    ----------
    barriers : collection of Operation
        Those behind which all queues wait for one another.
    superlanes : mapping of Operation to int
        How many each one uses; all where it says nothing.
    """

    barriers: Collection[Operation]
    superlanes: Mapping[Operation, int]

    def of_pieces(self, operations: Sequence[Operation], pieces: Sequence[Sequence[Operation]]) -> "Control":
        """Return the same for the pieces that do the work of each operation."""
        both = list(zip(operations, pieces, strict=True))
        return Control(
            {its[-1] for op, its in both if op in self.barriers},
            {piece: self.superlanes[op] for op, its in both if op in self.superlanes for piece in its},
        )


@dataclass(frozen=True, kw_only=True)
class Source:
    """Program to be compiled.

    Attributes
    ----------
    config : Config
    name : str
        What the program is, for reports.
    operations : sequence of Operation
        In an order in which operands come before their users.
    tensors : sequence of Tensor
        Inputs and constants.
    stored : callable
        Whether a tensor is a result or a state.
    outputs : mapping of str to View
    states : collection of Tensor
        Results that live from run to run.
    updates : mapping of Tensor to Pass
        Those states that a pass gives their value for the next run, after everything else has read them.
    scattered : collection of Tensor
        Those that rows are scattered into.
    control : Control
        Barriers and superlanes.
    """

    config: Config
    name: str
    operations: Sequence[Operation]
    tensors: Sequence[Tensor]
    stored: Callable[[Tensor], bool]
    outputs: Mapping[str, View]
    states: Collection[Tensor]
    updates: Mapping[Tensor, Pass]
    scattered: Collection[Tensor]
    control: Control
