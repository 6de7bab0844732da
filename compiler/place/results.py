"""Places of the results of passes: copies for those who will read them."""

from collections import defaultdict
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from functools import partial

import numpy as np

from arch.geometry import Direction, Hemisphere, units
from compiler.ir.lanes import vector_count
from compiler.ir.operation import Operation
from compiler.ir.switch import Switch
from compiler.ir.tensor import Tensor
from compiler.ir.vector import Pass
from compiler.memory.copies import TensorCopy
from compiler.memory.demand import Demand, Vectors
from compiler.memory.words import Bank, Cycles, Numbers
from compiler.place.braid import fill_weights
from compiler.place.orders import changes_between, distinct, halves_of, missing_vectors, sharing, turns_of
from compiler.place.ranking import banks_read, copies_used, count, ordered, sides_of
from compiler.place.state import PlacementState
from compiler.place.trial import Choice, Trial

Made = list[tuple[TensorCopy, Demand | None]]
"""Copies, each with the demand that it is for; None for the host and those who are not known yet."""

MOST_COPIES = 4
"""Copies of a result that are made at most: so many readers can run at the same time."""

_CHANGES = 64
"""Changes of copy from one vector to the next up to which copies may lie on different sides."""

_FOLLOWED = 2
"""Parts of a tensor that a pass makes at most for its readers to follow it closely."""


@dataclass(frozen=True)
class Writing:
    """Writer of copies of a tensor, and the slices and banks that they have to keep clear of.

    Attributes
    ----------
    tensor : Tensor
    choice : Choice
    writer : Pass, Switch or None
        None for the update of a state, which comes when everything else is over.
    written : set of int
        Slices that it writes besides; those of the copies are added.
    read : set of Bank
        Banks that it reads.
    when : int
        Cycle from which on words must be free.
    turns : callable or None
        As `compiler.place.orders.turns_of`, by vectors.
    trial : Trial or None
        Told of weights among the copies; None for what has no writer yet.
    lasting : bool
        Whether the copies stay for good.
    """

    tensor: Tensor
    choice: Choice
    writer: Pass | Switch | None
    written: set[int]
    read: set[Bank]
    when: int = 0
    turns: Callable[[Vectors], tuple[Numbers, int]] | None = None
    trial: Trial | None = None
    lasting: bool = False

    @property
    def window(self) -> tuple[int, int] | None:
        """Cycles in which the copies are written at the earliest; None if nothing is known of these."""
        duration = 1 if self.writer is None else self.writer.duration
        return None if self.trial is None else (self.when, self.when + duration)

    @property
    def is_parted(self) -> bool:
        """Whether several results of the writer are parts of the tensor."""
        return self.writer is not None and sum(result.tensor is self.tensor for result in self.writer.results) > 1


def wanted(state: PlacementState, tensor: Tensor) -> list[Demand | None]:
    """Return the copies to make of a result: one per port that reads it, and one for the host if it lacks any."""
    readers = state.readers[tensor]
    is_output = tensor in state.outputs
    if not readers or (is_output and len(missing_vectors(state.config, tensor, readers))):
        return [*readers, None]
    return [*readers]


def place_results(
    state: PlacementState, trial: Trial, op: Pass, choice: Choice, when: int, bar: Set[int] = frozenset()
) -> bool:
    """Place the results of a pass: bytes, copies and results that are written at the same time, in own slices.

    Copies that share vectors lie on one side, since an ALU drives one direction at a time.

    Parameters
    ----------
    state : PlacementState
    trial : Trial
    op : Pass
    choice : Choice
    when : int
        Cycle from which on words must be free.
    bar : set of int
        Slices to keep results out of.

    Returns
    -------
    bool
        False when something found no room.
    """
    written = set(bar)
    read = banks_read(state, trial.storage)
    made: dict[Tensor, Made] = defaultdict(list)
    for result in op.results:
        tensor, found = result.tensor, made[result.tensor]
        if tensor in state.states:
            continue
        readers = state.readers[tensor]
        missing = missing_vectors(state.config, tensor, readers)
        more = state.written.get(tensor, [])
        written |= copies_used(more)
        wants: list[tuple[Demand | None, Vectors]] = []
        # What goes to a state and to nobody else has a place already.
        unread = bool(more) and not readers and tensor not in state.outputs
        for want in [] if unread else [None] if choice.loose else wanted(state, tensor):
            order = want.order if want is not None else result.steps[result.steps >= 0] if choice.loose else missing
            # Others of the tensor's vectors may be another result's.
            order = order[np.isin(order, result.steps)]
            wants += [(want, order)] if len(order) else []
        # An ALU drives a vector in one direction: copies that have one in common go there together, others where they
        # like.
        turns = None
        if not choice.dense:
            # Nobody follows chains side by side closely: they leave few ALUs for that, and take slices enough.
            close = sum(other.tensor is tensor for other in op.results) <= _FOLLOWED
            turns = partial(turns_of if close else halves_of, result, op.times)
        writing = Writing(tensor, choice, op, written, read, when, turns, trial)
        groups = sharing(wants)
        # Every change of side is a word of text.
        tied = changes_between(result, [order for group in groups for _, order in group]) > _CHANGES
        for group in groups:
            # What one port reads of several results comes from one side.
            readers_of = [want for want, _ in group if want is not None and want.in_mesh]
            near = copies_used(
                [*more, *(copy for copy, want in found if tied or any(want is one for one in readers_of))]
            )
            copies = _place_copies(state, writing, op, group, near)
            if copies is None:
                return False
            for copy, want in copies:
                whole = next((other for other, reader in found if reader is want), None)
                if whole is None:
                    found.append((copy, want))
                else:
                    _add(whole, copy)
    for result in op.results:
        states = state.copies.get(result.tensor) if result.tensor in state.states else None
        trial.storage.outputs.append(states or [*distinct(made[result.tensor]), *state.written.get(result.tensor, [])])
    trial.published += [(tensor, found) for tensor, found in made.items() if tensor not in state.states]
    return True


def _place_copies(
    state: PlacementState, writing: Writing, op: Pass, wants: list[tuple[Demand | None, Vectors]], near: set[int]
) -> Made | None:
    """Place copies of a result of a pass on one side, that of slices `near` if any."""
    assert writing.trial is not None
    size = writing.tensor.itemsize
    readers = [want.op for want, _ in wants if want is not None]
    sides = sides_of(state, op, readers, Direction.WEST, size, writing.trial.slices_read)
    sides = [side for side in sides if not near - set(state.slices_of(side))] or sides
    found = take_copies(state, writing, wants, sides)
    if found is None:
        return None
    first = int(found[0][0].slices.max())
    state.width[op][units(state.config)[first].outward] += size
    for copy in distinct(found):
        count(state, state.writes, op.duration, copy.slices, copy.addrs)
    return found


def take_copies(
    state: PlacementState,
    writing: Writing,
    wants: list[tuple[Demand | None, Vectors]],
    sides: Sequence[Hemisphere],
) -> Made | None:
    """Take words for copies on the first side that has room.

    At best dense ones change between slices that nobody reads beside their readers.

    Parameters
    ----------
    state : PlacementState
    writing : Writing
    wants : list of (Demand or None, ndarray of int64)
        For whom (None: the host) and the vectors, in order.
    sides : sequence of Hemisphere
        The better one first.

    Returns
    -------
    list of (TensorCopy, Demand or None), or None
        None when no side has room; nothing is taken then.
    """
    trial, written = writing.trial, writing.written
    sides = next(([want.side] for want, _ in wants if want is not None and want.side is not None), list(sides))
    first = wants[0][0]
    if state.policy.sparse and first is not None:
        sides = sorted(sides, key=lambda side: not _sparse_banks(state, first, [side], written))
    attempts: list[tuple[tuple[Hemisphere, ...], bool]] = [
        ((side,), quiet) for quiet in (True, False) for side in sides
    ]
    if len(wants) == 1 and first is not None and first.columns:
        # An ALU can change its direction from one vector to the next.
        attempts.append((tuple(sides), False))
    mark = state.words.mark()
    known = 0 if trial is None else len(trial.computed)
    for chosen, quiet in attempts:
        found = _take_on(state, writing, wants, chosen, quiet)
        if found is not None:
            written.update(copies_used([copy for copy, _ in found]))
            return found
        state.words.rollback(mark)
        if trial is not None:
            del trial.computed[known:]
    return None


def _take_on(
    state: PlacementState,
    writing: Writing,
    wants: list[tuple[Demand | None, Vectors]],
    chosen: tuple[Hemisphere, ...],
    quiet: bool,
) -> Made | None:
    """Take words for copies on some sides; None where one has no room, or is not alone if they are to be `quiet`."""
    found: Made = []
    mine: set[int] = set()
    tensor, choice, read, when = writing.tensor, writing.choice, writing.read, writing.when
    size, window = tensor.itemsize, writing.window
    for want, order in wants:
        theirs = set() if want is None or choice.loose else state.busy(want.op)
        shared = _shareable(state, writing, found, want, order, theirs)
        if shared is not None:
            found.append((shared, want))
            continue
        busy = writing.written | mine | theirs
        copy = TensorCopy.empty(size, int(np.prod(vector_count(tensor, state.config.vector_length))))
        reader = None if want is None else want.op
        many = want is not None and want.columns > 0
        # A bank is read or written: in the banks that it reads, a pass would have to wait for itself.
        forbidden = set() if choice.loose else read
        banks = [
            bank
            for side in chosen
            for bank in ordered(state, side, busy, forbidden, reader, writing.writer, many, window)
        ]
        if choice.loose:
            # Whether it really meets what is read, or what its readers read beside it, is seen when it is placed.
            last = {number for other in state.readers[tensor] for number in state.busy(other.op)}
            banks.sort(key=lambda bank: (bank in read, bank.slice in last))
        if state.policy.copied and want is not None and want.is_sparse:
            # Others that are read sparsely leave time.
            banks.sort(key=lambda bank: bank.slice not in state.sparse)
        if state.policy.sparse and want is not None:
            banks = [*_sparse_banks(state, want, chosen, writing.written | mine), *banks]
        if want is not None and want.columns:
            computed = fill_weights(state, copy, want, banks, when)
            if computed is None:
                return None
            if writing.trial is not None:
                writing.trial.computed.append((want, computed))
            mine |= copy.used
            found.append((copy, want))
            continue
        taken: tuple[Numbers, Numbers, Cycles] | None
        if want is not None and writing.turns is not None and not _waits(state, want.op, window):
            # A known reader is to follow the writer closely, without meeting it in a bank or an engine.
            places, each = writing.turns(order)
            idle = len({bank.slice for bank in banks} - state.read_by_neighbours(want.op))
            if each > 1 and idle < each * size:
                if quiet:
                    return None
                each = 1
            taken = state.words.take_striped(size, places, banks, each, when)
        else:
            taken = state.words.take(size, len(order), banks, when, high=writing.lasting)
        if taken is None:
            return None
        copy.put(order, *taken)
        mine |= copy.used
        found.append((copy, want))
    return found


def _waits(state: PlacementState, reader: Operation, window: tuple[int, int] | None) -> bool:
    """Return whether a reader waits for something else that is there only after a window of cycles."""
    ports = state.ports[reader].values()
    return window is not None and any(int(port.words()[2][port.used].max(initial=0)) > window[1] for port in ports)


def _shareable(
    state: PlacementState,
    writing: Writing,
    found: Made,
    want: Demand | None,
    order: Vectors,
    busy: set[int],
) -> TensorCopy | None:
    """Return a copy that another operation reads and that will do for a reader too."""
    if want is not None and (writing.is_parted or want.columns):
        return None
    dense = writing.choice.dense or len(distinct(found)) >= MOST_COPIES
    mine = {copy for copy, other in found if want and other and want.op is other.op}
    suited = []
    for copy, other in found:
        if (other and other.columns) or copy in mine or not copy.has(order):
            continue
        slices = copy.used
        if state.policy.sparse and want is not None and want.is_sparse and other is not None and other.is_sparse:
            fits = _apart_from_ports(state, want, slices)
        else:
            fits = dense and not slices & busy
        if fits:
            suited.append(copy)
    # The one with the fewest readers so far.
    return min(suited, key=lambda copy: sum(copy is other for other, _ in found), default=None)


def _sparse_banks(state: PlacementState, demand: Demand, sides: Sequence[Hemisphere], busy: set[int]) -> list[Bank]:
    """Return the banks of the first slices read sparsely that lie on some sides, are not busy, and are read apart."""
    offered = {number for side in sides for number in state.slices_of(side)} - busy
    if not demand.is_sparse:
        return []
    groups = state.sparse_groups.get(demand.tensor.itemsize, {})
    found = next((set(g) for g in groups if g <= offered and _apart_from_ports(state, demand, set(g))), set())
    return [Bank(number, bank) for number in sorted(found) for bank in (0, 1)]


def _apart_from_ports(state: PlacementState, demand: Demand, slices: set[int]) -> bool:
    """Return whether a sparse port meets no other port of its operation, as far as known, in some slices."""
    known = {other.key: other for other in state.demands[demand.op]}
    return all(demand.apart(known[key]) for key, port in state.ports[demand.op].items() if port.slices & slices)


def _add(copy: TensorCopy, more: TensorCopy) -> None:
    """Add the vectors that another part of a copy holds."""
    held = more.slices[0] >= 0
    copy.put(np.flatnonzero(held), more.slices[:, held], more.addrs[:, held], more.free[held])
