"""Places of tables, of their indices, and of the rows that are gathered."""

from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np

from arch.geometry import Direction, Hemisphere, units
from compiler.ir.gather import Gather, Gathering, TablePart
from compiler.ir.tensor import Tensor
from compiler.lower.mem.share import Share, shares
from compiler.memory.copies import TensorCopy, slices_in
from compiler.memory.maps import MapWords, element_words
from compiler.memory.words import Bank, Numbers
from compiler.place.results import wanted
from compiler.place.state import PlacementState
from compiler.place.trial import Choice, Trial

Way = tuple[Direction, Sequence[int], Sequence[int]]
"""Direction of indices, slices for them, and slices that they may pass."""


def table_choices(state: PlacementState, op: Gather, choice: Choice) -> list[tuple[Way, Share]]:
    """Return ways to share the work of a Gather, the fastest first."""
    readers = state.readers[op.target]
    busy = _busy(state, op, choice)
    # An ALU reads from one direction.
    one_sided = any(reader.in_mesh for reader in readers)
    west, east = (state.slices_of(side) for side in Hemisphere)
    ways: list[Way] = [(Direction.EAST, west, [*west, *east])]
    if one_sided:
        ways = [(Direction.EAST, [*reversed(west)], [*east]), (Direction.WEST, [*reversed(east)], [*west])]
    # Rows that an operation reads are in regular order in each slice, so that few words read them.
    found = [
        (way, share)
        for way in ways
        for share in _shares(state, op, way, busy)
        if not share.shared_turns or (not choice.dense and (share.shared_turns == 1 or not readers))
    ]
    return sorted(found, key=lambda item: item[1].cycles)


def _busy(state: PlacementState, op: Gather, choice: Choice) -> set[int]:
    """Return the slices that are read beside the result, where that is not to wait."""
    if choice.loose:
        return set()
    return {number for reader in state.readers[op.target] for number in state.busy(reader.op)}


def _shares(state: PlacementState, op: Gather, way: Way, busy: set[int]) -> Iterator[Share]:
    """Yield how the slices that indices can pass may share the work; nothing where there is no room for them."""
    mark = state.words.mark()
    indices = _take_indices(state, op, way, op.m)
    state.words.rollback(mark)
    if indices is None:
        return
    size = op.target.itemsize
    passed = _passed(state, way, indices[0], busy)
    if len(passed) >= size:
        yield from shares(state.config, op.m, op.blocks * size, len(passed))


def place_gathered(state: PlacementState, trial: Trial, op: Gather, way: Way, share: Share, choice: Choice) -> bool:
    """Place table, indices and result of a Gather for one share of the work."""
    busy, when = _busy(state, op, choice), choice.when
    orders = {turn.order.tobytes(): turn.order for turn in share.turns}
    taken = _take_indices(state, op, way, sum(map(len, orders.values())))
    if taken is None:
        return False
    slices, addrs = taken
    copy = TensorCopy.empty(op.target.itemsize, op.blocks * op.m)
    passed = _passed(state, way, slices, busy)
    maps: list[tuple[Tensor, MapWords]] = []
    placer = _Parts(state, op, copy, passed, when, maps)
    parts = placer.place(share)
    if parts is None:
        return False
    # With one copy of each part, slices without room leave more turns to others.
    turns = share.turns if share.shared_turns else share.turns[:1] * (1 + max(part.turn for part in parts))
    ends = dict(zip(orders, accumulate(map(len, orders.values())), strict=True))
    words = []
    for turn in turns:
        end = ends[turn.order.tobytes()]
        its = slice(end - len(turn.order), end)
        words.append((slices[:, its], addrs[:, its]))
    trial.storage.gathering = Gathering(way[0], turns, tuple(words), tuple(parts))
    trial.storage.outputs = [[copy]]
    rows = np.concatenate(list(orders.values()))
    missing = np.full_like(slices, -1)
    size = op.indices.itemsize
    low = element_words(
        op.index_rows[rows],
        np.vstack([slices, *[missing] * (size // 2 - 1)]),
        np.vstack([addrs, *[missing] * (size // 2 - 1)]),
    )
    trial.maps += [*maps, (op.indices, low)]
    trial.published.append((op.target, [(copy, want) for want in wanted(state, op.target)]))
    return True


def _take_indices(state: PlacementState, op: Gather, way: Way, words: int) -> tuple[Numbers, Numbers] | None:
    """Take words for low bytes of indices, before the slices that they pass."""
    banks = [Bank(number, bank) for number in reversed(way[1]) for bank in (0, 1)]
    found = state.words.take(2, words, banks)
    return None if found is None else found[:2]


def _passed(state: PlacementState, way: Way, indices: Numbers, busy: set[int]) -> list[int]:
    """Return the slices that all indices can pass, the nearest to them first."""
    direction, _, slices = way
    places = [units(state.config)[number].position * direction.step for number in range(state.config.slices)]
    own = {int(number) for number in np.unique(indices)}
    last = max(places[number] for number in own)
    passed = [number for number in slices if number not in busy and number not in own and places[number] >= last]
    return sorted(passed, key=lambda number: places[number])


class _Parts:
    """Places the parts of a table in slices that the indices pass, and what is gathered of them in a copy.

    A slice has a byte of a block of a table's columns in one bank, and what it gathers of that in the other.
    """

    def __init__(
        self,
        state: PlacementState,
        op: Gather,
        copy: TensorCopy,
        passed: list[int],
        when: int,
        maps: list[tuple[Tensor, MapWords]],
    ) -> None:
        self._state, self._op, self._copy, self._passed, self._when, self._maps = state, op, copy, passed, when, maps
        # Further copies of tables leave as much room as they take, if anything else may want it.
        self._margin = 2 if len(state.demands) > 1 else 1

    def place(self, share: Share) -> list[TablePart] | None:
        """Return the parts; None when something finds no room."""
        op, copy = self._op, self._copy
        size = op.target.itemsize
        # Each slice's turns so far.
        done = dict.fromkeys(self._passed, 0)
        copies: dict[int, dict[int, int]] = {part: {} for part in range(share.parts)}
        parts: list[TablePart] = []
        for stint in share.stints:
            block, byte = divmod(stint.part, size)
            rows = share.turns[stint.turn].ways[stint.way]
            vectors = block * op.m + rows
            known = copies[stint.part]
            # Bytes of a vector are read together.
            others = slices_in(copy.slices[:, vectors])
            suited = [number for number in self._passed if number not in others]
            if share.shared_turns:
                suited = [number for number in suited if done[number] <= stint.turn]
            suited.sort(key=lambda number: (number not in known, done[number]))
            found = self._take(suited, known, len(rows))
            if found is None:
                return None
            number, addr, first, free = found
            known[number] = addr
            copy.put_byte(byte, vectors, number, first + np.arange(len(rows)))
            copy.free[vectors] = np.maximum(copy.free[vectors], free)
            turn = stint.turn if share.shared_turns else done[number]
            parts.append(TablePart(block, byte, number, addr, turn, stint.way))
            done[number] = turn + 1
        for part, known in copies.items():
            block, byte = divmod(part, size)
            elements = op.table_rows[block * op.v : (block + 1) * op.v]
            for number, addr in known.items():
                slices, addrs = np.full((size, op.v), -1, np.int32), np.zeros((size, op.v), np.int32)
                slices[byte], addrs[byte] = number, addr + np.arange(op.v)
                self._maps.append((op.table, element_words(elements, slices, addrs)))
        return parts

    def _take(self, slices: list[int], known: dict[int, int], rows: int) -> tuple[int, int, int, np.ndarray] | None:
        """Take words for a part of the table, if a slice has none yet, and for what is gathered of it.

        Returns
        -------
        slice, first addr of the part, addr of the first row, and from when on the rows are free.
        """
        state, op = self._state, self._op
        for number in slices:
            for bank in (0, 1):
                if state.tables.get((number, 0), bank) != bank:
                    continue
                first = known.get(number)
                needed = op.v * (self._margin if known else 1) if first is None else 0
                mark = state.words.mark()
                if state.words.run(Bank(number, bank), 0) < needed:
                    continue
                gathered = state.words.take(1, rows, [Bank(number, 1 - bank)], self._when)
                if gathered is None or (np.diff(gathered[1][0]) != 1).any():
                    state.words.rollback(mark)
                    continue
                if first is None:
                    table = state.words.take(1, op.v, [Bank(number, bank)])
                    if table is None:
                        state.words.rollback(mark)
                        continue
                    first = int(table[1][0, 0])
                state.put(state.tables, (number, 0), bank)
                return number, first, int(gathered[1][0, 0]), gathered[2]
        return None
