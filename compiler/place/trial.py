"""Trial of one choice for an operation: storage and cycles, tentative until it is committed."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from compiler.memory.copies import Template, TensorCopy
from compiler.memory.demand import Demand
from compiler.memory.maps import MapWords, element_words
from compiler.memory.storage import ComputedWeights, OperationStorage
from compiler.place.state import HostCopy, Operation, PlacementState
from compiler.schedule.scheduler import Mark
from compiler.tensor import Tensor
from compiler.vector.lanes import vectors_along


@dataclass
class Trial:
    """Trial of one choice.

    Attributes
    ----------
    op : Operation
    choice : object
        Plan of the operation.
    demands : dict of Key to Demand
        Of this plan.
    window : (int, int)
        Cycles in which it will run at the earliest, to look up what is taken by then.
    storage : OperationStorage
    started : list of (Template, int)
        Macro-operations and their starts.
    hosted, weights, maps, published, zeros
        What to tell the state if it is chosen.
    """

    op: Operation
    choice: object
    demands: dict[object, Demand]
    window: tuple[int, int] = (0, 0)
    storage: OperationStorage = field(default_factory=OperationStorage)
    started: list[tuple[Template, int]] = field(default_factory=list)
    hosted: list[tuple[Tensor, HostCopy]] = field(default_factory=list)
    weights: list[tuple[Tensor, object, TensorCopy]] = field(default_factory=list)
    maps: list[tuple[Tensor, MapWords]] = field(default_factory=list)
    published: list[tuple[Tensor, list[tuple[TensorCopy, Demand | None]]]] = field(default_factory=list)
    computed: list[tuple[Demand, ComputedWeights]] = field(default_factory=list)
    parts: list[tuple[Tensor, list[tuple[TensorCopy, Demand | None]]]] = field(default_factory=list)
    notes: list[Callable[[], None]] = field(default_factory=list)
    """What to count if it is chosen."""
    shared: bool = False
    """Whether it reads something that the host has written for another operation."""
    lacking: list[Demand] = field(default_factory=list)
    """Demands that no copy of their tensor meets: one has to be made first."""

    @property
    def end(self) -> int:
        """Cycle from which all results can be read."""
        return max(start + template.end for template, start in self.started)

    @property
    def slices_read(self) -> set[int]:
        """Slices that it reads so far."""
        return self.storage.read_slices


@dataclass(frozen=True)
class Savepoint:
    """Point of a state to which a trial can return."""

    words: int
    scheduler: Mark
    zeros: dict[int, tuple[int, int]]
    tables: dict[tuple[int, int], int]


def savepoint(state: PlacementState) -> Savepoint:
    """Return the point at which a state is."""
    return Savepoint(state.words.mark(), state.scheduler.mark(), dict(state.zeros), dict(state.tables))


def give_up(state: PlacementState, point: Savepoint) -> None:
    """Return a state to a point."""
    state.words.rollback(point.words)
    state.scheduler.rollback(point.scheduler)
    state.zeros, state.tables = dict(point.zeros), dict(point.tables)


def commit(state: PlacementState, trial: Trial) -> None:
    """Make a trial, which must be the last thing that was tried, final."""
    op, storage = trial.op, trial.storage
    state.words.commit()
    state.scheduler.commit()
    for template, start in trial.started:
        template.settle(start)
    state.placed[op] = storage
    for tensor, host in trial.hosted:
        state.hosted[tensor].append(host)
    for tensor, key, copy in trial.weights:
        state.weights[tensor].append((key, copy))
    for tensor, words in trial.maps:
        state.maps[tensor].append(words)
    for key, port in storage.ports.items():
        demand = trial.demands.get(key)
        if demand is not None and demand.is_sparse:
            group = frozenset(port.slices)
            state.sparse_groups.setdefault(demand.tensor.itemsize, {})[group] = None
            state.sparse |= group
    for demand, computed in trial.computed:
        state.computed[demand.op] = computed
    for tensor, found in trial.parts:
        state.partial[tensor] = found
    for tensor, found in trial.published:
        state.partial.pop(tensor, None)
        _publish(state, tensor, found)
    for note in trial.notes:
        note()
    state.finish(op)


def _publish(state: PlacementState, tensor: Tensor, found: list[tuple[TensorCopy, Demand | None]]) -> None:
    """Let readers and the host know the copies of a result."""
    copies = list(dict.fromkeys(copy for copy, _ in found))
    state.copies[tensor] = copies
    for copy, demand in found:
        if demand is not None and not demand.columns and copy.has(demand.order):
            port = state.port_of(demand, copy)
            if port is not None:
                state.connect(demand, port)
    state.words.commit()
    if tensor in state.outputs:
        slices, addrs = copies[0].slices.copy(), copies[0].addrs.copy()
        for copy in copies[1:]:
            missing = slices < 0
            slices[missing], addrs[missing] = copy.slices[missing], copy.addrs[missing]
        rows = vectors_along(np.arange(tensor.size, dtype=np.int32).reshape(tensor.shape), tensor.lanes, state.config.vector_length)
        state.maps[tensor].append(element_words(rows, slices, addrs))
