"""Where states live that rows are scattered into."""

import numpy as np

from arch.config import Config
from compiler.placement.allocator import Bank, OutOfMemory
from compiler.placement.demand import Demand, Work
from compiler.placement.layout import Layout
from compiler.placement.maps import element_words
from compiler.placement.moved import MovedStorage
from compiler.scatter.operation import STATE_SIDE, Target
from compiler.tensor import Tensor
from compiler.vector.lanes import vector_count, vectors_along


class ScatteredStorage(MovedStorage):
    """Places states that rows are scattered into.

    An index is a distance from one address: a byte of a block of columns is in neighbouring words of one bank. Every
    reader has a copy with all rows, since any of them may change.
    """

    def __init__(self, config: Config, work: Work, outputs: list[Tensor]) -> None:
        super().__init__(config, work, outputs)
        self.targets: dict[int, tuple[Target, ...]] = {}
        """What a Scatter into a state writes, by id of the state."""

    def _place_rows(self, state: Tensor) -> list[Layout]:
        """Place the copies of a state."""
        readers = self._readers(state)
        vector = self._config.vector_length
        shape = vector_count(state, vector)
        rows = vectors_along(np.arange(state.size, dtype=np.int32).reshape(state.shape), state.lanes, vector)
        parts: dict[int, int] = {}
        targets: list[Target] = []
        layouts = []
        wants: list[Demand | None] = [*readers] or [None]
        for want in wants:
            layout = Layout.empty(state.itemsize, *shape)
            busy = set() if want is None else self._busy(want.op)
            for block in range(shape[0]):
                mine: set[int] = set()
                for byte in range(state.itemsize):
                    number, addr = self._take_rows(state, shape[1], busy | mine, parts)
                    layout.slices[byte, block] = number
                    layout.addrs[byte, block] = addr + np.arange(shape[1])
                    mine.add(number)
                    targets.append(Target(layout, block, byte, number, addr, parts.get(number, 0)))
                    parts[number] = parts.get(number, 0) + 1
            if want is not None:
                self._connect(self._port(want, layout))
            self._add(state, element_words(rows, *layout.flat[:2]))
            layouts.append(layout)
        self.targets[id(state)] = tuple(targets)
        return layouts

    def _take_rows(self, state: Tensor, rows: int, busy: set[int], parts: dict[int, int]) -> tuple[int, int]:
        """Take neighbouring words in a slice that has few parts of the state yet; return it and the first addr."""
        slices = [number for number in self._slices_of(STATE_SIDE) if number not in busy]
        for number in sorted(slices, key=lambda one: (parts.get(one, 0), self._reads[one].sum())):
            for bank in (0, 1):
                saved = self.allocator.save()
                try:
                    _, addrs = self.allocator.take(state.name, 1, rows, [Bank(number, bank)])
                except OutOfMemory:
                    self.allocator.restore(saved)
                    continue
                return number, int(addrs[0, 0])
        raise OutOfMemory(state.name, rows * self._config.vector_length, self._config)

    def close_scattered(self) -> None:
        """Let nothing further into banks that are scattered into."""
        depth = self._config.mem_depth
        for targets in self.targets.values():
            self.allocator.close(Bank(target.slice, target.addr // depth) for target in targets)
