"""The operation that writes rows into a state by index."""

from collections.abc import Iterator
from dataclasses import dataclass

from arch.geometry import Hemisphere
from arch.isa.mem_rows import scatter_accesses
from compiler.ir.tensor import Tensor
from compiler.ir.vector import Pass

STATE_SIDE = Hemisphere.EAST
"""Where states live that rows are scattered into."""

SOURCE_SIDE = Hemisphere.WEST
"""Where rows and indices come from: they pass all copies of the state one after another."""


@dataclass(frozen=True, eq=False)
class Scatter(Pass):
    """Rows to where indices say; its result is the state itself, and it has no graph.

    Operands are rows and indices; step ``block * m + k`` belongs to block `block` of row k.
    """

    in_mesh = False

    @property
    def state(self) -> Tensor:
        """What is written, shape (v, n)."""
        return self.results[0].tensor

    @property
    def blocks(self) -> int:
        """Vectors of a row."""
        return -(-self.state.shape[1] // self.config.vector_length)

    @property
    def m(self) -> int:
        """Rows."""
        return self.steps // self.blocks

    @property
    def pace(self) -> int:
        """Cycles from one row to the next."""
        return max(scatter_accesses(self.config), self.blocks)

    @property
    def duration(self) -> int:
        """Cycles from the first row to the end of the last one."""
        return self.m * self.pace

    def reads(self) -> Iterator[Tensor]:
        """Yield the tensors that are read; the rest of the state is kept."""
        yield from super().reads()
        yield self.state
