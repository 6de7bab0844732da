"""Places of the results of the SXM's operations."""

from dataclasses import replace

import numpy as np

from arch.geometry import Direction, Hemisphere
from compiler.memory.copies import TensorCopy
from compiler.memory.demand import Demand, Vectors
from compiler.memory.storage import ComputedWeights
from compiler.place.braid import fill_weights, take_braided
from compiler.place.operands import distances, take_serial
from compiler.place.orders import missing_vectors
from compiler.place.ranking import banks_of_ports, banks_read, copies_used, count, ordered, sides_of
from compiler.place.results import wanted
from compiler.place.state import PlacementState
from compiler.place.trial import Choice, Trial
from compiler.switch.operation import Switch
from compiler.vector.lanes import vector_count


def place_switched(state: PlacementState, trial: Trial, op: Switch, choice: Choice, when: int) -> bool:
    """Place the results of a switch operation, parts of one tensor, in slices of their own.

    Their bytes are written one after another: where they are read so too, or by the host, one slice has them all.
    """
    tensor = op.results[0].tensor
    readers = state.readers[tensor]
    missing = missing_vectors(state.config, tensor, readers)
    vectors = int(np.prod(vector_count(tensor, state.config.vector_length)))
    written: set[int] = set()
    known = state.partial.get(tensor)
    if known is None:
        found = [(TensorCopy.empty(tensor.itemsize, vectors), want) for want in wanted(state, tensor)]
    else:
        # Copies are filled part by part: what a trial adds must not stay if it is given up.
        found = [(_clone(copy), want) for copy, want in known]
    for copy, want in found:
        order = missing if want is None else want.order
        sides = sides_of(
            state, op, [] if want is None else [want.op], Direction.WEST, tensor.itemsize, trial.slices_read
        )
        # An ALU reads from one direction.
        one_sided = want is not None and want.in_mesh
        choices = [[side] for side in sides] if one_sided else [sides]
        if one_sided and copy.used:
            choices = [[side] for side in sides if copy.used & set(state.slices_of(side))]
        mark, before = state.words.mark(), len(trial.computed)
        for some in choices:
            mine = _fill(state, trial, op, copy, want, order, some, written, choice, when)
            if mine is not None:
                written |= mine
                break
            state.words.rollback(mark)
            del trial.computed[before:]
        else:
            return False
    trial.storage.outputs.append([copy for copy, _ in found])
    (trial.parts if op.more else trial.published).append((tensor, found))
    return True


def _clone(copy: TensorCopy) -> TensorCopy:
    return TensorCopy(copy.slices.copy(), copy.addrs.copy(), copy.free.copy(), copy.ready.copy(), copy.last.copy())


def _fill(
    state: PlacementState,
    trial: Trial,
    op: Switch,
    copy: TensorCopy,
    want: Demand | None,
    order: Vectors,
    sides: list[Hemisphere],
    written: set[int],
    choice: Choice,
    when: int,
) -> set[int] | None:
    """Take words for what an operation adds to a copy, part by part; return their slices, None without room."""
    tensor = op.results[0].tensor
    read = banks_read(state, trial.storage)
    near = state.beside(op)
    used = {bank for other in near if other in state.placed for bank in banks_read(state, state.placed[other])}
    used |= {bank for other in near if other not in state.placed for bank in banks_of_ports(state, other)}
    taken = copies_used(
        [one for other in near if other in state.placed for copies in state.placed[other].outputs for one in copies]
    )
    read_slices = {bank.slice for bank in read}
    busy = written | (set() if want is None or choice.loose else state.busy(want.op))
    reader = None if want is None else want.op
    window = when, when + op.duration
    every = [bank for side in sides for bank in ordered(state, side, busy, read, reader, op, window=window)]
    # A queue that reads and writes at the same time may want to do both in one cycle.
    distance = distances(state, trial)
    every.sort(
        key=lambda bank: (
            bank in used or bank.slice in taken or bank.slice in state.scattered,
            bank.slice in read_slices,
            distance[bank.slice],
        )
    )
    if want is not None and want.columns:
        # The first of several operations takes the words of all.
        if not copy.used:
            computed = fill_weights(state, copy, want, every, when)
            if computed is None:
                return None
            trial.computed.append((want, computed))
        else:
            trial.computed.append((want, _with_copy(state, want, copy)))
        return copy.used
    wanted_steps = [result.steps[np.isin(result.steps, order)] for result in op.results]
    parts = [part for part in wanted_steps if len(part)]
    if want is not None and not want.serial and len(parts) >= tensor.itemsize > 1:
        slots = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        found = take_braided(state, tensor.itemsize, len(parts), slots, every, when)
        if found is None:
            return None
        (slices, addrs, free), _ = found
        copy.put(np.concatenate(parts), slices, addrs, free)
        count(state, state.writes, op.duration, slices, addrs)
        return {int(number) for number in np.unique(slices)}
    mine: set[int] = set()
    for result in op.results:
        vectors = order[np.isin(order, result.steps)]
        if not len(vectors):
            continue
        banks = [bank for bank in every if bank.slice not in mine]
        if want is None or want.serial:
            words = take_serial(state, tensor.itemsize, len(vectors), banks, when)
        else:
            words = state.words.take(tensor.itemsize, len(vectors), banks, when)
        if words is None:
            return None
        copy.put(vectors, *words)
        mine |= {int(number) for number in np.unique(words[0])}
        count(state, state.writes, op.duration, *words[:2])
    return mine


def _with_copy(state: PlacementState, want: Demand, copy: TensorCopy) -> ComputedWeights:
    """Return computed weights of an earlier part, for the copy that later parts add to."""
    return replace(state.computed[want.op], copy=copy)
