"""Operands of an operation: copies that are there, or new ones of what the host writes."""

from collections.abc import Set
from dataclasses import replace

import numpy as np

from arch.geometry import Direction, Hemisphere, sxm_position, units
from compiler.ir.operation import Operation
from compiler.memory.copies import ReadPort, TensorCopy
from compiler.memory.demand import Demand
from compiler.memory.maps import element_words
from compiler.memory.words import Bank, Cycles, Numbers
from compiler.place.ranking import banks_near, ordered, sides_of, sparse_slices, written_banks
from compiler.place.state import HostCopy, PlacementState
from compiler.place.trial import Choice, Trial, is_one_sided

FEW = 16
"""Vectors of which every pass gets a copy of its own, so that passes can run at the same time."""


def place_operands(state: PlacementState, trial: Trial, fresh: bool) -> bool:
    """Connect all ports of an operation, those of results to copies that are there.

    Parameters
    ----------
    state : PlacementState
    trial : Trial
    fresh : bool
        Take copies of its own of what the host writes, even where others have one that would do.

    Returns
    -------
    bool
        False when something found no room or (see `Trial.lacking`) no copy that suits.
    """
    demands = trial.demands.values()
    for demand in demands:
        # All that is lacking is noted, not just the first: repair has to copy all of it.
        if demand.elements is None and not demand.columns and not _connect(state, trial, demand):
            trial.lacking.append(demand)
    if trial.lacking:
        return False
    return place_host(state, trial, fresh)


def place_host(state: PlacementState, trial: Trial, fresh: bool) -> bool:
    """Connect the ports of an operation that read what the host writes; return whether there is room."""
    # What an epilogue reads has to lie on one side, which matters where room is short.
    demands = sorted(trial.demands.values(), key=lambda demand: not demand.of_epilogue)
    return all(
        _place_host(state, trial, demand, fresh)
        for demand in demands
        if demand.elements is not None and not demand.is_stationary
    )


def _connect(state: PlacementState, trial: Trial, demand: Demand) -> bool:
    """Connect a port to a copy of a result: the one made for it, or another one that will do."""
    ports, key = trial.storage.ports, demand.key
    others = set().union(*(port.slices for other, port in ports.items() if other != key)) | trial.loads
    made = state.ports[trial.op].get(key)
    if made is not None and made.serves(demand):
        ports[key] = replace(made, used=demand.used)
        _note_clash(trial, demand, others)
        return True
    if not len(demand.order):
        return _place_zeros(state, trial, demand)
    order = demand.order
    suited = [
        copy
        for copy in state.copies.get(demand.tensor, [])
        if copy.has(order) and (not demand.in_mesh or is_one_sided(state, copy, order))
    ]
    # Two ports in one slice have to be read one after the other.
    suited.sort(key=lambda copy: len(copy.used & others))
    for copy in suited:
        port = state.port_of(demand, copy)
        if port is not None:
            ports[key] = port
            _note_clash(trial, demand, others)
            return True
    return False


def _note_clash(trial: Trial, demand: Demand, others: set[int]) -> None:
    """Note whether a port lies in slices that others of its operation are read from in the same cycles."""
    slices = trial.storage.ports[demand.key].slices
    meets = any(
        port.slices & slices and not demand.apart(trial.demands[key])
        for key, port in trial.storage.ports.items()
        if key != demand.key
    )
    if slices & others and (meets or slices & trial.loads):
        trial.clashing.append(demand)


def _place_zeros(state: PlacementState, trial: Trial, demand: Demand) -> bool:
    """Connect a port that reads nothing but zeros."""
    size = demand.tensor.itemsize
    near = banks_near(state, demand.near or Hemisphere.WEST)
    busy = trial.slices_read
    free = list(dict.fromkeys(bank.slice for bank in near if bank.slice not in busy))
    words = state.zero_words(free[:size]) if len(free) >= size else None
    if words is None:
        return False
    # Steps that other ports of the operation read may have vectors: those are nothing to this one.
    steps = np.full_like(demand.steps, -1)
    trial.storage.ports[demand.key] = ReadPort(TensorCopy.empty(size, 1), steps, demand.used, *words)
    return True


def _place_host(state: PlacementState, trial: Trial, demand: Demand, fresh: bool) -> bool:
    """Connect a port to vectors that the host writes; ports of different operations may share them."""
    tensor, elements, ports = demand.tensor, demand.elements, trial.storage.ports
    assert elements is not None
    known = state.ports[trial.op].get(demand.key)
    if demand.key in ports:
        return True
    # What lies in a bank that it has to write it could not read in the same cycles. Nor has a queue words for both; but
    # reads and writes of two banks mostly find cycles of their own, and slices are short.
    fixed = written_banks(state, trial.op)
    if trial.choice.dense or trial.choice.loose:
        fixed = {Bank(written.slice, bank) for written in fixed for bank in (0, 1)}
    depth = state.config.mem_depth
    if known is not None and known.serves(demand):
        trial.shared |= known.shared
        # Another plan may have other weights in these slices, or its feeder of this number in the other hemisphere.
        clashes = (not demand.is_sparse and bool(known.slices & trial.slices_read)) or bool(fixed & known.banks(depth))
        if not (fresh and known.shared) and not clashes and not _is_far(state, demand, known.slices):
            ports[demand.key] = replace(known, used=demand.used)
            return True
    # Sharing first: it costs no words.
    if not fresh:
        busy = trial.slices_read
        for host in state.hosted[tensor]:
            alike = host.serial == demand.serial and np.array_equal(host.elements, elements)
            # Of few vectors, operations that may run at the same time have copies of their own.
            alike &= (len(elements) > FEW and not state.policy.copied) or state.far(trial.op, host.users)
            alike &= not host.copy.used & busy and not _is_far(state, demand, host.copy.used)
            if alike and host.copy.has(demand.order) and _suits(state, demand, host.copy):
                port = state.port_of(demand, host.copy)
                if port is not None and not fixed & port.banks(depth):
                    ports[demand.key] = replace(port, shared=True)
                    state.note_read(demand, port)
                    state.add(host.users, trial.op)
                    trial.shared = True
                    return True
    found = _take_host(state, trial, demand, fixed)
    if found is None:
        return _any_host(state, trial, demand)
    order = demand.order
    copy = TensorCopy.empty(tensor.itemsize, len(elements))
    copy.put(order, *found)
    port = state.port_of(demand, copy)
    if port is None:
        return False
    ports[demand.key] = port
    state.note_read(demand, port)
    trial.hosted.append((tensor, HostCopy(elements, copy, demand.serial, [trial.op])))
    copy.map = element_words(elements[order], copy.slices[:, order], copy.addrs[:, order])
    trial.maps.append((tensor, copy.map))
    return True


def _suits(state: PlacementState, demand: Demand, copy: TensorCopy) -> bool:
    """Return whether vectors lie where a port wants them."""
    order = demand.order
    if demand.side is not None:
        east = bool((copy.slices[:, order] >= state.config.mem_slices).all())
        return is_one_sided(state, copy, order) and east == (demand.side is Hemisphere.EAST)
    return not demand.in_mesh or is_one_sided(state, copy, order)


def _is_far(state: PlacementState, demand: Demand, slices: Set[int]) -> bool:
    """Return whether slices lie in the other hemisphere than the reader."""
    return demand.near is not None and slices.isdisjoint(state.slices_of(demand.near))


def _any_host(state: PlacementState, trial: Trial, demand: Demand) -> bool:
    """Connect a port to any vectors that the host has written: the last way, where there is no room for more."""
    elements = demand.elements
    assert elements is not None
    for host in state.hosted[demand.tensor]:
        alike = host.serial == demand.serial and np.array_equal(host.elements, elements)
        if alike and host.copy.has(demand.order) and _suits(state, demand, host.copy):
            port = state.port_of(demand, host.copy)
            if port is not None:
                trial.storage.ports[demand.key] = port
                return True
    return False


def _take_host(
    state: PlacementState, trial: Trial, demand: Demand, fixed: Set[Bank]
) -> tuple[Numbers, Numbers, Cycles] | None:
    """Take words for vectors that the host writes, in `fixed` banks only where there are no others."""
    op, size, rows = trial.op, demand.tensor.itemsize, len(demand.order)
    busy = trial.slices_read | state.busy(op)
    # Constants never go: they lie away from what comes and goes, so that free words stay together.
    lasting = demand.tensor.data is not None
    sides = [Hemisphere.WEST]
    if demand.near is not None:
        choices = [[bank for bank in banks_near(state, demand.near) if bank.slice not in busy]]
    else:
        sides = [demand.side] if demand.side is not None else sides_of(state, op, [], Direction.EAST, size, busy)
        choices = [ordered(state, side, busy, set(), op, window=trial.window) for side in sides]
        if demand.of_epilogue:
            # It comes long before it is wanted; slices near the VXM are of more use to results.
            choices = [banks[::-1] for banks in choices]
        for numbers in sparse_slices(state, trial.storage, demand, trial.demands):
            choices.insert(0, [Bank(number, bank) for number in sorted(numbers) for bank in (0, 1)])
    choices = [sorted(banks, key=lambda bank: bank in fixed) for banks in choices]
    if demand.serial:
        beside, distance = state.read_by_neighbours(op), distances(state, trial, sides[0])
        banks = [bank for banks in choices for bank in banks]
        banks.sort(key=lambda bank: (bank in fixed, bank.slice in beside, distance[bank.slice], bank.bank))
        return take_serial(state, size, rows, banks, high=lasting)
    for banks in choices:
        found = state.words.take(size, rows, banks, high=lasting)
        if found is not None:
            return found
    return None


def take_serial(
    state: PlacementState, size: int, rows: int, banks: list[Bank], when: int = 0, high: bool = False
) -> tuple[Numbers, Numbers, Cycles] | None:
    """Take words for vectors whose bytes stand one after another."""
    found = state.words.take(1, size * rows, banks, when, high)
    if found is None:
        return None
    slices, addrs, free = found
    return slices.reshape(rows, size).T, addrs.reshape(rows, size).T, free.reshape(rows, size).max(axis=1)


def distances(state: PlacementState, trial: Trial, side: Hemisphere | None = None) -> list[int]:
    """Return the cycles from every slice to the SXM that reads the slices of an operation, or of `side` before."""
    ports = trial.storage.ports
    known = [port.slices for key, port in sorted(ports.items()) if trial.demands[key].serial]
    if known:
        side = units(state.config)[min(known[0])].hemisphere
    end = sxm_position(state.config, side or Hemisphere.WEST)
    return [abs(unit.position - end) for unit in units(state.config)[: state.config.slices]]


def first_cycle(state: PlacementState, trial: Trial, offsets: dict[object, np.ndarray]) -> int:
    """Return a cycle before which an operation cannot start: when its operands are there.

    Parameters
    ----------
    state : PlacementState
    trial : Trial
    offsets : dict of Key to ndarray
        Of each port, about when (relative) each of its used steps is read.
    """
    start = 0
    for key, port in trial.storage.ports.items():
        ready = port.words()[2][port.used]
        if len(ready):
            start = max(start, int((ready - offsets[key]).max()))
    return start


def connect_known(state: PlacementState, op: Operation) -> None:
    """Connect ports of an operation that is not placed yet to copies that are there, so that others keep clear."""
    trial = Trial(op, Choice(None), {demand.key: demand for demand in state.demands[op]})
    for demand in state.demands[op]:
        known = demand.elements is None and not demand.columns and demand.tensor in state.copies
        if known and _connect(state, trial, demand):
            state.connect(demand, trial.storage.ports[demand.key])
