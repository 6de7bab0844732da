"""Who reads the copies of a tensor, and what the host reads and writes."""

from collections.abc import Sequence

import numpy as np

from arch.config import Config
from arch.geometry import Hemisphere, units
from compiler.placement.allocator import Bank
from compiler.placement.bank_choice import BankChoice
from compiler.placement.demand import Demand, Port, Work
from compiler.placement.layout import Layout, Numbers
from compiler.placement.maps import Words, element_words
from compiler.placement.orders import missing_vectors
from compiler.placement.policy import Policy
from compiler.tensor import Tensor
from compiler.vector.lanes import vectors_along
from compiler.vector.operation import Pass


class Connections(BankChoice):
    """What is placed so far, who reads it, and the words that the host reads and writes.

    Parameters
    ----------
    config : Config
    work : list of (operation, plan)
    outputs : list of Tensor
    policy : Policy
    """

    def __init__(self, config: Config, work: Work, outputs: list[Tensor], policy: Policy) -> None:
        super().__init__(config, work, policy)
        self._outputs = outputs
        self._demands: dict[int, list[Demand]] = {}
        self.words: dict[int, list[Words]] = {}
        """Words of inputs, constants and outputs, by id of the tensor."""
        self._rare: list[Port] = []
        self.zeros: list[tuple[Numbers, Numbers]] = []
        """Slices and addrs of words that hold zeros."""

    def _publish(self, tensor: Tensor, found: list[tuple[Layout, Demand | None]]) -> None:
        """Let readers and the host know the copies of a result."""
        for layout, want in found:
            if want is not None and not want.columns:
                self._connect(self._port(want, layout))
        if any(tensor is output for output in self._outputs):
            slices, addrs = found[0][0].flat[0].copy(), found[0][0].flat[1].copy()
            for layout, _ in found[1:]:
                missing = slices < 0
                slices[missing], addrs[missing] = layout.flat[0][missing], layout.flat[1][missing]
            elements = np.arange(tensor.size, dtype=np.int32).reshape(tensor.shape)
            rows = vectors_along(elements, tensor.lanes, self._config.vector_length)
            self._add(tensor, element_words(rows, slices, addrs))

    def _readers(self, tensor: Tensor) -> list[Demand]:
        return [
            demand
            for demands in self._demands.values()
            for demand in demands
            if demand.tensor is tensor and demand.elements is None
        ]

    def _wanted(self, tensor: Tensor, readers: list[Demand]) -> list[Demand | None]:
        """Return the copies to make of a result: one per port that reads it, and one for the host if it lacks any."""
        is_output = any(tensor is output for output in self._outputs)
        if not readers or (is_output and len(missing_vectors(self._config, tensor, readers))):
            return [*readers, None]
        return [*readers]

    def _port(self, demand: Demand, layout: Layout) -> Port:
        """Return the port of a demand, with words of zeros in the slices of its first vector if it reads any."""
        size = demand.tensor.itemsize
        none = np.full(size, -1, np.int32)
        if not demand.zeros:
            return Port(demand, layout, none, none)
        where = layout.flat[0][:, demand.order[0]] if len(demand.order) else np.arange(size)
        slices, addrs = np.empty(size, np.int32), np.empty(size, np.int32)
        for byte, number in enumerate(where.tolist()):
            found = self.allocator.take(demand.tensor.name, 1, 1, [Bank(number, bank) for bank in (0, 1)])
            slices[byte], addrs[byte] = found[0][0, 0], found[1][0, 0]
        self.zeros.append((slices, addrs))
        return Port(demand, layout, slices, addrs)

    def _connect(self, port: Port) -> None:
        demand = port.demand
        self.placed[id(demand.op)].ports[demand.key] = port
        slices, addrs, _ = port.words()
        if demand.is_rare:
            self._rare.append(port)
        if isinstance(demand.op, Pass) and not (demand.is_rare and self._policy.pooled):
            self._count(self._reads, demand.op, slices, addrs)
        if isinstance(demand.op, Pass) or (demand.of_epilogue and not demand.is_kept):
            first = units(self._config)[int(slices[0, demand.used[0]])]
            self._width[id(demand.op)][first.inward] += demand.tensor.itemsize

    def _rare_slices(self, demand: Demand) -> list[set[int]]:
        """Return groups of slices from which ports are read now and then, in other cycles than one port is."""
        size = demand.tensor.itemsize
        alike = [port.slices for port in self._rare if port.demand.tensor.itemsize == size] if demand.is_rare else []
        return [slices for slices in alike if self._is_apart(demand, slices)]

    def _is_apart(self, demand: Demand, slices: set[int]) -> bool:
        """Return whether a port that is read now and then meets no other of its operation in some slices."""
        others = self.placed[id(demand.op)].ports.values()
        return all(demand.apart(other.demand) for other in others if other.slices & slices)

    def _rare_banks(self, demand: Demand, sides: Sequence[Hemisphere], busy: set[int]) -> list[Bank]:
        """Return the banks of the first of `_rare_slices` that lies on some sides and is not busy."""
        offered = {number for side in sides for number in self._slices_of(side)} - busy
        found = next((slices for slices in self._rare_slices(demand) if slices <= offered), set())
        return [Bank(number, bank) for number in sorted(found) for bank in (0, 1)]

    def _add(self, tensor: Tensor, words: Words) -> None:
        self.words.setdefault(id(tensor), []).append(words)
