"""The operation that reads rows of a table by index."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from arch.geometry import Direction
from compiler.tensor import Elements, Tensor
from compiler.vector.operation import Pass

Numbers = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Part:
    """A byte of a block of columns of a table: in one slice, from `addr` on, as number `turn` of that slice."""

    block: int
    byte: int
    slice: int
    addr: int
    turn: int


@dataclass(frozen=True)
class Gathering:
    """Where indices and table of a Gather are.

    Attributes
    ----------
    direction : Direction
        In which the indices pass the slices of the table.
    slices, addrs : ndarray, shape (2, m)
        Low bytes of the indices.
    parts : tuple of Part
    """

    direction: Direction
    slices: Numbers
    addrs: Numbers
    parts: tuple[Part, ...]


@dataclass(frozen=True, eq=False)
class Gather(Pass):
    """Row ``indices[k]`` of a table, for every k; its result is the one of the pass, which has no graph.

    Attributes
    ----------
    table, indices : Tensor
        Inputs or constants.
    table_rows : ndarray of int32, shape (blocks * v, vector_length)
        Elements of the table's vectors.
    index_rows : ndarray of int32, shape (m, vector_length)
        The element of `indices` that all lanes of each vector have.
    """

    table: Tensor = field(kw_only=True)
    indices: Tensor = field(kw_only=True)
    table_rows: Elements = field(kw_only=True)
    index_rows: Elements = field(kw_only=True)

    in_mesh = False

    @property
    def target(self) -> Tensor:
        """The result, shape (m, n)."""
        return self.results[0].tensor

    @property
    def m(self) -> int:
        """Indices."""
        return len(self.index_rows)

    @property
    def blocks(self) -> int:
        """Vectors of a row."""
        return self.steps // self.m

    @property
    def v(self) -> int:
        """Rows of the table."""
        return len(self.table_rows) // self.blocks

    def reads(self) -> Iterator[Tensor]:
        """Yield the tensors that are read."""
        yield from (self.table, self.indices)
