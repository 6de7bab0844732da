"""Local repair: a copy of a result where an operation wants it, which the one that made it could not know."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from arch.geometry import Hemisphere, UnitKind
from compiler.ir.lanes import vector_count
from compiler.ir.switch import Switch
from compiler.ir.tensor import Tensor
from compiler.ir.vector import Operand, Pass, Result, identity
from compiler.lower.storage import ComputedWeights
from compiler.lower.sxm.builder import switch_templates
from compiler.lower.vxm.builder import PassBuilder
from compiler.lower.vxm.plan import pass_plans
from compiler.memory.copies import ReadPort, TensorCopy, banks_in
from compiler.memory.demand import Demand, Vectors
from compiler.memory.words import Bank
from compiler.place.braid import take_braided
from compiler.place.bytewise import copy_bytewise
from compiler.place.lowering import MovePlan, place_first
from compiler.place.ranking import ordered, written_banks
from compiler.place.results import Writing, take_copies
from compiler.place.state import PlacementState
from compiler.place.trial import Choice, Trial, commit, give_up, savepoint


@dataclass(frozen=True)
class _Source:
    """A copy, the vectors to take from it, and whether their bytes come one after another."""

    copy: TensorCopy
    vectors: Vectors
    is_serial: bool = False

    def banks(self, depth: int) -> frozenset[Bank]:
        """Return the banks that are read."""
        return banks_in(self.copy.slices[:, self.vectors], self.copy.addrs[:, self.vectors], depth)


def copies_for(state: PlacementState, demands: Sequence[Demand]) -> bool:
    """Place passes that copy what demands of an operation lack; return whether that was possible.

    Ports that take words one byte after another (those of a transposition) share slices in which they never meet.
    """
    left = list(demands)
    for demand in demands:
        if not demand.serial or demand not in left:
            continue
        every = [one for one in state.demands[demand.op] if one.tensor is demand.tensor and one.serial]
        group = [one for one in every if len(one.order)]
        if len(group) > 1 and _copy_braided(state, group):
            left = [one for one in left if one not in every]
    return all(_copy_for(state, demand) for demand in left)


def gather_operands(state: PlacementState, trial: Trial) -> bool:
    """Copy operands of an operation that lie in more slices than they have bytes; return whether that changed any.

    Their makers spread them over slices, and between banks, for readers that follow closely. Where results have words
    but no cycles, all that the SXM reads is copied: ports may share slices, and leave others to results.
    """
    op, ports = trial.op, trial.storage.ports
    spread = [
        demand
        for demand in trial.demands.values()
        if demand.elements is None
        and not demand.columns
        and demand.key in ports
        and (len(ports[demand.key].slices) > demand.tensor.itemsize or (trial.is_stuck and demand.serial))
    ]
    # The wide ones first, which fit the fewest places; none is in the way of another any more.
    spread.sort(key=lambda demand: -demand.tensor.itemsize)
    keys = {demand.key for demand in spread}
    state.put(state.ports, op, {key: port for key, port in state.ports[op].items() if key not in keys})
    return bool(spread) and copies_for(state, spread)


def _copy_braided(state: PlacementState, demands: Sequence[Demand]) -> bool:
    """Place copies for ports that are read at the same time, each in another slice for every byte.

    All of them lie in the same slices. One copy holds what several ports read if these have no vector in common.
    """
    op, tensor = demands[0].op, demands[0].tensor
    layers = _layers(demands)
    orders = [np.concatenate([one.order for one in layer]) for layer in layers]
    groups = [list(_sources(state, tensor, order)) for order in orders]
    if any(sum(len(one.vectors) for one in mine) < len(order) for mine, order in zip(groups, orders, strict=True)):
        return False
    passes = [[_copying(state, tensor, one) for one in mine] for mine in groups]
    point = savepoint(state, passes[0][0])
    every = [source for mine in groups for source in mine]
    busy = state.busy(op) - set().union(*(one.copy.used for one in every))
    read = set().union(*(one.banks(state.config.mem_depth) for one in every))
    ports = [one for layer in layers for one in layer]
    slots = np.repeat(np.arange(len(ports)), [len(one.order) for one in ports])
    blocks, steps = vector_count(tensor, state.config.vector_length)
    fixed = written_banks(state, op)
    # A result leaves the VXM in one direction.
    for side, bar, apart in (
        (side, bar, apart) for bar in (read | fixed, read) for apart in (busy, set[int]()) for side in Hemisphere
    ):
        banks = ordered(state, side, apart, bar, op, passes[0][0])
        found = take_braided(state, tensor.itemsize, max(len(ports), tensor.itemsize), slots, banks, 0)
        if found is None:
            continue
        targets, first = [], 0
        for order in orders:
            its = slice(first, first + len(order))
            targets.append(TensorCopy.empty(tensor.itemsize, blocks * steps))
            targets[-1].put(order, found[0][0][:, its], found[0][1][:, its], found[0][2][its])
            first += len(order)
        if all(
            _copy_all(state, some, mine, target, []) and all(_connect_to(state, demand, target) for demand in layer)
            for some, mine, target, layer in zip(passes, groups, targets, layers, strict=True)
        ):
            for target in targets:
                _add(state, tensor, target)
            return True
        give_up(state, point)
    return False


def _layers(demands: Sequence[Demand]) -> list[list[Demand]]:
    """Return demands in groups that have no vector in common."""
    layers: list[tuple[set[int], list[Demand]]] = []
    for demand in demands:
        wanted = set(demand.order.tolist())
        held, layer = next((one for one in layers if not one[0] & wanted), (set[int](), list[Demand]()))
        if not layer:
            layers.append((held, layer))
        held |= wanted
        layer.append(demand)
    return [layer for _, layer in layers]


def _connect_to(state: PlacementState, demand: Demand, copy: TensorCopy) -> bool:
    """Connect a port to a copy; return whether its zeros have room."""
    port = state.port_of(demand, copy)
    if port is not None:
        state.connect(demand, port)
    return port is not None


def _copy_for(state: PlacementState, demand: Demand) -> bool:
    """Place passes that copy what a demand lacks to where it wants it; return whether that was possible.

    What lies on both sides of the VXM, or in several copies, takes an operation for each.
    """
    order = demand.order
    groups = list(_sources(state, demand.tensor, order))
    # What no copy has cannot be copied.
    if sum(len(one.vectors) for one in groups) < len(order):
        return False
    read = set().union(*(one.banks(state.config.mem_depth) for one in groups))
    passes = [_copying(state, demand.tensor, one) for one in groups]
    point = savepoint(state, passes[0])
    head = Trial(passes[0], Choice(None, dense=True), {})
    made = None
    fixed = written_banks(state, demand.op)
    # At best not in banks that the copying reads, which would have to wait for itself; at last beside what else its
    # reader reads, which may do so at another time.
    for bar, loose in ((read | fixed, False), (fixed, False), (set[Bank](), False), (fixed, True)):
        writing = Writing(demand.tensor, replace(head.choice, loose=loose), passes[0], set(), bar, trial=head)
        made = take_copies(state, writing, [(demand, order)], list(Hemisphere))
        if made is not None:
            break
    if made is None:
        return False
    target = made[0][0]
    if not _copy_all(state, passes, groups, target, head.computed):
        give_up(state, point)
        return False
    _add(state, demand.tensor, target)
    return demand.columns > 0 or _connect_to(state, demand, target)


def _copy_all(
    state: PlacementState,
    passes: Sequence[Pass | Switch],
    groups: Sequence[_Source],
    target: TensorCopy,
    computed: list[tuple[Demand, ComputedWeights]],
) -> bool:
    """Place the passes of a copy, all or none of them."""
    trials = []
    for op, source in zip(passes, groups, strict=True):
        point = savepoint(state, op)
        trial = _copy(state, op, source, target)
        if trial is None and state.thorough:
            give_up(state, point)
            trial = copy_bytewise(state, op, source.copy, source.vectors, target)
        if trial is None:
            return False
        trials.append(trial)
    # Weights are there when the last pass is done.
    trials[-1].computed += computed
    for trial in trials:
        state.expect(trial.op)
        commit(state, trial)
    return True


def _add(state: PlacementState, tensor: Tensor, copy: TensorCopy) -> None:
    """Let later readers of a tensor know a copy; of a state it has the value of this moment, and only one reader."""
    if tensor not in state.states:
        state.add(state.copies[tensor], copy)


def _sources(state: PlacementState, tensor: Tensor, order: Vectors) -> Iterator[_Source]:
    """Yield copies with the vectors of some to take from each, every group on one side.

    ALUs take all bytes of a vector at the same time; what has them in one slice, or on both sides, goes through the
    SXM, which takes them one after another.
    """
    left = order
    every = state.copies.get(tensor, [])
    for copy in every:
        for east in (False, True):
            apart = (np.diff(np.sort(copy.slices[:, left], axis=0), axis=0) != 0).all(axis=0)
            mine = (
                apart
                & ((copy.slices[:, left] >= state.config.mem_slices) == east).all(axis=0)
                & (copy.slices[0, left] >= 0)
            )
            if mine.any():
                yield _Source(copy, left[mine])
                left = left[~mine]
    # An SXM that lacks superlanes may not be asked.
    for copy in every if state.scheduler.superlanes == state.config.superlanes else ():
        mine = copy.slices[0, left] >= 0
        if mine.any():
            yield _Source(copy, left[mine], is_serial=True)
            left = left[~mine]


def _copying(state: PlacementState, tensor: Tensor, source: _Source) -> Pass | Switch:
    """Return the operation that copies some vectors of a tensor to another copy of it."""
    config, name = state.config, f"copy of {tensor.name}"
    operand, result = Operand(tensor, None, source.vectors), Result(tensor, source.vectors)
    if not source.is_serial:
        return identity(config, name, operand, result)
    fields = {"amount": 0, "down": 0}
    return Switch(config, name, (operand,), (result,), "SHIFT", UnitKind.SXM_SHIFT, fields, ("src",))


def _copy(state: PlacementState, op: Any, source: _Source, target: TensorCopy) -> Trial | None:
    """Place one operation of a copy."""
    none = np.full(op.results[0].tensor.itemsize, -1, np.int32)
    vectors = source.vectors
    for plan in [MovePlan(op.duration)] if source.is_serial else pass_plans(op):
        trial = Trial(op, Choice(plan), {})
        trial.storage.ports[0] = ReadPort(
            source.copy, vectors, np.arange(len(vectors)), none, none, op.operands[0].tensor
        )
        trial.storage.outputs = [[target]]
        if source.is_serial:
            templates = switch_templates(op, trial.storage)
        else:
            templates = [PassBuilder(op, trial.storage, mapping).build() for mapping in plan.mappings]
        if place_first(state, trial, templates, None):
            return trial
    return None
