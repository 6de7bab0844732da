"""Storage of one operation: where it finds what it reads, and where it leaves what it makes."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from arch.geometry import Hemisphere
from compiler.ir.gather import Gathering
from compiler.ir.matmul import MatMul
from compiler.memory.copies import Cycles, ReadPort, TensorCopy
from compiler.memory.demand import Key
from compiler.memory.words import Numbers


@dataclass
class ComputedWeights:
    """A copy of a result that a product loads as weights.

    A step of a load reads `lanes` neighbouring columns at the same time, so these lie in as many slices; the bytes of
    an element are loaded one after another, but written at the same time: they lie in different slices too.

    Attributes
    ----------
    copy : TensorCopy
    steps : ndarray of int64
        Vector ``block * n + column`` is block `block` of a column; -1 for zeros.
    zero_slices, zero_addrs : ndarray, shape (lanes,), or None
        By slice of the group, a word of zeros; None where no column lacks its vector.
    """

    copy: TensorCopy
    steps: npt.NDArray[np.int64]
    zero_slices: Numbers | None
    zero_addrs: Numbers | None

    def words(self, op: MatMul, steps: npt.NDArray[np.int64]) -> tuple[Numbers, Numbers, Cycles, npt.NDArray[np.int64]]:
        """Return the words of weights in the order in which planes load them.

        Parameters
        ----------
        op : MatMul
        steps : ndarray, shape (n, 3)
            Of each step of a load its block of K, its first column, and the byte that it loads.

        Returns
        -------
        slices, addrs, ready, vectors : ndarray, shape (lanes, words)
            By stream: where its words are, from which cycle on they can be read, and which vectors they belong to.
        """
        lanes = op.config.lanes
        k_block, first, byte = steps.T
        column = first + np.arange(lanes)[:, None]
        number = self.steps[k_block * op.n + np.minimum(column, op.n - 1)]
        number = np.where(column < op.n, number, -1)
        found = self.copy.slices[byte, number], self.copy.addrs[byte, number], self.copy.ready[number], number
        if self.zero_slices is None or self.zero_addrs is None:
            return found
        member = (column + k_block + byte * (lanes // 2)) % lanes
        return (
            np.where(number < 0, self.zero_slices[member], found[0]),
            np.where(number < 0, self.zero_addrs[member], found[1]),
            np.where(number < 0, 0, found[2]),
            number,
        )


@dataclass(frozen=True)
class Target:
    """A byte of a block of columns of a copy of a state: in one slice, from `addr` on, as its number `turn`."""

    copy: TensorCopy
    block: int
    byte: int
    slice: int
    addr: int
    turn: int


@dataclass
class OperationStorage:
    """Storage of one operation.

    Attributes
    ----------
    ports : dict of Key to ReadPort
        What it reads.
    outputs : list of list of TensorCopy
        Every copy of each result; vectors that a copy lacks have slice -1.
    weights : dict of Hemisphere to TensorCopy
        Weights that the host writes, shape (ways * lanes, words): word i of stream j, in the order of use.
    gathering : Gathering or None
        Of a Gather.
    scattering : tuple of Target
        Of a Scatter.
    computed : ComputedWeights or None
        Weights of a product that are a result.
    """

    ports: dict[Key, ReadPort] = field(default_factory=dict)
    outputs: list[list[TensorCopy]] = field(default_factory=list)
    weights: dict[Hemisphere, TensorCopy] = field(default_factory=dict)
    gathering: Gathering | None = None
    scattering: tuple[Target, ...] = ()
    computed: ComputedWeights | None = None

    @property
    def read_slices(self) -> set[int]:
        """Slices that are read."""
        found = set().union(
            *(port.slices for port in self.ports.values()), *(one.used for one in self.weights.values())
        )
        return found | (self.computed.copy.used if self.computed else set())
