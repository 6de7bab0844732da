"""Where weights that a program computes live."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arch.config import Config
from compiler.kernels.plan import Feeder
from compiler.operation import MatMul
from compiler.placement.allocator import Bank, OutOfMemory
from compiler.placement.connections import Connections
from compiler.placement.demand import Demand, Vectors
from compiler.placement.layout import Cycles, Layout, Numbers
from compiler.tensor import Tensor

Tiles = npt.NDArray[np.int64]

_LONG = 64
"""Least vectors of weights that change banks."""

_CHANGES = 4
"""Parts of weights that lie in another bank each."""


@dataclass
class Loaded:
    """A copy of a result that a product loads as weights.

    A step of a load reads `lanes` neighbouring columns at the same time, so these lie in as many slices; the bytes of
    an element are loaded one after another, but written at the same time: they lie in different slices too.

    Attributes
    ----------
    demand : Demand
    layout : Layout
    zero_slices, zero_addrs : ndarray, shape (lanes,), or None
        By slice of the group, a word of zeros; None where no column lacks its vector.
    """

    demand: Demand
    layout: Layout
    zero_slices: Numbers | None
    zero_addrs: Numbers | None

    def words(self, op: MatMul, feeder: Feeder, group: tuple[int, ...]) -> tuple[Numbers, Numbers, Cycles]:
        """Return the words of a group of a feeder in the order in which its planes load them.

        Returns
        -------
        slices, addrs, ready : ndarray, shape (lanes, words)
            By stream: where its words are, and from which cycle on they can be read.
        """
        lanes, vector = op.config.lanes, op.config.vector_length
        tiles = np.array(
            [
                (k_block, load.block * vector + lanes * column_block, load.byte)
                for k_block in range(op.k_blocks)
                for (loads,) in [feeder.loads(op, group)]
                for load in loads
                for column_block in reversed(range(load.steps))
            ]
        )
        k_block, first, byte = tiles.T
        column = first + np.arange(lanes)[:, None]
        number = self.demand.steps[k_block * op.n + np.minimum(column, op.n - 1)]
        number = np.where(column < op.n, number, -1)
        slices, addrs, ready = self.layout.flat
        found = slices[byte, number], addrs[byte, number], ready[number]
        if self.zero_slices is None or self.zero_addrs is None:
            return found
        member = (column + k_block + byte * (lanes // 2)) % lanes
        return (
            np.where(number < 0, self.zero_slices[member], found[0]),
            np.where(number < 0, self.zero_addrs[member], found[1]),
            np.where(number < 0, 0, found[2]),
        )


class LoadedStorage(Connections):
    """Places results of which several vectors are read, or written, at the same time."""

    def _fill_loaded(self, layout: Layout, want: Demand, banks: list[Bank]) -> None:
        """Take words for all vectors of a copy of weights, in `lanes` slices of `banks`."""
        order = want.order
        lacks = want.zeros or want.columns % self._config.lanes != 0
        slices, addrs, spare = self._take_braided(
            want.tensor, self._config.lanes, want.slots_of(order), banks, int(lacks)
        )
        layout.flat[0][:, order] = slices
        layout.flat[1][:, order] = addrs
        if lacks:
            self.zeros.append((spare[0][:, 0], spare[1][:, 0]))
        zeros = self.zeros[-1] if lacks else (None, None)
        self.placed[id(want.op)].loaded = Loaded(want, layout, *zeros)

    def _take_braided(
        self, tensor: Tensor, width: int, slots: Vectors, banks: list[Bank], spare: int = 0
    ) -> tuple[Numbers, Numbers, tuple[Numbers, Numbers]]:
        """Take words in `width` slices so that bytes of a vector, and equal bytes of different slots, never meet.

        Parameters
        ----------
        tensor : Tensor
        width : int
            At least the size of an element.
        slots : ndarray, shape (n,)
            By vector, 0 to width - 1.
        banks : list of Bank
        spare : int
            Further words in each slice.

        Returns
        -------
        slices, addrs : ndarray, shape (bytes, n)
        spare : (slices, addrs)
            Shape (width, spare).
        """
        size = tensor.itemsize
        offered = _in_pairs(self._config, banks) if size == 2 else banks
        # A reader can follow the writer where that changes banks now and then.
        parts = np.arange(len(slots)) * _CHANGES // len(slots) % 2 if len(slots) >= _LONG else np.zeros_like(slots)
        rows, first, row = [], 0, np.empty((size, len(slots)), np.int64)
        for part in range(int(parts.max()) + 1):
            turns = np.zeros(len(slots), np.int64)
            for slot in range(width):
                mine = (slots == slot) & (parts == part)
                turns[mine] = np.arange(mine.sum())
            most = int(turns.max()) + 1
            row[:, parts == part] = (first + most * np.arange(size)[:, None] + turns)[:, parts == part]
            rows.append(size * most)
            first += size * most
        slices, addrs = self._take_members(tensor.name, width, rows, spare, offered)
        if size == 2:
            # The bytes of an element lie on one side.
            side = np.argsort(slices[:, 0] >= self._config.mem_slices, kind="stable")
            pairs = np.concatenate([side[0::2], side[1::2]])
            slices, addrs = slices[pairs], addrs[pairs]
        member = (slots + np.arange(size)[:, None] * (width // size)) % width
        return slices[member, row], addrs[member, row], (slices[:, first:], addrs[:, first:])

    def _take_members(
        self, what: str, width: int, rows: list[int], spare: int, banks: list[Bank]
    ) -> tuple[Numbers, Numbers]:
        """Take rows of `width` words; two parts from both banks of the same slices if these have room."""
        offered = set(banks)
        both = [n for n in dict.fromkeys(bank.slice for bank in banks) if {Bank(n, 0), Bank(n, 1)} <= offered]
        if len(rows) == 2:
            saved = self.allocator.save()
            try:
                found = [
                    self.allocator.take(what, width, count + spare * part, [Bank(n, part) for n in both[:width]])
                    for part, count in enumerate(rows)
                ]
                return np.hstack([part[0] for part in found]), np.hstack([part[1] for part in found])
            except OutOfMemory:
                self.allocator.restore(saved)
        return self.allocator.take(what, width, sum(rows) + spare, banks)


def _in_pairs(config: Config, banks: list[Bank]) -> list[Bank]:
    """Return banks without those of the last slice of a side that has an odd number of them."""
    found = banks
    for east in (False, True):
        mine = list(dict.fromkeys(bank.slice for bank in banks if (bank.slice >= config.mem_slices) == east))
        if len(mine) % 2:
            found = [bank for bank in found if bank.slice != mine[-1]]
    return found
