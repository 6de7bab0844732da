"""Where the operands and results of operations outside the VXM live: those of the SXM, and tables."""

from collections.abc import Sequence

import numpy as np

from arch.config import Config
from arch.geometry import Direction, Hemisphere, sxm_position, units
from compiler.gather.operation import Gather, Gathering, Part
from compiler.operation import MatMul
from compiler.placement.allocator import Bank, OutOfMemory
from compiler.placement.demand import Demand, Vectors, Work
from compiler.placement.layout import Layout, Numbers
from compiler.placement.loaded import LoadedStorage
from compiler.placement.maps import element_words
from compiler.placement.orders import missing_vectors
from compiler.placement.placed import slices_of_layouts
from compiler.switch.operation import Switch
from compiler.tensor import Tensor
from compiler.vector.lanes import vector_count
from compiler.vector.operation import Pass


class MovedStorage(LoadedStorage):
    """Places what the SXM makes, and tables with what is read of them."""

    def __init__(self, config: Config, work: Work, outputs: list[Tensor], copied: bool = False) -> None:
        super().__init__(config, work, outputs, copied)
        self._tables: dict[int, int] = {}
        self._partial: dict[int, list[tuple[Layout, Demand | None]]] = {}

    def _place_gathered(self, op: Gather) -> None:
        """Place the table and the result of a Gather, one block and byte in one slice, and the indices before them.

        The table is in one bank of the slice, the result in the other.
        """
        readers = self._readers(op.target)
        busy = {number for reader in readers for number in self._busy(reader.op)}
        # An ALU reads from one direction.
        one_sided = any(reader.in_mesh for reader in readers)
        west, east = (self._slices_of(side) for side in Hemisphere)
        ways: list[tuple[Direction, Sequence[int], Sequence[int]]] = [(Direction.EAST, west, [*west, *east])]
        if one_sided:
            ways = [(Direction.EAST, [*reversed(west)], [*east]), (Direction.WEST, [*reversed(east)], [*west])]
        saved = self.allocator.save()
        for way in ways:
            try:
                self._place_gathering(op, way, busy)
                break
            except OutOfMemory:
                self.allocator.restore(saved)
                if way is ways[-1]:
                    raise
        layout = self.placed[id(op)].outputs[0][0]
        found: list[tuple[Layout, Demand | None]] = [(layout, want) for want in self._wanted(op.target, readers)]
        self._publish(op.target, found)

    def _place_gathering(self, op: Gather, way: tuple[Direction, Sequence[int], Sequence[int]], busy: set[int]) -> None:
        direction, first, slices = way
        found = self.allocator.take(
            op.indices.name, 2, op.m, [Bank(number, bank) for number in reversed(first) for bank in (0, 1)]
        )
        table = Layout.empty(op.target.itemsize, op.blocks, op.v)
        layout = Layout.empty(op.target.itemsize, op.blocks, op.m)
        places = [units(self._config)[number].position for number in range(self._config.slices)]
        start = [places[int(number)] for number in np.unique(found[0])]
        passed = [
            number
            for number in slices
            if number not in busy
            and number not in found[0]
            and all((places[number] - place) * direction.step >= 0 for place in start)
        ]
        rounds = dict.fromkeys(passed, 0)
        parts = []
        for block in range(op.blocks):
            mine: set[int] = set()
            for byte in range(op.target.itemsize):
                number, addr = self._take_part(
                    op, [one for one in passed if one not in mine], rounds, layout, block, byte
                )
                table.slices[byte, block], table.addrs[byte, block] = number, addr + np.arange(op.v)
                mine.add(number)
                parts.append(Part(block, byte, number, addr, rounds[number]))
                rounds[number] += 1
        placed = self.placed[id(op)]
        placed.gathering = Gathering(direction, *found, tuple(parts))
        placed.outputs = [[layout]]
        missing = np.full((2, op.m), -1, np.int32)
        self._add(
            op.indices, element_words(op.index_rows, np.vstack([found[0], missing]), np.vstack([found[1], missing]))
        )
        self._add(op.table, element_words(op.table_rows, *table.flat[:2]))

    def _take_part(
        self, op: Gather, slices: list[int], rounds: dict[int, int], layout: Layout, block: int, byte: int
    ) -> tuple[int, int]:
        """Take words for a byte of a block of the table, and of the result; return the slice and the first addr."""
        for number in sorted(slices, key=lambda one: rounds[one]):
            for bank in (0, 1):
                if self._tables.setdefault(number, bank) != bank:
                    continue
                saved = self.allocator.save()
                try:
                    _, addrs = self.allocator.take(op.table.name, 1, op.v, [Bank(number, bank)])
                    result = self.allocator.take(op.target.name, 1, op.m, [Bank(number, 1 - bank)])
                except OutOfMemory:
                    self.allocator.restore(saved)
                    continue
                layout.slices[byte, block], layout.addrs[byte, block] = result[0][0], result[1][0]
                return number, int(addrs[0, 0])
        raise OutOfMemory(op.table.name, op.v * self._config.vector_length, self._config)

    def _place_switched(self, op: Switch) -> None:
        """Place the results of a switch operation, parts of one tensor, in slices of their own.

        Their bytes are written one after another: where they are read so too, or by the host, one slice has them all.
        """
        tensor = op.results[0].tensor
        readers = self._readers(tensor)
        missing = missing_vectors(self._config, tensor, readers)
        shape = tensor.itemsize, *vector_count(tensor, self._config.vector_length)
        written: set[int] = set()
        found = self._partial.pop(id(tensor), None)
        if found is None:
            found = [(Layout.empty(*shape), want) for want in self._wanted(tensor, readers)]
        for layout, want in found:
            order = missing if want is None else want.order
            sides = self._sides(op, [] if want is None else [want.op], Direction.WEST, tensor.itemsize)
            # An ALU reads from one direction.
            one_sided = want is not None and want.in_mesh
            choices = [[side] for side in sides] if one_sided else [sides]
            if one_sided and layout.used:
                choices = [[side] for side in sides if layout.used & set(self._slices_of(side))]
            saved = self.allocator.save()
            for choice in choices:
                try:
                    written |= self._fill_switched(op, layout, want, order, choice, written)
                    break
                except OutOfMemory:
                    self.allocator.restore(saved)
                    if choice is choices[-1]:
                        raise
        self.placed[id(op)].outputs.append([layout for layout, _ in found])
        if op.more:
            self._partial[id(tensor)] = found
        else:
            self._publish(tensor, found)

    def _fill_switched(
        self,
        op: Switch,
        layout: Layout,
        want: Demand | None,
        order: Vectors,
        sides: list[Hemisphere],
        written: set[int],
    ) -> set[int]:
        """Take words for what an operation adds to a copy, part by part; return their slices."""
        tensor = op.results[0].tensor
        read = self._banks_read(op)
        near = self._beside[id(op)]
        used = {bank for other in near for bank in self._banks_read(other)}
        copies = [layout for other in near for outputs in self.placed[id(other)].outputs for layout in outputs]
        taken = slices_of_layouts(copies)
        read_slices = {bank.slice for bank in read}
        busy = written | (set() if want is None else self._busy(want.op))
        reader = None if want is None else want.op
        every = [bank for side in sides for bank in self._ordered(side, busy, read, reader, op)]
        # A queue that reads and writes at the same time may want to do both in one cycle.
        distance = self._distances(op)
        every.sort(
            key=lambda bank: (
                bank in used or bank.slice in taken or bank.slice in self._scattered,
                bank.slice in read_slices,
                distance[bank.slice],
            )
        )
        if want is not None and want.columns:
            # The first of several operations takes the words of all.
            if not layout.used:
                self._fill_loaded(layout, want, every)
            return layout.used
        mine: set[int] = set()
        wanted = [result.steps[np.isin(result.steps, order)] for result in op.results]
        parts = [part for part in wanted if len(part)]
        if want is not None and not want.serial and len(parts) >= tensor.itemsize > 1:
            slots = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
            slices, addrs, _ = self._take_braided(tensor, len(parts), slots, every)
            layout.flat[0][:, np.concatenate(parts)] = slices
            layout.flat[1][:, np.concatenate(parts)] = addrs
            self._count(self._writes, op, slices, addrs)
            return {int(number) for number in np.unique(slices)}
        for result in op.results:
            vectors = order[np.isin(order, result.steps)]
            if not len(vectors):
                continue
            banks = [bank for bank in every if bank.slice not in mine]
            if want is None or want.serial:
                slices, addrs = self._take_serial(tensor, len(vectors), banks)
            else:
                slices, addrs = self.allocator.take(tensor.name, tensor.itemsize, len(vectors), banks)
            layout.flat[0][:, vectors] = slices
            layout.flat[1][:, vectors] = addrs
            mine |= {int(number) for number in np.unique(slices)}
            self._count(self._writes, op, slices, addrs)
        return mine

    def _distances(self, op: MatMul | Pass, side: Hemisphere | None = None) -> list[int]:
        """Return the cycles from every slice to the SXM that reads the slices of an operation, or of `side` before."""
        known = [port.slices for _, port in sorted(self.placed[id(op)].ports.items()) if port.demand.serial]
        if known:
            side = units(self._config)[min(known[0])].hemisphere
        end = sxm_position(self._config, side or Hemisphere.WEST)
        return [abs(unit.position - end) for unit in units(self._config)[: self._config.slices]]

    def _take_serial(self, tensor: Tensor, count: int, banks: list[Bank]) -> tuple[Numbers, Numbers]:
        """Take words for vectors whose bytes stand one after another."""
        size = tensor.itemsize
        slices, addrs = self.allocator.take(tensor.name, 1, size * count, banks)
        return slices.reshape(count, size).T, addrs.reshape(count, size).T
