"""Where states live that rows are scattered into."""

import numpy as np

from arch.config import Config
from compiler.placement.allocator import Bank, OutOfMemory
from compiler.placement.demand import Demand, Work
from compiler.placement.layout import Layout
from compiler.placement.maps import element_words
from compiler.placement.moved import MovedStorage
from compiler.placement.policy import Policy
from compiler.scatter.operation import STATE_SIDE, Target
from compiler.tensor import Tensor
from compiler.vector.lanes import vector_count, vectors_along


class ScatteredStorage(MovedStorage):
    """Places states that rows are scattered into.

    An index is a distance from one address: a byte of a block of columns is in neighbouring words of one bank. Every
    reader has a copy with all rows, since any of them may change.
    """

    def __init__(self, config: Config, work: Work, outputs: list[Tensor], policy: Policy) -> None:
        super().__init__(config, work, outputs, policy)
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
            for byte in range(state.itemsize):
                others = {int(number) for number in np.unique(layout.slices[:byte])}
                near: list[int] = []
                for block in range(shape[0]):
                    number, addr = self._take_rows(state, shape[1], busy | others, near)
                    layout.slices[byte, block] = number
                    layout.addrs[byte, block] = addr + np.arange(shape[1])
                    near = [number]
                    targets.append(Target(layout, block, byte, number, addr, parts.get(number, 0)))
                    parts[number] = parts.get(number, 0) + 1
                    self._reads[number] += shape[1]
            if want is not None:
                self._connect(self._port(want, layout))
            self._add(state, element_words(rows, *layout.flat[:2]))
            layouts.append(layout)
        self.targets[id(state)] = tuple(targets)
        # A SCATTER holds its bank, and the engine of its slice, for long.
        self.allocator.close(Bank(target.slice, target.addr // self._config.mem_depth) for target in targets)
        self._scattered |= {target.slice for target in targets}
        return layouts

    def _take_rows(self, state: Tensor, rows: int, busy: set[int], near: list[int]) -> tuple[int, int]:
        """Take neighbouring words in a slice, at best in one of some or else one that is read seldom.

        Returns
        -------
        slice, addr : int
            First addr.
        """
        slices = [number for number in self._slices_of(STATE_SIDE) if number not in busy]
        for number in sorted(slices, key=lambda one: (one not in near, self._reads[one].sum())):
            for bank in (0, 1):
                saved = self.allocator.save()
                try:
                    _, addrs = self.allocator.take(state.name, 1, rows, [Bank(number, bank)])
                except OutOfMemory:
                    self.allocator.restore(saved)
                    continue
                return number, int(addrs[0, 0])
        raise OutOfMemory(state.name, rows * self._config.vector_length, self._config)
