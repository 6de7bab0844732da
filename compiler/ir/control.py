"""What holds for operations as a whole: barriers behind them, and the superlanes that they use."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from compiler.ir.operation import MatMul
from compiler.ir.vector import Pass

Operation = MatMul | Pass


@dataclass(frozen=True)
class Control:
    """Of the operations of a program, by their ids.

    Attributes
    ----------
    barriers : collection of int
        Those behind which all queues wait for one another.
    superlanes : mapping of int to int
        How many each one uses; all where it says nothing.
    """

    barriers: Collection[int]
    superlanes: Mapping[int, int]

    def of_pieces(self, operations: Sequence[Operation], pieces: Sequence[Sequence[Operation]]) -> "Control":
        """Return the same for the pieces that do the work of each operation."""
        both = list(zip(operations, pieces, strict=True))
        return Control(
            {id(its[-1]) for op, its in both if id(op) in self.barriers},
            {id(piece): self.superlanes[id(op)] for op, its in both if id(op) in self.superlanes for piece in its},
        )
