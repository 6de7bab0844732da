"""Places of the results of the SXM's operations."""

from collections.abc import Set
from dataclasses import dataclass, replace

import numpy as np

from arch.geometry import Direction, Hemisphere
from compiler.ir.lanes import vector_count
from compiler.ir.switch import Switch
from compiler.lower.storage import ComputedWeights
from compiler.memory.copies import TensorCopy, slices_in
from compiler.memory.demand import Demand, Vectors
from compiler.memory.words import Bank, Cycles, Numbers
from compiler.place.braid import fill_weights, take_braided
from compiler.place.operands import distances, take_serial
from compiler.place.orders import missing_vectors
from compiler.place.ranking import banks_read, count, ordered, sides_of, used_by_neighbours
from compiler.place.results import wanted
from compiler.place.state import PlacementState
from compiler.place.trial import Choice, Trial


def place_switched(
    state: PlacementState, trial: Trial, op: Switch, choice: Choice, when: int, bar: Set[int] = frozenset()
) -> bool:
    """Place the results of a switch operation, parts of one tensor, in slices of their own.

    Their bytes are written one after another: where they are read so too, or by the host, one slice has them all.
    `bar` are slices to keep them out of, if there is room elsewhere.
    """
    tensor = op.target
    readers = state.readers[tensor]
    vectors = int(np.prod(vector_count(tensor, state.config.vector_length)))
    written: set[int] = set()
    known = state.partial.get(tensor)
    if known is None:
        wants = wanted(state, tensor)
        # Later parts have to write to all copies at the same time too, each result to slices of its own.
        if choice.loose or (op.more and len(wants) * len(op.results) > state.config.slices):
            # One copy for all but those who need one of a form of its own.
            wants = [None, *(reader for reader in readers if reader.columns)]
        found = [(TensorCopy.empty(tensor.itemsize, vectors), want) for want in wants]
    else:
        # Copies are filled part by part: what a trial adds must not stay if it is given up.
        found = [(_clone(copy), want) for copy, want in known]
    supplied = [want for _, want in found if want is not None]
    others = [reader for reader in readers if all(reader is not want for want in supplied)]
    missing = missing_vectors(state.config, tensor, supplied)
    filling = _Filling(state, trial, op, choice, when, bool(bar))
    for copy, want in found:
        order = missing if want is None else want.order
        users = others if want is None else [want]
        sides = sides_of(
            state, op, [] if want is None else [want.op], Direction.WEST, tensor.itemsize, trial.slices_read
        )
        # An ALU reads from one direction.
        one_sided = any(user.in_mesh for user in users)
        serial = all(user.serial for user in users)
        choices = [[side] for side in sides] if one_sided else [sides]
        if one_sided and copy.used:
            choices = [[side] for side in sides if copy.used & set(state.slices_of(side))]
        if one_sided and choice.loose:
            # What lies on both sides is copied to one before ALUs read it.
            choices.append(sides)
        mark, before = state.words.mark(), len(trial.computed)
        # Nowhere near what is read, on whichever side; where there is no room, as far from it as can be.
        barred = (bar, set[int]()) if bar else (set[int](),)
        for apart, some in ((apart, some) for apart in barred for some in choices):
            mine = filling.fill(copy, want, order, some, serial, written | apart)
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


@dataclass(frozen=True)
class _Filling:
    """Takes words for what an operation adds to copies of its result; arguments as of `place_switched`."""

    state: PlacementState
    trial: Trial
    op: Switch
    choice: Choice
    when: int
    apart: bool

    def fill(
        self,
        copy: TensorCopy,
        want: Demand | None,
        order: Vectors,
        sides: list[Hemisphere],
        serial: bool,
        written: set[int],
    ) -> set[int] | None:
        """Take words for some vectors of a copy, part by part; return their slices, None without room.

        Parameters
        ----------
        copy : TensorCopy
        want : Demand or None
            For whom; None for the host and those who take what there is.
        order : ndarray of int64
            The vectors.
        sides : list of Hemisphere
        serial : bool
            Whether the bytes of an element may lie in one slice.
        written : set of int
            Slices of other copies.
        """
        state, trial, op, when = self.state, self.trial, self.op, self.when
        every = self._banks(want, sides, written)
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
        members = [part for part in (result.steps[np.isin(result.steps, order)] for result in op.results) if len(part)]
        if not members:
            return set()
        size, mark = op.target.itemsize, state.words.mark()
        can_braid = not serial and size > 1 and len(members) > 1
        ways = [_take_apart] if not can_braid else [_braid] if len(members) >= size else [_take_apart, _braid]
        for way in ways:
            found = way(state, size, members, every, when, serial)
            if found is not None:
                break
            state.words.rollback(mark)
        else:
            return None
        for vectors, words in found:
            copy.put(vectors, *words)
            count(state, state.writes, op.duration, *words[:2])
        return slices_in(np.concatenate([words[0].reshape(-1) for _, words in found]))

    def _banks(self, want: Demand | None, sides: list[Hemisphere], written: set[int]) -> list[Bank]:
        """Return banks for a copy, the best ones first."""
        state, op = self.state, self.op
        read = banks_read(state, self.trial.storage)
        used, taken = used_by_neighbours(state, op)
        read_slices = {bank.slice for bank in read}
        busy = written | (set() if want is None or self.choice.loose else state.busy(want.op))
        reader = None if want is None else want.op
        window = self.when, self.when + op.duration
        # A bank is read or written; where nothing else is left, whether both really meet is seen when it is placed.
        forbidden = set() if self.choice.loose else read
        every = [bank for side in sides for bank in ordered(state, side, busy, forbidden, reader, op, window=window)]
        readers = state.readers[op.target] if self.choice.loose else []
        last = {number for other in readers for number in state.busy(other.op)}
        # A queue that reads and writes at the same time may want to do both in one cycle.
        distance = distances(state, self.trial)
        every.sort(
            key=lambda bank: (
                bank in read,
                bank.slice in last,
                self.apart and bank.slice in read_slices,
                bank in used or bank.slice in taken or bank.slice in state.scattered,
                bank.slice in read_slices,
                distance[bank.slice],
            )
        )
        return every


Placed = list[tuple[Vectors, tuple[Numbers, Numbers, Cycles]]]


def _take_apart(
    state: PlacementState, size: int, members: list[Vectors], banks: list[Bank], when: int, serial: bool
) -> Placed | None:
    """Take words for vectors that come at the same time on neighbouring streams, those of each in slices of its own."""
    found: Placed = []
    mine: set[int] = set()
    for vectors in members:
        left = [bank for bank in banks if bank.slice not in mine]
        if serial:
            words = take_serial(state, size, len(vectors), left, when)
        else:
            words = state.words.take(size, len(vectors), left, when)
        if words is None:
            return None
        found.append((vectors, words))
        mine |= slices_in(words[0])
    return found


def _braid(
    state: PlacementState, size: int, members: list[Vectors], banks: list[Bank], when: int, serial: bool
) -> Placed | None:
    """Take words for the same in slices that they share: in each byte's cycle every one has another."""
    assert not serial
    slots = np.repeat(np.arange(len(members)), [len(part) for part in members])
    found = take_braided(state, size, max(len(members), size), slots, banks, when)
    return None if found is None else [(np.concatenate(members), found[0])]


def _with_copy(state: PlacementState, want: Demand, copy: TensorCopy) -> ComputedWeights:
    """Return computed weights of an earlier part, for the copy that later parts add to."""
    return replace(state.computed[want.op], copy=copy)
