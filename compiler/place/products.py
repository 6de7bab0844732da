"""Places of the weights, the results, and the stationary operands of a matrix product."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arch.geometry import Direction, Hemisphere
from compiler.ir.matmul import MatMul
from compiler.ir.tensor import as_view
from compiler.lower.mxm.plan import Feeder, Plan
from compiler.lower.mxm.weights import weight_words
from compiler.memory.copies import TensorCopy, slices_in
from compiler.memory.demand import Demand
from compiler.memory.maps import element_words
from compiler.memory.words import Bank, Cycles, Numbers
from compiler.place.braid import fill_weights
from compiler.place.orders import is_copied, missing_vectors, product_turns, words_of, writing_order
from compiler.place.ranking import banks_read, banks_to_write, copies_used
from compiler.place.results import MOST_COPIES, Made, wanted
from compiler.place.state import HostCopy, PlacementState
from compiler.place.trial import Choice, Trial

_MANY = 64
"""Groups from which on results stay out of the slices of weights: READs and WRITEs in turn make long programs."""

Sides = tuple[tuple[Hemisphere, ...], ...]
Taken = tuple[Numbers, Numbers, Cycles]


def place_weights(state: PlacementState, trial: Trial, op: MatMul, plan: Plan) -> bool:
    """Find or place the weights that the host writes, once per (tensor, tile order, hemisphere)."""
    view = as_view(op.w)
    placed = trial.storage.weights
    for feeder in plan.feeders:
        side = feeder.hemisphere
        if side in placed:
            continue
        if plan.joint and placed and feeder.groups == plan.feeders[0].groups:
            placed[side] = placed[plan.feeders[0].hemisphere]
            continue
        key = WeightKey(op, feeder, view.elements)
        known = next((copy for other, copy in state.weights[view.tensor] if other == key), None)
        # Loading is only reading: any number of products can load from the same words.
        if known is not None:
            placed[side] = known
            continue
        taken = copies_used([*placed.values()])
        beside = set().union(*(port.slices for port in state.ports[op].values()))
        words = feeder.tiles(op) * sum(feeder.load_steps(op, group) for group in feeder.groups)
        banks = [
            Bank(number, bank)
            for hemisphere in (side, Hemisphere(1 - side))
            for bank in (0, 1)
            for number in reversed(state.slices_of(hemisphere))
            if (number in taken if plan.joint and placed else number not in taken)
        ]
        # Loads and activations are read at the same time.
        banks.sort(key=lambda bank: bank.slice in beside)
        width = feeder.ways * state.config.lanes
        found = state.words.take(width, words, banks, high=view.tensor.data is not None)
        if found is None:
            return False
        copy = TensorCopy.empty(width, words)
        copy.put(np.arange(words), *found)
        placed[side] = copy
        trial.weights.append((view.tensor, key, copy))
        copy.map = weight_words(op, feeder, *found[:2])
        trial.maps.append((view.tensor, copy.map))
    return True


class WeightKey:
    """Identity of an arrangement of weights: which elements, in which order a feeder's planes load them, from where."""

    def __init__(self, op: MatMul, feeder: Feeder, elements: np.ndarray) -> None:
        self._elements = elements
        self._order = (
            feeder.hemisphere,
            feeder.ways,
            feeder.parts,
            feeder.groups,
            tuple(plane - feeder.planes[0] for plane in feeder.planes),
            op.array,
            op.w.shape,
        )

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, WeightKey)
            and self._order == other._order
            and (self._elements is other._elements or np.array_equal(self._elements, other._elements))
        )

    __hash__ = None  # type: ignore[assignment]


def place_stationary(state: PlacementState, trial: Trial, op: MatMul, tight: bool) -> bool:
    """Place what ALUs latch in slices of its own: it is read word by word, at different times.

    Where there are no others it is placed last and `tight`: it shares slices with weights, both being read sparsely.
    """
    stationary = [demand for demand in trial.demands.values() if demand.is_stationary and demand.elements is not None]
    known = state.ports[op]
    if all(demand.key in trial.storage.ports for demand in stationary):
        return True
    if all(demand.key in known and known[demand.key].serves(demand) for demand in stationary):
        trial.storage.ports |= {demand.key: known[demand.key] for demand in stationary}
        return True
    if _share_stationary(state, trial, stationary, tight):
        return True
    weights = copies_used([*trial.storage.weights.values()])
    orders = [demand.order for demand in stationary]
    width = max(demand.tensor.itemsize for demand in stationary)
    rows = sum(len(order) for order in orders)
    found = None
    ports = {number for port in trial.storage.ports.values() for number in port.slices}
    busy = ports if tight else ports | weights
    for side in sorted(Hemisphere, key=lambda side: len(weights & set(state.slices_of(side)))):
        banks = [
            Bank(number, bank) for bank in (1, 0) for number in reversed(state.slices_of(side)) if number not in busy
        ]
        banks.sort(key=lambda bank: bank.slice in weights)
        lasting = all(demand.tensor.data is not None for demand in stationary)
        found = state.words.take(width, rows, banks, high=lasting)
        if found is not None:
            break
    if found is None:
        return False
    slices, addrs, free = found
    first = 0
    for demand, order in zip(stationary, orders, strict=True):
        size, part = demand.tensor.itemsize, slice(first, first + len(order))
        assert demand.elements is not None
        copy = TensorCopy.empty(size, len(demand.elements))
        copy.put(order, slices[:size, part], addrs[:size, part], free[part])
        if size < width:
            # Rows are as wide as the widest operand: the rest is free again at once.
            state.words.return_unused(slices[size:, part], addrs[size:, part])
        port = state.port_of(demand, copy)
        if port is None:
            return False
        trial.storage.ports[demand.key] = port
        trial.hosted.append((demand.tensor, HostCopy(demand.elements, copy, False, [op])))
        copy.map = element_words(demand.elements[order], copy.slices[:, order], copy.addrs[:, order])
        trial.maps.append((demand.tensor, copy.map))
        first += len(order)
    return True


def _share_stationary(state: PlacementState, trial: Trial, stationary: Sequence[Demand], tight: bool) -> bool:
    """Connect stationary operands to words that are there for another product; all of them or none."""
    weights = copies_used([*trial.storage.weights.values()])
    busy = trial.slices_read - weights if tight else trial.slices_read
    found = {}
    for demand in stationary:
        elements = demand.elements
        assert elements is not None
        copy = next(
            (
                host.copy
                for host in state.hosted[demand.tensor]
                if not host.serial
                and np.array_equal(host.elements, elements)
                and host.copy.has(demand.order)
                and not host.copy.used & busy
            ),
            None,
        )
        if copy is None:
            return False
        found[demand.key] = state.port_of(demand, copy)
    if any(port is None for port in found.values()):
        return False
    trial.storage.ports |= {key: port for key, port in found.items() if port is not None}
    return True


def place_product(state: PlacementState, trial: Trial, op: MatMul, plan: Plan, choice: Choice, when: int) -> bool:
    """Place the result of a product where its readers want it.

    Words that the planes of a feeder write at the same time, and copies of a word, go to different slices. What passes
    the VXM leaves it in one direction: the bytes of an element and all copies go to one side.
    """
    readers = state.readers[op.y]
    both = tuple(Hemisphere)
    if op.epilogue is None:
        places: list[Sides] = [(both,)]
    elif is_copied(readers):
        places = [((side,),) for side in both]
    else:
        places = [tuple((side,) for side in both)]
    if any(reader.near is None for reader in readers):
        # All but activations: an ALU reads from one direction, and weights lie on one side.
        loads = copies_used([*trial.storage.weights.values()])
        quiet = sorted(both, key=lambda side: len(loads & set(state.slices_of(side))))
        places = [((side,),) for side in quiet]
        if choice.loose or (len(readers) == 1 and readers[0].columns):
            places.append((both,) if not choice.loose or op.epilogue is None else tuple((side,) for side in both))
    mark, known = state.words.mark(), len(trial.computed)
    copies = _Copies(state, trial, op, plan, choice, when)
    for sides in places:
        found = copies.place(sides)
        if found is not None:
            trial.storage.outputs.append(list(dict.fromkeys(copy for copy, _ in found)))
            trial.published.append((op.y, found))
            return True
        state.words.rollback(mark)
        del trial.computed[known:]
    return False


@dataclass(frozen=True)
class _Bars:
    """Slices and banks that a copy has to keep clear of.

    Attributes
    ----------
    busy : set of int
        Slices of other copies, and of what its reader reads besides.
    read : set of Bank
        Banks that the product reads.
    last : set of int
        Slices that are taken if there are no others.
    dense : bool
        Whether there are too few slices for every plane to change between two of its own in each copy.
    """

    busy: set[int]
    read: set[Bank]
    last: set[int]
    dense: bool


@dataclass(frozen=True)
class _Copies:
    """Places copies of the result of a product for those who read them."""

    state: PlacementState
    trial: Trial
    op: MatMul
    plan: Plan
    choice: Choice
    when: int

    def place(self, sides: Sides) -> Made | None:
        """Return the copies, on some sides; None when one finds no room."""
        state, op, choice, storage = self.state, self.op, self.choice, self.trial.storage
        # Weights of one tile are read before there are results.
        once = op.k_blocks == 1 and all(len(feeder.groups) == len(feeder.blocks) == 1 for feeder in self.plan.feeders)
        found: Made = []
        readers = state.readers[op.y]
        # Where readers cannot have it as they want it, there is one copy, whoever reads it.
        wants = wanted(state, op.y) if not choice.loose else [None]
        if None not in wants and len(missing_vectors(state.config, op.y, readers)):
            # Planes emit every row, so that each has a way to MEM.
            wants.append(None)
        parts = sum(
            len(words) > 0
            for want in wants
            if want is not None
            for feeder in self.plan.feeders
            for words in words_of(op, feeder, want.order)
        )
        dense = 2 * op.y.itemsize * parts > state.config.mem_slices // 2
        last: set[int] = set()
        if choice.loose:
            last = {number for reader in readers for number in state.busy(reader.op)}
            last |= {number for port in storage.ports.values() for number in port.slices}
        for want in wants:
            order = writing_order(op, self.plan, readers if not choice.loose else []) if want is None else want.order
            if want is not None and not want.columns and (choice.dense or len(found) >= MOST_COPIES):
                # Ports of one operation read at the same time.
                own = {copy for copy, other in found if other is not None and other.op is want.op}
                shared = next(
                    (
                        copy
                        for copy, other in found
                        if copy not in own and copy.has(order) and not (other and other.columns)
                    ),
                    None,
                )
                if shared is not None:
                    found.append((shared, want))
                    continue
            # A vector goes to all of its copies at the same time; weights of other readers are other columns.
            others = [copy for copy, _ in found]
            together = [copy for copy in others if (copy.slices[0, order] >= 0).any()]
            busy = copies_used(others if want is None or not want.columns else together)
            busy |= set() if want is None or choice.loose else state.busy(want.op)
            read = banks_read(state, storage, weights=not (once and want is not None and want.in_mesh))
            copy = TensorCopy.empty(op.y.itemsize, op.n_blocks * op.m)
            if want is not None and want.columns:
                banks = banks_to_write(state, sides[0], busy, read, copies_used(others), set(), None, last)
                computed = fill_weights(state, copy, want, banks, self.when)
                if computed is None:
                    return None
                self.trial.computed.append((want, computed))
            else:
                bars = _Bars(busy, read, last, dense)
                if not all(self._take_rows(feeder, copy, want, order, sides, bars) for feeder in self.plan.feeders):
                    return None
            found.append((copy, want))
        return found

    def _take_rows(
        self, feeder: Feeder, copy: TensorCopy, want: Demand | None, order: np.ndarray, sides: Sides, bars: _Bars
    ) -> bool:
        """Take words for what the planes of a feeder write to a copy."""
        state, op, storage, when = self.state, self.op, self.trial.storage, self.when
        mine: set[int] = set()
        # At best where the reader stands; otherwise where the sums come from.
        near = want.near if want is not None and want.near is not None else feeder.hemisphere
        source = feeder.hemisphere if op.epilogue is None else None
        # Of many groups READs and WRITEs in turn make long programs. What comes from the VXM stays near it, away from
        # weights.
        crowded = source is None or len(feeder.groups) > _MANY
        avoided = {bank.slice for bank in bars.read}
        if not crowded:
            ports = {number for port in storage.ports.values() for number in port.slices}
            avoided = ports | (storage.computed.copy.used if storage.computed else set())
        size = op.y.itemsize
        for words in words_of(op, feeder, order):
            if not len(words):
                continue
            banks = [
                banks_to_write(state, some, bars.busy | mine, bars.read, copy.used, avoided, source, bars.last)
                for some in sorted(sides, key=lambda some: near not in some)
            ]
            turns = product_turns(op, words)
            taken: Taken | None = None
            if want is not None and want.in_mesh and not self.choice.dense and turns.any():
                # At best in slices that the copy does not have yet.
                own = [bank for bank in banks[0] if bank.slice not in copy.used]
                # Where slices are short, the second half of what a plane writes has another bank: who reads it follows
                # half of that behind.
                if bars.dense:
                    turns = (2 * np.arange(len(words)) >= len(words)).astype(np.int32)
                taken = state.words.take_striped(size, turns, own, 1 if bars.dense else 2, when)
                taken = taken or state.words.take(size, len(words), banks[0], when)
            for offered in banks if taken is None else ():
                taken = state.words.take(size, len(words), offered, when)
                if taken is not None:
                    break
            if taken is None:
                return False
            copy.put(words, *taken)
            mine |= slices_in(taken[0])
        return True


def count_sums(state: PlacementState, op: MatMul, plan: Plan) -> None:
    """Note the streams of sums on their way to the VXM."""
    for feeder in plan.feeders:
        inward = Direction.EAST if feeder.hemisphere is Hemisphere.WEST else Direction.WEST
        state.width[op][inward] += 4 * feeder.parts * len(feeder.chains)
