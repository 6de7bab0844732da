"""State of a placement: what is in MEM, who will read it, and until when."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from arch.config import Config
from arch.geometry import Direction, Hemisphere, units
from compiler.ir.operation import Operation
from compiler.ir.tensor import Elements, Tensor
from compiler.lower.storage import ComputedWeights, OperationStorage, Target
from compiler.memory.accesses import Meant
from compiler.memory.copies import ReadPort, TensorCopy
from compiler.memory.demand import Demand, Key
from compiler.memory.maps import MapWords
from compiler.memory.words import Numbers, Words
from compiler.place.policy import Policy
from compiler.schedule.scheduler import Scheduler

_NEXT = 2
"""Passes before and after one that may run at the same time."""
_NEXT_COPIED = 4
"""The same where each has copies of its own of what the host writes."""

_FAR = 6
"""Operations between two that hardly run at the same time."""


@dataclass(eq=False)
class HostCopy:
    """Vectors of a tensor that the host writes: which elements, and where."""

    elements: Elements
    copy: TensorCopy
    serial: bool
    users: list[Operation] = field(default_factory=list)


class PlacementState:
    """Copies of tensors, the demands of operations that are not placed yet, and what is committed.

    Parameters
    ----------
    config : Config
    stored : callable
        Whether a tensor has vectors of its own in MEM: a result or a state.
    outputs : collection of Tensor
    states : collection of Tensor
        Those that live from run to run.
    policy : Policy
    """

    def __init__(
        self,
        config: Config,
        stored: Callable[[Tensor], bool],
        outputs: Collection[Tensor],
        states: Collection[Tensor],
        policy: Policy,
    ) -> None:
        self.config = config
        self.policy = policy
        self.stored = stored
        self.outputs = set(outputs)
        self.states = set(states)
        self.words = Words(config)
        self.scheduler = Scheduler(config, policy.segment)
        self.demands: dict[Operation, list[Demand]] = {}
        self.readers: dict[Tensor, list[Demand]] = defaultdict(list)
        self.copies: dict[Tensor, list[TensorCopy]] = {}
        self.ports: dict[Operation, dict[Key, ReadPort]] = defaultdict(dict)
        self.held: dict[Operation, dict[Hemisphere, TensorCopy]] = {}
        """Weights of products that the host writes."""
        self.computed: dict[Operation, ComputedWeights] = {}
        self.hosted: dict[Tensor, list[HostCopy]] = defaultdict(list)
        self.weights: dict[Tensor, list[tuple[object, TensorCopy]]] = defaultdict(list)
        self.placed: dict[Operation, OperationStorage] = {}
        self.maps: dict[Tensor, list[MapWords]] = defaultdict(list)
        self.scattered: set[int] = set()
        """Slices with states that rows are scattered into."""
        self.sparse_groups: dict[int, dict[frozenset[int], None]] = {}
        """Slices of ports that are read sparsely, by bytes of an element."""
        self.tables: dict[tuple[int, int], int] = {}
        self.reads = np.zeros((config.slices, 2), np.int64)
        self.writes = np.zeros((config.slices, 2), np.int64)
        """Cycles for which operations read, or write, each bank."""
        self.width: dict[Operation, dict[Direction, int]] = defaultdict(lambda: dict.fromkeys(Direction, 0))
        self._left: dict[Tensor, int] = defaultdict(int)
        self._passes: list[Operation] = []
        self._numbers: dict[Operation, int] = {}
        self._order: dict[Operation, int] = {}
        self.written: dict[Tensor, list[TensorCopy]] = {}
        """Copies of states that a result is written to as well."""
        self.targets: dict[Tensor, tuple[Target, ...]] = {}
        """Targets of a Scatter, by the state that it writes."""
        self.journal: list[Callable[[], object]] = []
        """Undo of each change, in order."""
        self.thorough = False
        """Whether an operation that finds no place otherwise may have any, however long it takes there."""
        self.partial: dict[Tensor, list[tuple[TensorCopy, Demand | None]]] = {}
        """Copies of results that several operations write parts of, before the last of them."""
        self.meant: list[tuple[Meant, int]] = []
        """Accesses of all that is placed, with the starts of their macro-operations."""

    # Changes that can be undone

    def put(self, mapping: dict[Any, Any], key: Any, value: Any) -> None:
        """Set an entry of one of the state's mappings."""
        if key in mapping:
            self.journal.append(partial(mapping.__setitem__, key, mapping[key]))
        else:
            self.journal.append(partial(mapping.pop, key))
        mapping[key] = value

    def add(self, items: list[Any], item: Any) -> None:
        """Append to one of the state's lists."""
        items.append(item)
        self.journal.append(items.pop)

    # Who reads what

    def declare(
        self, operations: Sequence[Operation], demands: Mapping[Operation, list[Demand]], passes: Sequence[Operation]
    ) -> None:
        """Take operations in their order, with the demands of their preferred plans, and which of them are passes."""
        for op in operations:
            self.demands[op] = demands[op]
            for demand in demands[op]:
                if demand.elements is None:
                    # The host can write a copy for everyone; of results only their makers can, who have to know.
                    self.readers[demand.tensor].append(demand)
            for tensor in set(op.reads()):
                self._left[tensor] += 1
        self._order = {op: number for number, op in enumerate(operations)}
        self._passes = list(passes)
        self._numbers = {op: number for number, op in enumerate(self._passes)}

    def replace(self, op: Operation, pieces: Sequence[Operation], demands: Mapping[Operation, list[Demand]]) -> None:
        """Let other operations do the work of one that is not placed yet."""
        for demand in self.demands[op]:
            if demand.elements is None:
                left = [other for other in self.readers[demand.tensor] if other is not demand]
                self.put(self.readers, demand.tensor, left)
        for piece in pieces:
            self.put(self.demands, piece, demands[piece])
            for demand in demands[piece]:
                if demand.elements is None:
                    self.add(self.readers[demand.tensor], demand)
            for tensor in set(piece.reads()):
                self.put(self._left, tensor, self._left[tensor] + 1)
            # Pieces stand where the operation stood: its neighbours are theirs.
            self._order[piece] = self._order[op]
            if op in self._numbers:
                self._numbers[piece] = self._numbers[op]
        for tensor in set(op.reads()):
            self.put(self._left, tensor, self._left[tensor] - 1)

    def expect(self, op: Operation) -> None:
        """Count an operation that was not declared among the readers: what it reads is not free before the others'."""
        for tensor in set(op.reads()):
            self.put(self._left, tensor, self._left[tensor] + 1)

    @property
    def sparse(self) -> set[int]:
        """Slices that are read sparsely."""
        return set().union(*(group for groups in self.sparse_groups.values() for group in groups))

    def far(self, op: Operation, others: Iterable[Operation]) -> bool:
        """Return whether an operation comes so long before or after others that they hardly run at the same time."""
        mine = self._order.get(op, 0)
        return all(abs(self._order.get(other, 0) - mine) > _FAR for other in others)

    def neighbours(self, op: Operation | None) -> list[Operation]:
        """Return the passes before and after one that may run at the same time."""
        if op is None or op not in self._numbers:
            return []
        number, apart = self._numbers[op], _NEXT_COPIED if self.policy.copied else _NEXT
        return [*self._passes[max(number - apart, 0) : number], *self._passes[number + 1 : number + 1 + apart]]

    def busy(self, op: Operation) -> set[int]:
        """Return the slices that an operation reads, as far as they are known."""
        # Of what is placed the truth, of all else what is known so far.
        if op in self.placed:
            return self.placed[op].read_slices
        found = set().union(*(port.slices for port in self.ports[op].values()))
        found |= set().union(*(copy.used for copy in self.held.get(op, {}).values()))
        return found | (self.computed[op].copy.used if op in self.computed else set())

    def read_by_neighbours(self, op: Operation | None) -> set[int]:
        """Return the slices that operations next to one read."""
        return {number for other in self.neighbours(op) for number in self.busy(other)}

    def slices_of(self, side: Hemisphere) -> range:
        """Return the slices of a hemisphere, from the VXM outwards."""
        return range(side * self.config.mem_slices, (side + 1) * self.config.mem_slices)

    # Words that hold zeros

    def zero_words(self, slices: Iterable[int]) -> tuple[Numbers, Numbers] | None:
        """Return words of zeros in some slices, one each; None when a slice has no room."""
        numbers = [*slices]
        addrs = [self.words.zero(number) for number in numbers]
        return None if None in addrs else (np.array(numbers, np.int32), np.array(addrs, np.int32))

    def port_of(self, demand: Demand, copy: TensorCopy) -> ReadPort | None:
        """Return the port of a demand on a copy, with words of zeros in the slices of its first vector if it reads any.

        None when there is no room for those.
        """
        size = demand.tensor.itemsize
        none = np.full(size, -1, np.int32)
        if not demand.zeros:
            return ReadPort(copy, demand.steps, demand.used, none, none, demand.tensor, demand.elements)
        where = copy.slices[:, demand.order[0]].tolist() if len(demand.order) else range(size)
        words = self.zero_words(where)
        return (
            None if words is None else ReadPort(copy, demand.steps, demand.used, *words, demand.tensor, demand.elements)
        )

    def connect(self, demand: Demand, port: ReadPort) -> None:
        """Let an operation that is not placed yet read a copy, and count what it will read."""
        op = demand.op
        self.put(self.ports[op], demand.key, port)
        self.note_sparse(demand, port)
        self.note_read(demand, port)

    def note_sparse(self, demand: Demand, port: ReadPort) -> None:
        """Note the slices of a port that is read sparsely: others may be read from them in between."""
        if demand.is_sparse:
            self.put(self.sparse_groups.setdefault(demand.tensor.itemsize, {}), frozenset(port.slices), None)

    def note_read(self, demand: Demand, port: ReadPort) -> None:
        """Count the banks and streams that a port takes."""
        op, size = demand.op, demand.tensor.itemsize
        slices, addrs, _ = port.words()
        if demand.cycles and not (demand.is_sparse and self.policy.sparse):
            held = slices >= 0
            self.reads[slices[held], addrs[held] // self.config.mem_depth] += demand.cycles
        if demand.cycles or (demand.of_epilogue and not demand.is_stationary):
            first = units(self.config)[int(slices[0, demand.used[0]])]
            self.width[op][first.inward] += size

    def unprepare(self, op: Operation) -> None:
        """Give back what the host was to write for an operation alone, whose preferred plan is not possible."""
        # Words that another operation counts on stay, whatever becomes of this one.
        held = self.held.get(op, {})
        shared = {copy for other, copies in self.held.items() if other is not op for copy in copies.values()}
        for copy in dict.fromkeys(held.values()):
            # An operation that is placed may have found them too, without their having been prepared for it.
            if copy not in shared and (copy.last < 0).all():
                for tensor, known in list(self.weights.items()):
                    if any(copy is mine for _, mine in known):
                        self.put(self.weights, tensor, [item for item in known if item[1] is not copy])
                        self._take_back(tensor, copy)
        if held:
            self.put(self.held, op, {})
        ports = self.ports[op]
        for port in ports.values():
            if port.elements is None or port.tensor is None:
                continue
            hosts = self.hosted[port.tensor]
            mine = next((host for host in hosts if host.copy is port.copy), None)
            if mine is not None and all(user is op for user in mine.users):
                self.put(self.hosted, port.tensor, [host for host in hosts if host is not mine])
                self._take_back(port.tensor, port.copy)
        self.put(self.ports, op, {key: port for key, port in ports.items() if port.elements is None})

    def _take_back(self, tensor: Tensor, copy: TensorCopy) -> None:
        held = copy.slices >= 0
        # Nothing has run yet that could have used them, so the host can still have them.
        self.words.return_unused(copy.slices[held], copy.addrs[held])
        self.put(self.maps, tensor, [words for words in self.maps[tensor] if words is not copy.map])

    # What is over

    def finish(self, op: Operation) -> None:
        """Note that an operation is placed: what has no readers left is free after its last read."""
        for tensor in set(op.reads()):
            assert self._left[tensor], f"{tensor.name} has a reader that was never declared"
            self.put(self._left, tensor, self._left[tensor] - 1)
            if not self._left[tensor]:
                self._release(tensor)
        # A result that nobody reads is over once it is written; but of some, parts are still to come.
        for tensor in set(op.writes()):
            if not self._left[tensor] and not self.partial.get(tensor):
                self._release(tensor)

    def _release(self, tensor: Tensor) -> None:
        if tensor in self.outputs or tensor in self.states:
            return
        if tensor in self.copies:
            for copy in self.copies[tensor]:
                self.words.release(copy.slices, copy.addrs, np.maximum(copy.ready, copy.last + 1))
            return
        if tensor.data is None:
            # Inputs are written again before the next run; constants must stay.
            for copy in [*(host.copy for host in self.hosted[tensor]), *(copy for _, copy in self.weights[tensor])]:
                # Never from cycle 0 on: no other word of the host may come there.
                self.words.release(copy.slices, copy.addrs, np.maximum(copy.last + 1, 1))
            self.put(self.hosted, tensor, [])
            self.put(self.weights, tensor, [])
