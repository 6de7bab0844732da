"""Which banks suit what an operation reads and writes."""

from collections import defaultdict

import numpy as np

from arch.config import HEMISPHERES, Config
from arch.geometry import Direction, Hemisphere, mxm_position, units, vxm_position
from compiler.operation import MatMul
from compiler.placement.allocator import Allocator, Bank, OutOfMemory
from compiler.placement.demand import Vectors, Work
from compiler.placement.layout import Numbers
from compiler.placement.placed import Placed, slices_of_layouts, slices_of_parts
from compiler.placement.policy import Policy
from compiler.vector.operation import Pass

_NEXT = 2
"""Passes before and after one that may run at the same time."""
_NEXT_COPIED = 4
"""The same where each has copies of its own of what the host writes."""


class BankChoice:
    """What is placed so far, and the banks in the order in which they suit what comes next.

    Parameters
    ----------
    config : Config
    work : list of (operation, plan)
    policy : Policy
    """

    def __init__(self, config: Config, work: Work, policy: Policy) -> None:
        self._config = config
        self._policy = policy
        self.allocator = Allocator(config)
        self._reads = np.zeros((config.slices, 2), np.int64)
        self._writes = np.zeros((config.slices, 2), np.int64)
        self._scattered: set[int] = set()
        self._width: dict[int, dict[Direction, int]] = defaultdict(lambda: dict.fromkeys(Direction, 0))
        self.placed = {id(op): Placed() for op, _ in work}
        passes = [op for op, _ in work if isinstance(op, Pass)]
        apart = _NEXT_COPIED if policy.copied else _NEXT
        self._beside: dict[int, list[Pass]] = {
            id(op): [*passes[max(number - apart, 0) : number], *passes[number + 1 : number + 1 + apart]]
            for number, op in enumerate(passes)
        }

    def _count(self, load: Vectors, op: Pass, slices: Numbers, addrs: Numbers) -> None:
        """Note that a pass accesses words, shape (bytes, n): their banks are in use for as long as it runs."""
        held = slices >= 0
        load[slices[held], addrs[held] // self._config.mem_depth] += op.duration

    def _busy(self, op: MatMul | Pass) -> set[int]:
        """Return the slices that an operation reads, as far as they are known."""
        placed = self.placed[id(op)]
        return slices_of_parts(placed.weights) | placed.reads

    def _banks_read(self, op: MatMul | Pass, weights: bool = True) -> set[Bank]:
        """Return the banks that an operation reads, those of its weights too or not."""
        placed = self.placed[id(op)]
        pairs = [*placed.weights.values()] if weights else []
        for port in placed.ports.values():
            slices, addrs, _ = port.words()
            pairs.append((slices[:, port.demand.used], addrs[:, port.demand.used]))
        if placed.loaded and weights:
            pairs.append(placed.loaded.layout.flat[:2])
        found = set()
        for slices, addrs in pairs:
            keys = np.unique((slices * 2 + addrs // self._config.mem_depth)[slices >= 0])
            found |= {Bank(int(key) // 2, int(key) % 2) for key in keys}
        return found

    def _sides(self, op: MatMul | Pass, others: list[MatMul | Pass], source: Direction, size: int) -> list[Hemisphere]:
        """Return both hemispheres, first the one whose streams the operations do not crowd, and whose slices idle most.

        Words read in the west, and results that go east, move east. Where slices are short, the fuller one comes first.
        """
        readers = ([op] if source is Direction.EAST else others) if self._policy.pooled else []
        busy = {number for reader in readers for number in self._busy(reader) | self._read_beside(reader)}

        def crowding(side: Hemisphere) -> tuple[int, int, int, int]:
            idle = len(set(self._slices_of(side)) - busy)
            fit = (idle if idle >= size else self._config.slices) if self._policy.pooled else 0
            inward = Direction.EAST if side is Hemisphere.WEST else Direction.WEST
            outward = Direction.WEST if side is Hemisphere.WEST else Direction.EAST
            mine = self._width[id(op)][inward if source is Direction.EAST else outward] + size
            theirs = max((self._width[id(other)][inward] + size for other in others), default=0)
            part = slice(side * self._config.mem_slices, (side + 1) * self._config.mem_slices)
            return (
                fit,
                max(mine, theirs, self._config.streams // 2),
                int(self._reads[part].sum() + self._writes[part].sum()),
                side,
            )

        return sorted(Hemisphere, key=crowding)

    def _read_beside(self, reader: MatMul | Pass | None) -> set[int]:
        """Return the slices that operations next to one read."""
        return {number for other in self._beside.get(id(reader), []) for number in self._busy(other)}

    def _ordered(
        self,
        side: Hemisphere,
        busy: set[int],
        read: set[Bank],
        reader: MatMul | Pass | None,
        writer: Pass | None = None,
        many: bool = False,
    ) -> list[Bank]:
        """Return banks of slices that are not busy and that are not read, the nearest to the VXM first.

        A slice's engines are one for reads and one for writes, and its banks do one or the other at a time. Operations
        next to the reader run at the same time where they can, so what they read is in other slices; what those next to
        the writer read is in other banks, and what they write in other slices. Where `many` are wanted, some of these
        will be taken: those in other banks first.
        """
        beside = self._read_beside(reader)
        near = self._beside.get(id(writer), [])
        used = {bank for other in near for bank in self._banks_read(other)}
        written = [copies for other in near for copies in self.placed[id(other)].outputs]
        taken = {number for copies in written for number in slices_of_layouts(copies)}
        read_slices = {bank.slice for bank in read}
        beside_used = {bank.slice for bank in used}
        banks = [
            Bank(number, bank)
            for number in self._slices_of(side)
            for bank in (0, 1)
            if number not in busy and Bank(number, bank) not in read
        ]

        def rank(bank: Bank) -> tuple[bool, bool, bool, bool, bool, bool, Bank]:
            number = bank.slice
            crowded = number in beside or number in taken or bank in used
            # What changes between both banks of a slice needs the other one too.
            return (
                number in read_slices,
                number in self._scattered,
                crowded,
                self._policy.pooled and bank in used,
                number in beside_used,
                many and bank in used,
                bank,
            )

        return sorted(banks, key=rank)

    def _take_first(self, what: str, width: int, rows: int, choices: list[list[Bank]]) -> tuple[Numbers, Numbers]:
        """Take words from the first of several choices of banks that has room."""
        saved = self.allocator.save()
        for banks in choices[:-1]:
            try:
                return self.allocator.take(what, width, rows, banks)
            except OutOfMemory:
                self.allocator.restore(saved)
        return self.allocator.take(what, width, rows, choices[-1])

    def _banks_to_write(
        self,
        sides: tuple[Hemisphere, ...],
        busy: set[int],
        read: set[Bank],
        shared: set[int],
        avoided: set[int],
        source: Hemisphere | None,
    ) -> list[Bank]:
        """Banks that are not read, of slices that are not busy; last `shared` ones, before them `avoided` ones.

        The nearest to the planes of hemisphere `source`, or to the VXM, come first.
        """
        banks = [
            Bank(number, bank)
            for side in sides
            for number in self._slices_of(side)
            for bank in (0, 1)
            if number not in busy and Bank(number, bank) not in read
        ]
        place = vxm_position(self._config) if source is None else mxm_position(self._config, source)
        every = units(self._config)

        def rank(bank: Bank) -> tuple[bool, bool, int]:
            return bank.slice in shared, bank.slice in avoided, abs(every[bank.slice].position - place)

        return sorted(banks, key=rank)

    def _slices_of(self, side: Hemisphere) -> range:
        """Slices of a hemisphere, from the VXM outwards."""
        return range(side * self._config.mem_slices, (side + 1) * self._config.mem_slices)

    def _banks_near(self, side: Hemisphere) -> list[Bank]:
        """All banks, those nearest to a hemisphere's planes first."""
        slices = [*reversed(self._slices_of(side)), *self._slices_of(Hemisphere((side + 1) % HEMISPHERES))]
        return [Bank(number, bank) for number in slices for bank in (0, 1)]
