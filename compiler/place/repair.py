"""Local repair: a copy of a result where an operation wants it, which the one that made it could not know."""

from collections.abc import Iterator

import numpy as np

from arch.geometry import Hemisphere
from compiler.memory.copies import ReadPort, TensorCopy
from compiler.memory.demand import Demand, Vectors
from compiler.place.lowerings import place_first
from compiler.place.ranking import banks_in
from compiler.place.results import take_copies
from compiler.place.state import PlacementState
from compiler.place.trial import Choice, Trial, commit, give_up, savepoint
from compiler.vector.builder import PassBuilder
from compiler.vector.operation import Pass
from compiler.vector.plan import pass_plans
from compiler.vector.update_pass import identity


def copy_for(state: PlacementState, demand: Demand, when: int) -> bool:
    """Place passes that copy what a demand lacks to where it wants it; return whether that was possible.

    What lies on both sides of the VXM, or in several copies, takes a pass for each.
    """
    order = demand.order
    groups = list(_sources(state, demand))
    if sum(len(vectors) for _, vectors in groups) < len(order):
        return False
    read = set().union(*(banks_in(state, copy.slices[:, part], copy.addrs[:, part]) for copy, part in groups))
    passes = [identity(state.config, demand.tensor, part) for _, part in groups]
    point = savepoint(state, passes[0])
    head = Trial(passes[0], None, {})
    made = None
    for bar in (read, set()):
        made = take_copies(
            state,
            head,
            demand.tensor,
            [(demand, order)],
            list(Hemisphere),
            set(),
            bar,
            None,
            passes[0],
            Choice(None, dense=True),
            when,
        )
        if made is not None:
            break
    if made is None:
        return False
    target = made[0][0]
    trials = []
    for op, (copy, part) in zip(passes, groups, strict=True):
        trial = _copy(state, op, copy, part, target)
        if trial is None:
            give_up(state, point)
            return False
        trials.append(trial)
    for computed in head.computed:
        trials[-1].computed.append(computed)
    state.await_reads(demand.tensor, len(trials))
    for trial in trials:
        commit(state, trial)
    state.add(state.copies[demand.tensor], target)
    if not demand.columns:
        port = state.port_of(demand, target)
        if port is None:
            return False
        state.connect(demand, port)
    return True


def _sources(state: PlacementState, demand: Demand) -> Iterator[tuple[TensorCopy, Vectors]]:
    """Yield copies with the vectors to take from each, every group on one side."""
    left = demand.order
    for copy in state.copies.get(demand.tensor, []):
        for east in (False, True):
            mine = ((copy.slices[:, left] >= state.config.mem_slices) == east).all(axis=0) & (copy.slices[0, left] >= 0)
            if mine.any():
                yield copy, left[mine]
                left = left[~mine]


def _copy(state: PlacementState, op: Pass, source: TensorCopy, vectors: Vectors, target: TensorCopy) -> Trial | None:
    """Place one pass of a copy."""
    none = np.full(op.results[0].tensor.itemsize, -1, np.int32)
    best: Trial | None = None
    for plan in pass_plans(op):
        trial = Trial(op, plan, {})
        trial.storage.ports[0] = ReadPort(source, vectors, np.arange(len(vectors)), none, none)
        trial.storage.outputs = [[target]]
        templates = [PassBuilder(op, trial.storage, mapping).build() for mapping in plan.mappings]
        if place_first(state, trial, templates, [0] * len(templates), None):
            best = trial
            break
    return best
