"""The operation that reads rows of a table by index."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.geometry import Direction
from compiler.ir.tensor import Elements, Tensor
from compiler.ir.vector import Pass, check_lanes
from compiler.ir.work import Work

Numbers = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Turn:
    """Indices that pass the slices of a table at a time.

    Attributes
    ----------
    ways : tuple of ndarray
        Numbers of indices, one every `lanes` cycles; those of a way pass a cycle after those of the way before.
    """

    ways: tuple[Rows, ...]

    @property
    def order(self) -> Rows:
        """Numbers of all indices in the order in which they pass."""
        step = np.concatenate([np.arange(len(rows)) for rows in self.ways])
        # Ways come one after another here, and so they do where their steps are equal.
        return np.concatenate(self.ways)[np.argsort(step, kind="stable")]


@dataclass(frozen=True)
class TablePart:
    """A byte of a block of columns of a table, or a copy of it: in one slice, from `addr` on, for a way of a turn."""

    block: int
    byte: int
    slice: int
    addr: int
    turn: int
    way: int


@dataclass(frozen=True)
class Gathering:
    """Places of the indices and the table of a Gather.

    Attributes
    ----------
    direction : Direction
        In which the indices pass the slices of the table.
    turns : tuple of Turn
    words : tuple of (slices, addrs)
        Low bytes of the indices of each turn in the order in which they pass, shape (2, n).
    parts : tuple of TablePart
    """

    direction: Direction
    turns: tuple[Turn, ...]
    words: tuple[tuple[Numbers, Numbers], ...]
    parts: tuple[TablePart, ...]


@dataclass(frozen=True, eq=False)
class Gather:
    """Row ``indices[k]`` of a table, for every k.

    Attributes
    ----------
    config : Config
    name : str
    target : Tensor
        The result, shape (m, n).
    table, indices : Tensor
        Inputs or constants.
    table_rows : ndarray of int32, shape (blocks * v, vector_length)
        Elements of the table's vectors.
    index_rows : ndarray of int32, shape (m, vector_length)
        The element of `indices` that all lanes of each vector have.
    """

    config: Config
    name: str
    target: Tensor
    table: Tensor
    indices: Tensor
    table_rows: Elements
    index_rows: Elements

    as_pass = None
    makes_weights = False
    work = Work()

    @property
    def m(self) -> int:
        """Indices."""
        return len(self.index_rows)

    @property
    def blocks(self) -> int:
        """Vectors of a row."""
        return -(-self.target.shape[1] // self.config.vector_length)

    @property
    def v(self) -> int:
        """Rows of the table."""
        return len(self.table_rows) // self.blocks

    def reads(self) -> Iterator[Tensor]:
        """Yield the tensors that are read."""
        yield from (self.table, self.indices)

    def writes(self) -> Iterator[Tensor]:
        """Yield the tensor that is made."""
        yield self.target

    def words(self) -> Iterator[tuple[Tensor, int]]:
        """Yield the tensor that is made, and the words that it fills."""
        yield self.target, self.target.itemsize * self.blocks * self.m

    def check_superlanes(self, superlanes: int, limited: bool) -> None:
        """Check that rows fit the superlanes that are on: see `Operation`."""
        check_lanes(self.name, self.writes(), self.config, superlanes)

    def finished_by(self, change: Callable[[Pass], Pass]) -> "Gather":
        """Return the operation: rows of tables end with zeros."""
        return self
