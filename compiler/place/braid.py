"""Words of vectors of which several are read, or written, at the same time: computed weights, tiles to transpose."""

import numpy as np

from arch.config import Config
from compiler.lower.storage import ComputedWeights
from compiler.memory.copies import TensorCopy
from compiler.memory.demand import Demand, Vectors
from compiler.memory.words import Bank, Cycles, Numbers
from compiler.place.state import PlacementState

_LONG = 64
"""Least vectors of weights that change banks."""

_CHANGES = 4
"""Parts of vectors that lie in another bank each, where no tiles say better."""

Taken = tuple[Numbers, Numbers, Cycles]


def fill_weights(
    state: PlacementState, copy: TensorCopy, want: Demand, banks: list[Bank], when: int
) -> ComputedWeights | None:
    """Take words for all vectors of a copy of computed weights, in `lanes` slices of `banks`; None without room."""
    order, lanes = want.order, state.config.lanes
    tiles = want.tiles_of(order, state.config.vector_length)
    found = take_braided(state, want.tensor.itemsize, lanes, want.slots_of(order, lanes), banks, when, tiles)
    if found is None:
        return None
    taken, members = found
    copy.put(order, *taken)
    if not (want.zeros or want.columns % lanes):
        return ComputedWeights(copy, want.steps, None, None)
    words = state.zero_words(members)
    return None if words is None else ComputedWeights(copy, want.steps, *words)


def take_braided(
    state: PlacementState,
    size: int,
    width: int,
    slots: Vectors,
    banks: list[Bank],
    when: int,
    tiles: Vectors | None = None,
) -> tuple[Taken, list[int]] | None:
    """Take words in `width` slices so that bytes of a vector, and equal bytes of different slots, never meet.

    Parameters
    ----------
    state : PlacementState
    size : int
        Bytes of an element.
    width : int
        At least the size of an element.
    slots : ndarray, shape (n,)
        By vector, 0 to width - 1.
    banks : list of Bank
    when : int
        Cycle from which on words must be free.
    tiles : ndarray, shape (n,), optional
        By vector, the number of what is read as a whole, in the order of reading.

    Returns
    -------
    slices, addrs, free : ndarray, shape (bytes, n) and (n,)
    list of int
        The slices by slot. None when there is no room.
    """
    # Bytes of an element are written at the same time by one ALU, in one direction: their slices come in pairs of a
    # side.
    offered = _in_pairs(state.config, banks) if size == 2 else banks
    parts = np.zeros_like(slots)
    if len(slots) >= _LONG:
        # A reader can follow the writer where that changes banks now and then: best from one tile to the next, as the
        # whole of one is read while the next one is written.
        parts = np.arange(len(slots)) * _CHANGES // len(slots) % 2
        if tiles is not None and tiles.max():
            parts = tiles % 2
    rows, first, row = [], 0, np.empty((size, len(slots)), np.int64)
    for part in range(int(parts.max()) + 1):
        turns = np.zeros(len(slots), np.int64)
        for slot in range(width):
            mine = (slots == slot) & (parts == part)
            turns[mine] = np.arange(mine.sum())
        most = int(turns.max()) + 1
        row[:, parts == part] = (first + most * np.arange(size)[:, None] + turns)[:, parts == part]
        rows.append(size * most)
        first += size * most
    found = _take_members(state, width, rows, offered, when)
    if found is None:
        return None
    slices, addrs, free = found
    if size == 2:
        # The bytes of an element lie on one side.
        side = np.argsort(slices[:, 0] >= state.config.mem_slices, kind="stable")
        pairs = np.concatenate([side[0::2], side[1::2]])
        slices, addrs = slices[pairs], addrs[pairs]
    member = (slots + np.arange(size)[:, None] * (width // size)) % width
    return (slices[member, row], addrs[member, row], free[row].max(axis=0)), slices[:, 0].tolist()


def _take_members(state: PlacementState, width: int, rows: list[int], banks: list[Bank], when: int) -> Taken | None:
    """Take rows of `width` words; two parts from both banks of the same slices if these have room."""
    offered = set(banks)
    both = [n for n in dict.fromkeys(bank.slice for bank in banks) if {Bank(n, 0), Bank(n, 1)} <= offered]
    if len(rows) == 2:
        mark = state.words.mark()
        found = [
            state.words.take(width, count, [Bank(n, part) for n in both[:width]], when)
            for part, count in enumerate(rows)
        ]
        if None not in found:
            parts = [part for part in found if part is not None]
            return (
                np.hstack([part[0] for part in parts]),
                np.hstack([part[1] for part in parts]),
                np.concatenate([part[2] for part in parts]),
            )
        state.words.rollback(mark)
    # One stretch, so that every slice has the same rows.
    return state.words.take(width, sum(rows), banks, when)


def _in_pairs(config: Config, banks: list[Bank]) -> list[Bank]:
    """Return banks without those of the last slice of a side that has an odd number of them."""
    found = banks
    for east in (False, True):
        mine = list(dict.fromkeys(bank.slice for bank in banks if (bank.slice >= config.mem_slices) == east))
        if len(mine) % 2:
            found = [bank for bank in found if bank.slice != mine[-1]]
    return found
