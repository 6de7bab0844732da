"""Trial of one choice for an operation: storage and cycles, tentative until it is committed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from arch.geometry import Direction
from compiler.ir.lanes import vectors_along
from compiler.ir.operation import Operation
from compiler.ir.tensor import Tensor
from compiler.lower.storage import ComputedWeights, OperationStorage
from compiler.memory.copies import Template, TensorCopy
from compiler.memory.demand import Demand, Key, Vectors
from compiler.memory.maps import MapWords, element_words
from compiler.mesh.mapping import Mapping
from compiler.place.state import HostCopy, PlacementState
from compiler.schedule.scheduler import Mark


class AnyPlan(Protocol):
    """Plan of an operation of any kind."""

    @property
    def estimate(self) -> int:
        """Rough cycles, to choose by."""
        ...

    @property
    def planes(self) -> int:
        """Planes of the MXM that it uses."""
        ...

    @property
    def mappings(self) -> Sequence[Mapping] | None:
        """Places in the mesh to choose from; None where they follow from the planes."""
        ...


@dataclass(frozen=True)
class Choice:
    """Choice of how to try an operation.

    Attributes
    ----------
    plan : AnyPlan
        One of its lowering's.
    fresh : bool
        Take copies of its own of what the host writes.
    dense : bool
        Let readers share copies of the results.
    loose : bool
        Put results beside what their readers read as well: those will have to read one after the other.
    when : int
        Cycle from which on words for results must be free.
    limit : int or None
        First end, in cycles, that is of no use.
    """

    plan: Any
    fresh: bool = False
    dense: bool = False
    loose: bool = False
    when: int = 0
    limit: int | None = None


@dataclass
class Trial:
    """Trial of one choice.

    Attributes
    ----------
    op : Operation
    choice : Choice
    demands : dict of Key to Demand
        Of this plan.
    window : (int, int)
        Cycles in which it will run at the earliest, to look up what is taken by then.
    storage : OperationStorage
    started : list of (Template, int)
        Macro-operations and their starts.
    hosted, weights, maps : list
        What the host is to write, to be told the state if the trial is chosen: copies, weights, and which byte each
        word holds.
    published, parts : list
        Copies of results that are complete, or that later operations add to, each with the demand it is for.
    computed : list of (Demand, ComputedWeights)
        Results that products load as weights.
    """

    op: Operation
    choice: Choice
    demands: dict[Key, Demand]
    window: tuple[int, int] = (0, 0)
    storage: OperationStorage = field(default_factory=OperationStorage)
    started: list[tuple[Template, int]] = field(default_factory=list)
    hosted: list[tuple[Tensor, HostCopy]] = field(default_factory=list)
    weights: list[tuple[Tensor, object, TensorCopy]] = field(default_factory=list)
    maps: list[tuple[Tensor, MapWords]] = field(default_factory=list)
    published: list[tuple[Tensor, list[tuple[TensorCopy, Demand | None]]]] = field(default_factory=list)
    computed: list[tuple[Demand, ComputedWeights]] = field(default_factory=list)
    parts: list[tuple[Tensor, list[tuple[TensorCopy, Demand | None]]]] = field(default_factory=list)
    shared: bool = False
    """Whether it reads something that the host has written for another operation."""
    is_stuck: bool = False
    """Whether it had words for its results at some time, but no cycle."""
    clashing: list[Demand] = field(default_factory=list)
    """Demands whose copy lies in slices that others are read from: it may have to be copied first."""
    lacking: list[Demand] = field(default_factory=list)
    """Demands that no copy of their tensor meets: one has to be made first."""

    def counts(self) -> tuple[int, int]:
        """Return how much the host has to write so far, for `cut`."""
        return len(self.hosted), len(self.maps)

    def cut(self, counts: tuple[int, int]) -> None:
        """Forget what the host has to write beyond `counts`."""
        # Words are taken back by the savepoint; this is what a trial says of them.
        del self.hosted[counts[0] :]
        del self.maps[counts[1] :]

    @property
    def end(self) -> int:
        """First cycle in which all results can be read."""
        return max(start + template.end for template, start in self.started)

    @property
    def loads(self) -> set[int]:
        """Slices of weights."""
        found = set().union(*(copy.used for copy in self.storage.weights.values()))
        return found | (self.storage.computed.copy.used if self.storage.computed else set())

    @property
    def slices_read(self) -> set[int]:
        """Slices that it reads so far."""
        return self.storage.read_slices


@dataclass(frozen=True)
class Savepoint:
    """Point of a state to which a trial can return."""

    words: int
    scheduler: Mark
    journal: int
    reads: np.ndarray
    writes: np.ndarray
    width: dict[Operation, dict[Direction, int]]


def savepoint(state: PlacementState, op: Operation) -> Savepoint:
    """Return the point at which a state is before anything is tried for an operation; `give_up` returns to it."""
    return Savepoint(
        state.words.mark(),
        state.scheduler.mark(),
        len(state.journal),
        state.reads.copy(),
        state.writes.copy(),
        {op: dict(state.width[op])},
    )


def give_up(state: PlacementState, point: Savepoint) -> None:
    """Return a state to a point: words, reservations and all that was put or added since."""
    state.words.rollback(point.words)
    state.scheduler.rollback(point.scheduler)
    # Backwards: a later change may rest on an earlier one.
    for undo in reversed(state.journal[point.journal :]):
        undo()
    del state.journal[point.journal :]
    # Counts change in place, in many spots: copying them whole is simpler than a journal, and they are small.
    state.reads, state.writes = point.reads.copy(), point.writes.copy()
    state.width |= {op: dict(width) for op, width in point.width.items()}


def adopt(state: PlacementState, trial: Trial) -> None:
    """Tell a state what a trial placed of the host's, without the operation: it will find its ports there."""
    _register(state, trial)
    state.put(state.ports, trial.op, state.ports[trial.op] | trial.storage.ports)
    if trial.storage.weights:
        state.put(state.held, trial.op, dict(trial.storage.weights))


def _register(state: PlacementState, trial: Trial) -> None:
    for key, port in trial.storage.ports.items():
        if key in trial.demands:
            state.note_sparse(trial.demands[key], port)
    for tensor, host in trial.hosted:
        state.add(state.hosted[tensor], host)
    for tensor, order, copy in trial.weights:
        state.add(state.weights[tensor], (order, copy))
    for tensor, words in trial.maps:
        state.add(state.maps[tensor], words)


def commit(state: PlacementState, trial: Trial) -> None:
    """Tell a state what a trial placed, which must be the last thing that was tried."""
    op, storage = trial.op, trial.storage
    for template, start in trial.started:
        # Until here copies know nothing of these cycles, so a trial that is given up leaves no trace in them.
        state.journal.append(template.settle(start))
        state.add(state.meant, (template.meant, start))
    state.put(state.placed, op, storage)
    _register(state, trial)
    for demand, computed in trial.computed:
        state.put(state.computed, demand.op, computed)
    for tensor, found in trial.parts:
        state.put(state.partial, tensor, found)
    for tensor, found in trial.published:
        if tensor in state.partial:
            state.put(state.partial, tensor, None)
        _publish(state, tensor, found)
    # Last, since what is released is free after the reads that have just been settled.
    state.finish(op)


def is_one_sided(state: PlacementState, copy: TensorCopy, vectors: Vectors) -> bool:
    """Return whether the words of some vectors lie in one hemisphere."""
    east = copy.slices[:, vectors] >= state.config.mem_slices
    return bool(east.all() or not east.any())


def _publish(state: PlacementState, tensor: Tensor, found: list[tuple[TensorCopy, Demand | None]]) -> None:
    """Let readers and the host know the copies of a result."""
    copies = list(dict.fromkeys(copy for copy, _ in found))
    state.put(state.copies, tensor, copies)
    for copy, demand in found:
        in_reach = demand is None or not demand.in_mesh or is_one_sided(state, copy, demand.order)
        if demand is not None and not demand.columns and copy.has(demand.order) and in_reach:
            port = state.port_of(demand, copy)
            if port is not None:
                state.connect(demand, port)
    for demand in state.readers[tensor]:
        # Made without regard to its readers: they take what there is.
        if not demand.columns and demand.key not in state.ports[demand.op] and len(copies) == 1:
            port = state.port_of(demand, copies[0]) if copies[0].has(demand.order) else None
            if port is not None and (not demand.in_mesh or is_one_sided(state, copies[0], demand.order)):
                state.connect(demand, port)
    if tensor in state.outputs:
        # Readers' copies may lack vectors that only the host wants: it reads each from the first copy that has it.
        slices, addrs = copies[0].slices.copy(), copies[0].addrs.copy()
        for copy in copies[1:]:
            missing = slices < 0
            slices[missing], addrs[missing] = copy.slices[missing], copy.addrs[missing]
        rows = vectors_along(
            np.arange(tensor.size, dtype=np.int32).reshape(tensor.shape), tensor.lanes, state.config.vector_length
        )
        state.add(state.maps[tensor], element_words(rows, slices, addrs))
