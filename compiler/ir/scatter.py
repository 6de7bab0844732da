"""The operation that writes rows into a state by index."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from arch.config import Config
from arch.geometry import Hemisphere
from arch.isa.mem_rows import scatter_accesses
from compiler.ir.tensor import Tensor
from compiler.ir.vector import Operand, Pass, Result, check_lanes, words_of
from compiler.ir.work import Work

STATE_SIDE = Hemisphere.EAST
"""Hemisphere of states that rows are scattered into."""

SOURCE_SIDE = Hemisphere.WEST
"""Hemisphere of rows and indices: they pass all copies of the state one after another."""


@dataclass(frozen=True, eq=False)
class Scatter:
    """Rows to where indices say; its result is the state itself.

    Attributes
    ----------
    config : Config
    name : str
    state : Tensor
        What is written, shape (v, n).
    rows, indices : Operand
        Step ``block * m + k`` belongs to block `block` of row k.
    """

    config: Config
    name: str
    state: Tensor
    rows: Operand
    indices: Operand

    as_pass = None
    makes_weights = False
    work = Work()

    @property
    def operands(self) -> tuple[Operand, Operand]:
        """Both operands."""
        return self.rows, self.indices

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.rows.steps)

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
        yield from (self.rows.tensor, self.indices.tensor, self.state)

    def writes(self) -> Iterator[Tensor]:
        """Yield the state."""
        yield self.state

    def words(self) -> Iterator[tuple[Tensor, int]]:
        """Yield the tensors that are read or changed, and the words that they fill at least."""
        return words_of(self.operands, [Result(self.state, np.arange(self.steps))])

    def check_superlanes(self, superlanes: int, limited: bool) -> None:
        """Check that rows fit the superlanes that are on: see `Operation`."""
        check_lanes(self.name, self.writes(), self.config, superlanes)

    def finished_by(self, change: Callable[[Pass], Pass]) -> "Scatter":
        """Return the operation: states keep what SCATTER needs of values."""
        return self
