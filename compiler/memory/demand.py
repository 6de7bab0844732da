"""Demand of an operation: which vectors of a tensor it reads, in which order, and where they have to be."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arch.geometry import Hemisphere
from compiler.ir.operation import Operation
from compiler.ir.tensor import Elements, Tensor

Vectors = npt.NDArray[np.int64]

Key = int | tuple[int, ...]
"""Of a port: number of the feeder of a product or of the stream of a pass. Of an epilogue: feeder, plane and stream; or
the port alone, of a stationary operand, which all planes share."""


@dataclass(frozen=True, eq=False)
class Demand:
    """Demand of one port of an operation.

    Attributes
    ----------
    op : Operation
    key : Key
        Of the port.
    tensor : Tensor
        What it reads.
    steps : ndarray of int64
        Number of the vector of each step, among `elements` or, without, the tensor's own; -1 for a vector of zeros.
        Steps of a product are its blocks of K times its rows.
    used : ndarray of int64
        The steps that the port reads, in order.
    elements : ndarray of int32, shape (u, vector_length), or None
        Vectors that the host writes.
    near : Hemisphere or None
        Where the reader stands.
    reads : tuple of ndarray of int64
        Of what is sparse (read in fewer cycles than the operation runs): the cycles, relative to its start, in each of
        its mappings and paces.
    serial : bool
        The bytes of an element are read one after another: they may lie in one slice.
    side : Hemisphere or None
        Where the vectors must be.
    columns : int
        Of weights, their columns: step ``block * columns + n`` reads block `block` of column n. Otherwise 0.
    in_mesh : bool
        Whether ALUs read it: all from one direction.
    cycles : int
        For which its slices are read, vector after vector; 0 of products, which read as their plan says.
    """

    op: Operation
    key: Key
    tensor: Tensor
    steps: Vectors
    used: Vectors
    elements: Elements | None = None
    near: Hemisphere | None = None
    reads: tuple[Vectors, ...] = ()
    serial: bool = False
    side: Hemisphere | None = None
    columns: int = 0
    in_mesh: bool = False
    cycles: int = 0

    @property
    def of_epilogue(self) -> bool:
        """Whether it belongs to a product's epilogue."""
        return isinstance(self.key, tuple)

    @property
    def is_stationary(self) -> bool:
        """Whether ALUs of an epilogue latch its vectors, so that each is read for some cycles only."""
        return isinstance(self.key, tuple) and len(self.key) == 1

    @property
    def is_sparse(self) -> bool:
        """Whether it is read in fewer cycles than the operation runs."""
        return bool(self.reads)

    @property
    def order(self) -> Vectors:
        """Vectors in the order in which they are first read, zeros left out."""
        numbers = self.steps[self.used]
        numbers = numbers[numbers >= 0]
        _, first = np.unique(numbers, return_index=True)
        return numbers[np.sort(first)]

    def slots_of(self, vectors: Vectors, lanes: int) -> Vectors:
        """Return which of the `lanes` slices that are read together has the low byte of each of some weights.

        Neighbouring columns differ, and so do neighbouring blocks of a column, which planes may write together.
        """
        places = np.zeros(int(self.steps.max()) + 1, np.int64)
        block, column = np.divmod(np.arange(len(self.steps)), self.columns)
        read = self.steps >= 0
        places[self.steps[read]] = (block + column)[read]
        return places[vectors] % lanes

    def tiles_of(self, vectors: Vectors, size: int) -> Vectors:
        """Return to which tile, of `size` columns of a block, some weights belong first, numbered as `vectors` are."""
        places = np.full(int(self.steps.max()) + 1, len(self.steps), np.int64)
        block, column = np.divmod(np.arange(len(self.steps)), self.columns)
        read = self.steps >= 0
        np.minimum.at(places, self.steps[read], (block * -(-self.columns // size) + column // size)[read])
        return np.unique(places[vectors], return_inverse=True)[1].astype(np.int64)

    def apart(self, other: "Demand") -> bool:
        """Return whether two ports are read so sparsely that they never meet: one slice can hold both."""
        if self.op is not other.op or not self.is_sparse or not other.is_sparse:
            return False
        return not any(np.isin(mine, theirs).any() for mine, theirs in zip(self.reads, other.reads, strict=True))

    @property
    def zeros(self) -> bool:
        """Whether vectors of zeros are read."""
        return bool((self.steps[self.used] < 0).any())
