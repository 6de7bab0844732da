"""Where the operands and results of the SXM's operations live."""

import numpy as np

from arch.config import Config
from arch.geometry import Direction, Hemisphere, sxm_position, units
from compiler.operation import MatMul
from compiler.placement.allocator import Bank, OutOfMemory
from compiler.placement.demand import Demand, Vectors, Work
from compiler.placement.layout import Layout, Numbers
from compiler.placement.orders import missing_vectors
from compiler.placement.placed import slices_of_layouts
from compiler.placement.policy import Policy
from compiler.placement.tables import TableStorage
from compiler.switch.operation import Switch
from compiler.tensor import Tensor
from compiler.vector.lanes import vector_count
from compiler.vector.operation import Pass


class MovedStorage(TableStorage):
    """Places what the SXM makes."""

    def __init__(self, config: Config, work: Work, outputs: list[Tensor], policy: Policy) -> None:
        super().__init__(config, work, outputs, policy)
        self._partial: dict[int, list[tuple[Layout, Demand | None]]] = {}

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
