"""Rankings of banks for what an operation reads and writes, the best ones first."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from arch.config import HEMISPHERES
from arch.geometry import Direction, Hemisphere, mxm_position, units, vxm_position
from compiler.ir.operation import Operation
from compiler.lower.storage import OperationStorage
from compiler.memory.copies import TensorCopy, banks_in
from compiler.memory.demand import Demand, Key
from compiler.memory.words import Bank, Numbers
from compiler.place.state import PlacementState

_SHORT = 8
"""Cycles up to which an operation is over before others are in its way."""

_PARTS = 4
"""Parts of a queue's depth: of two queues the one with less text, by so much, comes first."""


def sides_of(
    state: PlacementState, op: Operation, others: Sequence[Operation], source: Direction, size: int, busy: set[int]
) -> list[Hemisphere]:
    """Return both hemispheres, first the one whose streams the operations do not crowd, and whose slices idle most.

    Words read in the west, and results that go east, move east. Where slices are short, the fuller one comes first.

    Parameters
    ----------
    state : PlacementState
    op : Operation
    others : sequence of Operation
        Readers of what it writes.
    source : Direction
        EAST for what it reads, WEST for what it writes.
    size : int
        Bytes of an element.
    busy : set of int
        Slices that the operation reads.

    Returns
    -------
    list of Hemisphere
        Both, the better one first.
    """
    config = state.config
    if state.policy.sparse:
        readers = [op] if source is Direction.EAST else others
        taken = set().union(*(state.busy(reader) | state.read_by_neighbours(reader) for reader in readers))
        # Slices must do for whoever reads: for its own operands and what runs beside it.
        taken |= busy if source is Direction.EAST else set()

    def crowding(side: Hemisphere) -> tuple[int, int, int, int]:
        fit = 0
        if state.policy.sparse:
            idle = len(set(state.slices_of(side)) - taken)
            fit = idle if idle >= size else config.slices
        inward = Direction.EAST if side is Hemisphere.WEST else Direction.WEST
        outward = Direction.WEST if side is Hemisphere.WEST else Direction.EAST
        mine = state.width[op][inward if source is Direction.EAST else outward] + size
        theirs = max((state.width[other][inward] + size for other in others), default=0)
        part = slice(side * config.mem_slices, (side + 1) * config.mem_slices)
        used = int(state.reads[part].sum() + state.writes[part].sum())
        # Streams are scarce only where more than half are wanted: below that, the load of the slices decides.
        return fit, max(mine, theirs, config.streams // 2), used, side

    return sorted(Hemisphere, key=crowding)


def ordered(
    state: PlacementState,
    side: Hemisphere,
    busy: set[int],
    read: set[Bank],
    reader: Operation | None,
    writer: Operation | None = None,
    many: bool = False,
    window: tuple[int, int] | None = None,
) -> list[Bank]:
    """Return banks of slices that are not busy and that are not read, the nearest to the VXM first.

    A slice's engines are one for reads and one for writes, and its banks do one or the other at a time. Operations next
    to the reader run at the same time where they can, so what they read is in other slices; what those next to the
    writer read is in other banks, and what they write in other slices. Where `many` are wanted, some of these will be
    taken: those in other banks first. What is placed already is looked up: engines that are taken within `window`
    (cycles of the access) come last.
    """
    beside_reader = state.read_by_neighbours(reader)
    beside_writer, written = used_by_neighbours(state, writer)
    read_slices = {bank.slice for bank in read}
    slices_beside_writer = {bank.slice for bank in beside_writer}
    engine = "READ" if writer is None else "WRITE"
    clash = dict.fromkeys(state.slices_of(side), 0)
    # What is placed is known to the cycle; of the others only who the neighbours will be.
    if window is not None:
        clash = {number: state.scheduler.load(("engine", number, engine), *window) for number in clash}
    short = writer is not None and window is not None and window[1] - window[0] <= _SHORT
    banks = [
        Bank(number, bank)
        for number in state.slices_of(side)
        for bank in (0, 1)
        if number not in busy and Bank(number, bank) not in read
    ]
    meets = {bank: 0 if window is None else state.scheduler.load(("bank", *bank), *window) for bank in banks}

    def rank(bank: Bank) -> tuple[object, ...]:
        number = bank.slice
        # Each of these may cost cycles, so such banks come last; but a place that waits is better than none. What is
        # over at once meets little: it is the way there and back that costs.
        crowded = not short and (number in beside_reader or number in written or bank in beside_writer)
        # What changes between both banks of a slice needs the other one too.
        return (
            number in read_slices,
            number in state.scattered,
            crowded or clash[number] + meets[bank] > 0,
            max(clash[number], meets[bank]),
            # Queues with much text have to be filled while they run.
            _PARTS * state.scheduler.text(number) // state.config.queue_depth,
            state.policy.sparse and bank in beside_writer,
            not short and number in slices_beside_writer,
            many and bank in beside_writer,
            bank,
        )

    return sorted(banks, key=rank)


def banks_to_write(
    state: PlacementState,
    sides: Sequence[Hemisphere],
    busy: set[int],
    read: set[Bank],
    shared: set[int],
    avoided: set[int],
    source: Hemisphere | None,
    last: Collection[int] = (),
) -> list[Bank]:
    """Return banks that are not read, of slices that are not busy.

    The nearest to the planes of hemisphere `source`, or to the VXM, come first; then `avoided` slices, then `shared`
    ones, those of `last` after all others.
    """
    config = state.config
    # Near means fewer cycles on the way, and fewer positions of a stream taken.
    place = vxm_position(config) if source is None else mxm_position(config, source)
    every = units(config)
    banks = [
        Bank(number, bank)
        for side in sides
        for number in state.slices_of(side)
        for bank in (0, 1)
        if number not in busy and Bank(number, bank) not in read
    ]
    return sorted(
        banks,
        key=lambda bank: (
            bank.slice in last,
            bank.slice in shared,
            bank.slice in avoided,
            abs(every[bank.slice].position - place),
        ),
    )


def banks_near(state: PlacementState, side: Hemisphere) -> list[Bank]:
    """Return all banks, those nearest to a hemisphere's planes first."""
    other = Hemisphere((side + 1) % HEMISPHERES)
    slices = [*reversed(state.slices_of(side)), *state.slices_of(other)]
    return [Bank(number, bank) for number in slices for bank in (0, 1)]


def banks_read(state: PlacementState, storage: OperationStorage, weights: bool = True) -> set[Bank]:
    """Return the banks that an operation reads, those of its weights too or not."""
    depth = state.config.mem_depth
    copies = list(storage.weights.values()) if weights else []
    if storage.computed and weights:
        copies.append(storage.computed.copy)
    return set().union(
        *(banks_in(copy.slices, copy.addrs, depth) for copy in copies),
        *(port.banks(depth) for port in storage.ports.values()),
    )


def banks_of_ports(state: PlacementState, op: Operation) -> set[Bank]:
    """Return the banks that an operation will read, as far as they are known."""
    return banks_read(state, OperationStorage(ports=state.ports[op], computed=state.computed.get(op)))


def written_banks(state: PlacementState, op: Operation) -> set[Bank]:
    """Return the banks that an operation will write in words that are not its choice: of states, or begun by others."""
    copies: list[TensorCopy] = []
    for tensor in set(op.writes()):
        copies += state.copies.get(tensor, []) if tensor in state.states else []
        copies += state.written.get(tensor, [])
        copies += [copy for copy, _ in state.partial.get(tensor) or ()]
    return set().union(*(banks_in(copy.slices, copy.addrs, state.config.mem_depth) for copy in copies))


def used_by_neighbours(state: PlacementState, op: Operation | None) -> tuple[set[Bank], set[int]]:
    """Return the banks that operations next to one read, and the slices that they write, as far as they are known."""
    banks: set[Bank] = set()
    slices: set[int] = set()
    for other in state.neighbours(op):
        storage = state.placed.get(other)
        if storage is None:
            banks |= banks_of_ports(state, other)
        else:
            banks |= banks_read(state, storage)
            slices |= copies_used([copy for copies in storage.outputs for copy in copies])
    return banks, slices


def count(state: PlacementState, load: np.ndarray, duration: int, slices: Numbers, addrs: Numbers) -> None:
    """Note that an operation of some duration accesses words, shape (bytes, n): their banks are in use so long."""
    held = slices >= 0
    load[slices[held], addrs[held] // state.config.mem_depth] += duration


def sparse_slices(
    state: PlacementState, storage: OperationStorage, demand: Demand, demands: Mapping[Key, Demand]
) -> list[set[int]]:
    """Return groups of slices from which an operation reads sparsely, in other cycles than one more port would be."""
    if not demand.is_sparse:
        return []
    size = demand.tensor.itemsize
    own = [
        frozenset(port.slices)
        for key, port in storage.ports.items()
        if demands[key].is_sparse and demands[key].tensor.itemsize == size
    ]
    groups = [*state.sparse_groups.get(size, {}), *own]
    return [set(slices) for slices in dict.fromkeys(groups) if is_apart(storage, demand, demands, set(slices))]


def is_apart(storage: OperationStorage, demand: Demand, demands: Mapping[Key, Demand], slices: set[int]) -> bool:
    """Return whether a sparse port meets no other of its operation in some slices."""
    return all(
        demand.apart(demands[key]) for key, port in storage.ports.items() if key in demands and port.slices & slices
    )


def copies_used(copies: Sequence[TensorCopy]) -> set[int]:
    """Return the slices of copies."""
    return set().union(*(copy.used for copy in copies))
