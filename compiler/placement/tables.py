"""Where tables, their indices, and the rows that are gathered live."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from arch.config import Config
from arch.geometry import Direction, Hemisphere, units
from compiler.gather.operation import Gather, Gathering, Part
from compiler.gather.share import Share, shares
from compiler.placement.allocator import Bank, OutOfMemory
from compiler.placement.demand import Demand, Work
from compiler.placement.layout import Layout, Numbers
from compiler.placement.loaded import LoadedStorage
from compiler.placement.maps import element_words
from compiler.placement.policy import Policy
from compiler.tensor import Tensor

Way = tuple[Direction, Sequence[int], Sequence[int]]
"""Where indices go, slices for them, and slices that they may pass."""


class TableStorage(LoadedStorage):
    """Places tables with what is read of them.

    A slice has a byte of a block of a table's columns in one bank, and what it gathers of that in the other.
    """

    def __init__(self, config: Config, work: Work, outputs: list[Tensor], policy: Policy) -> None:
        super().__init__(config, work, outputs, policy)
        self._tables: dict[int, int] = {}
        # Further copies of tables leave as much room as they take, if anything else may want it.
        self._margin = 2 if len(work) > 1 else 1

    def _place_gathered(self, op: Gather) -> None:
        """Place the table and the result of a Gather, and the indices before them.

        A dense program has one copy of the table. Otherwise the fastest share of the work is taken that finds room.
        """
        readers = self._readers(op.target)
        busy = {number for reader in readers for number in self._busy(reader.op)}
        # An ALU reads from one direction.
        one_sided = any(reader.in_mesh for reader in readers)
        west, east = (self._slices_of(side) for side in Hemisphere)
        ways: list[Way] = [(Direction.EAST, west, [*west, *east])]
        if one_sided:
            ways = [(Direction.EAST, [*reversed(west)], [*east]), (Direction.WEST, [*reversed(east)], [*west])]
        # Rows that an operation reads are in regular order in each slice, so that few words read them.
        choices = [
            (way, share)
            for way in ways
            for share in self._shares(op, way, busy)
            if not share.shared_turns or (not self._policy.dense and (share.shared_turns == 1 or not readers))
        ]
        choices.sort(key=lambda choice: choice[1].cycles)
        if not choices:
            raise OutOfMemory(op.indices.name, op.m * 2 * self._config.vector_length, self._config)
        saved, tables = self.allocator.save(), self._tables.copy()
        for choice in choices:
            try:
                self._place_gathering(op, *choice, busy)
                break
            except OutOfMemory:
                self.allocator.restore(saved)
                self._tables = tables.copy()
                if choice is choices[-1]:
                    raise
        layout = self.placed[id(op)].outputs[0][0]
        found: list[tuple[Layout, Demand | None]] = [(layout, want) for want in self._wanted(op.target, readers)]
        self._publish(op.target, found)

    def _shares(self, op: Gather, way: Way, busy: set[int]) -> list[Share]:
        """Return how the slices that indices can pass may share the work; nothing where there is no room for it."""
        saved = self.allocator.save()
        try:
            indices = self._take_indices(op, way, op.m)
        except OutOfMemory:
            return []
        finally:
            self.allocator.restore(saved)
        size = op.target.itemsize
        passed = self._passed(way, indices[0], busy)
        return list(shares(self._config, op.m, op.blocks * size, len(passed))) if len(passed) >= size else []

    def _place_gathering(self, op: Gather, way: Way, share: Share, busy: set[int]) -> None:
        """Place everything for one share of the work."""
        orders = {turn.order.tobytes(): turn.order for turn in share.turns}
        slices, addrs = self._take_indices(op, way, sum(map(len, orders.values())))
        layout = Layout.empty(op.target.itemsize, op.blocks, op.m)
        parts = self._place_parts(op, share, self._passed(way, slices, busy), layout)
        # With one copy of each part, slices without room leave more turns to others.
        turns = share.turns if share.shared_turns else share.turns[:1] * (1 + max(part.turn for part in parts))
        ends = dict(zip(orders, accumulate(map(len, orders.values())), strict=True))
        words = []
        for turn in turns:
            end = ends[turn.order.tobytes()]
            its = slice(end - len(turn.order), end)
            words.append((slices[:, its], addrs[:, its]))
        placed = self.placed[id(op)]
        placed.gathering = Gathering(way[0], turns, tuple(words), tuple(parts))
        placed.outputs = [[layout]]
        rows = np.concatenate(list(orders.values()))
        missing = np.full_like(slices, -1)
        self._add(
            op.indices, element_words(op.index_rows[rows], np.vstack([slices, missing]), np.vstack([addrs, missing]))
        )

    def _place_parts(self, op: Gather, share: Share, passed: list[int], layout: Layout) -> list[Part]:
        """Place the parts of the table in slices that the indices pass, and what is gathered of them in `layout`."""
        size = op.target.itemsize
        # Each slice's turns so far.
        done = dict.fromkeys(passed, 0)
        copies: dict[int, dict[int, int]] = {part: {} for part in range(share.parts)}
        parts: list[Part] = []
        for unit in share.units:
            block, byte = divmod(unit.part, size)
            rows = share.turns[unit.turn].ways[unit.way]
            known = copies[unit.part]
            # Bytes of a vector are read together.
            others = {int(number) for number in np.unique(layout.slices[:, block, rows])}
            suited = [number for number in passed if number not in others]
            if share.shared_turns:
                suited = [number for number in suited if done[number] <= unit.turn]
            suited.sort(key=lambda number: (number not in known, done[number]))
            number, addr, first = self._take_part(op, suited, known, len(rows))
            known[number] = addr
            layout.slices[byte, block, rows], layout.addrs[byte, block, rows] = number, first + np.arange(len(rows))
            turn = unit.turn if share.shared_turns else done[number]
            parts.append(Part(block, byte, number, addr, turn, unit.way))
            done[number] = turn + 1
        for part, known in copies.items():
            block, byte = divmod(part, size)
            elements = op.table_rows[block * op.v : (block + 1) * op.v]
            for number, addr in known.items():
                table = Layout.empty(size, 1, op.v)
                table.slices[byte], table.addrs[byte] = number, addr + np.arange(op.v)
                self._add(op.table, element_words(elements, *table.flat[:2]))
        return parts

    def _take_indices(self, op: Gather, way: Way, words: int) -> tuple[Numbers, Numbers]:
        """Take words for low bytes of indices, before the slices that they pass."""
        banks = [Bank(number, bank) for number in reversed(way[1]) for bank in (0, 1)]
        return self.allocator.take(op.indices.name, 2, words, banks)

    def _passed(self, way: Way, indices: Numbers, busy: set[int]) -> list[int]:
        """Return the slices that all indices can pass, the nearest to them first."""
        direction, _, slices = way
        places = [units(self._config)[number].position * direction.step for number in range(self._config.slices)]
        own = {int(number) for number in np.unique(indices)}
        last = max(places[number] for number in own)
        passed = [number for number in slices if number not in busy and number not in own and places[number] >= last]
        return sorted(passed, key=lambda number: places[number])

    def _take_part(self, op: Gather, slices: list[int], known: dict[int, int], rows: int) -> tuple[int, int, int]:
        """Take words for a part of the table, if a slice has none yet, and for what is gathered of it.

        Parameters
        ----------
        op : Gather
        slices : list of int
            The best first.
        known : dict of int to int
            Slices that have the part, with its first addr.
        rows : int
            To be gathered.

        Returns
        -------
        int
            The slice.
        int
            First addr of the part.
        int
            Addr of the first row.

        Raises
        ------
        OutOfMemory
        """
        for number in slices:
            for bank in (0, 1):
                if self._tables.get(number, bank) != bank:
                    continue
                first = known.get(number)
                needed = op.v * (self._margin if known else 1) if first is None else 0
                if self.allocator.free(Bank(number, bank)) < needed:
                    continue
                if self.allocator.free(Bank(number, 1 - bank)) < rows:
                    continue
                self._tables[number] = bank
                if first is None:
                    first = self._take_words(op.table, op.v, Bank(number, bank))
                return number, first, self._take_words(op.target, rows, Bank(number, 1 - bank))
        raise OutOfMemory(op.table.name, op.v * self._config.vector_length, self._config)

    def _take_words(self, tensor: Tensor, words: int, bank: Bank) -> int:
        """Take neighbouring words; return the first addr."""
        return int(self.allocator.take(tensor.name, 1, words, [bank])[1][0, 0])
