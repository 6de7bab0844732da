"""The table of what is taken when."""

from collections.abc import Hashable

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from arch.config import Config
from arch.geometry import Direction, positions
from compiler.schedule.flow import Flow
from compiler.schedule.pattern import Pattern

Table = npt.NDArray[np.bool_]
_MARGIN = 4096
"""Cycles by which a table grows beyond what is asked for: growing copies it."""


class Reservations:
    """Occupied cycles of every resource.

    A resource other than a stream is a row of cycles. A stream is a table of diagonals by positions: a value driven at
    position p in cycle c moves one position per cycle, so on its way it stays on the diagonal ``c - p`` (east) or
    ``c + p`` (west), and taking the positions from producer to last reader keeps it whole::

        cycle      position 0  1  2  3         an eastward value driven at position 1 in cycle 5
          5                    x               is at 2 in cycle 6, at 3 in cycle 7:
          6                       x            one diagonal, 5 - 1 = 6 - 2 = 7 - 3 = 4,
          7                          x         of which it takes the positions 1 to 3.

    What is taken stays tentative until `commit`; `rollback` gives back what was taken since a mark.

    Parameters
    ----------
    config : Config
        Whose stream register positions there are.
    """

    def __init__(self, config: Config) -> None:
        self._positions = positions(config)
        self._tables: dict[Hashable, Table] = {}
        self._undo: list[tuple[Hashable, slice, Pattern]] = []
        self.last = -1
        """Last cycle in which anything is taken."""

    def claim(self, key: Hashable, cycles: Pattern) -> bool:
        """Take cycles of a resource; return whether they were free, otherwise nothing is taken."""
        return self._claim(key, slice(0, 1), 1, cycles)

    def claim_flow(self, flow: Flow, stream: int, start: int) -> bool:
        """Take the way of a flow whose macro-operation starts at cycle `start`, from `stream` up.

        Returns
        -------
        bool
            Whether all of it was free; otherwise part of it may be taken, for the caller to roll back.
        """
        for item in flow.segments:
            # Eastward diagonals would have negative numbers near the east edge: all are shifted by the positions.
            offset = self._positions - item.source if flow.direction is Direction.EAST else item.source
            way = slice(min(item.source, item.sink), max(item.source, item.sink) + 1)
            key = ("stream", flow.direction, stream + item.member)
            if not self._claim(key, way, self._positions, item.cycles.shifted(start + offset)):
                return False
        return True

    def taken(self, key: Hashable, cycles: Pattern, start: int, count: int) -> Table | None:
        """Return for each of `count` starts, the first `start`, whether a pattern's cycles are taken; None if none is.

        Looking at many starts together is what makes a search for the first free one fast.
        """
        table = self._tables.get(key)
        first = cycles.start + start
        if table is None or first >= len(table):
            return None
        span = cycles.last - cycles.start + count
        row = table[first : first + span, 0]
        if not row.any():
            return None
        # Beyond the table nothing is taken.
        if len(row) < span:
            row = np.concatenate([row, np.zeros(span - len(row), np.bool_)])
        blocks = _any_of(row, cycles.length, cycles.interval)
        return _any_of(blocks, cycles.count, cycles.every)[:count]

    def occupied(self, key: Hashable, first: int, last: int) -> int:
        """Return how many cycles from `first` to `last` of a resource are taken."""
        table = self._tables.get(key)
        return 0 if table is None else int(np.count_nonzero(table[max(first, 0) : last + 1, 0]))

    def row(self, key: Hashable, first: int, count: int) -> Table:
        """Return for each of `count` cycles whether a resource is taken in it; cycles before 0 are not."""
        found = np.zeros(count, np.bool_)
        table = self._tables.get(key)
        if table is not None:
            part = table[max(first, 0) : max(first + count, 0), 0]
            found[max(-first, 0) : max(-first, 0) + len(part)] = part
        return found

    def mark(self) -> tuple[int, int]:
        """Return a point to which `rollback` can return."""
        return len(self._undo), self.last

    def rollback(self, mark: tuple[int, int]) -> None:
        """Give back everything taken since `mark`."""
        count, self.last = mark
        for key, columns, cycles in self._undo[count:]:
            # All of it was free when it was taken, so that clearing it restores what was.
            _view(self._tables[key], columns, cycles)[...] = False
        del self._undo[count:]

    def commit(self) -> None:
        """Make everything taken so far final."""
        self._undo.clear()

    def _claim(self, key: Hashable, columns: slice, width: int, cycles: Pattern) -> bool:
        table = self._tables.get(key)
        # Whole blocks, pauses included: `_view` cuts the table into these.
        needed = cycles.last + cycles.every + 1
        if table is None or len(table) < needed:
            table = self._tables[key] = _grown(table, needed + _MARGIN, width)
        view = _view(table, columns, cycles)
        if view.any():
            return False
        view[...] = True
        self._undo.append((key, columns, cycles))
        # Diagonals of streams begin up to `positions` later than their cycles: the last one is an upper bound then.
        self.last = max(self.last, cycles.last)
        return True


def _grown(table: Table | None, length: int, width: int) -> Table:
    fresh = np.zeros((length if table is None else max(length, 2 * len(table)), width), np.bool_)
    if table is not None:
        fresh[: len(table)] = table
    return fresh


def _any_of(row: Table, count: int, every: int) -> Table:
    """Return for each place of a row whether any of `count` places from there on, `every` apart, is set."""
    if count == 1:
        return row
    places = len(row) - (count - 1) * every
    if every == 1:
        sums = np.concatenate([[0], np.cumsum(row)])
        dense: Table = sums[count:] > sums[:-count]
        return dense
    (step,) = row.strides
    found: Table = np.any(as_strided(row, (places, count), (step, every * step)), axis=1)
    return found


def _view(table: Table, columns: slice, cycles: Pattern) -> Table:
    start, count, every, length, interval = cycles.start, cycles.count, cycles.every, cycles.length, cycles.interval
    if interval == 1 and (count == 1 or every == length):
        return table[start : start + count * length, columns]
    if length == 1:
        return table[start : cycles.last + 1 : every, columns]
    if count == 1:
        return table[start : cycles.last + 1 : interval, columns]
    if interval > 1:
        own = table[start:, columns]
        row, column = own.strides
        return as_strided(own, (count, length, own.shape[1]), (every * row, interval * row, column))
    blocks = table[start : start + count * every]
    return blocks.reshape(count, every, table.shape[1])[:, :length, columns]
