"""What holds for operations as a whole: barriers behind them, and the superlanes that they use."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from compiler.ir.operation import Operation


@dataclass(frozen=True)
class Control:
    """Of the operations of a program.

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
