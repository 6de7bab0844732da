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


class Reservations:
    """Occupied cycles of every resource.

    A resource other than a stream is a row of cycles. A stream is a table of diagonals by positions: a value driven at
    position p in cycle c moves one position per cycle, so on its way it stays on the diagonal ``c - p`` (east) or
    ``c + p`` (west), and taking the positions from producer to last reader keeps it whole.
    """

    def __init__(self, config: Config) -> None:
        self._positions = positions(config)
        self._tables: dict[Hashable, Table] = {}
        self._undo: list[tuple[Hashable, slice, Pattern]] = []
        self.last = -1
        """Last cycle in which anything is taken."""

    def claim(self, key: Hashable, cycles: Pattern) -> int:
        """Take cycles of a resource.

        Returns
        -------
        int
            0 when they were free; otherwise nothing was taken, and a start less than this many cycles later meets
            the same obstacle.
        """
        return self._claim(key, slice(0, 1), 1, cycles)

    def claim_flow(self, flow: Flow, stream: int, start: int) -> int:
        """Take the way of a flow whose macro-operation starts at cycle `start`, from `stream` up; return as `claim`."""
        for item in flow.segments:
            offset = self._positions - item.source if flow.direction is Direction.EAST else item.source
            way = slice(min(item.source, item.sink), max(item.source, item.sink) + 1)
            key = ("stream", flow.direction, stream + item.member)
            shift = self._claim(key, way, self._positions, item.cycles.shifted(start + offset))
            if shift:
                return shift
        return 0

    def mark(self) -> int:
        """Return a point to which `rollback` can return."""
        return len(self._undo)

    def rollback(self, mark: int) -> None:
        """Give back everything taken since `mark`."""
        for key, columns, cycles in self._undo[mark:]:
            _view(self._tables[key], columns, cycles)[...] = False
        del self._undo[mark:]

    def commit(self) -> None:
        """Make everything taken so far final."""
        for _, _, cycles in self._undo:
            self.last = max(self.last, cycles.last)
        self._undo.clear()

    def _claim(self, key: Hashable, columns: slice, width: int, cycles: Pattern) -> int:
        table = self._tables.get(key)
        needed = cycles.last + cycles.every + 1
        if table is None or len(table) < needed:
            table = self._tables[key] = _grown(table, needed + _MARGIN, width)
        view = _view(table, columns, cycles)
        if view.any():
            return int(np.flatnonzero(view.any(axis=1))[-1]) + 1 if view.ndim == 2 and _dense(cycles) else 1
        view[...] = True
        self._undo.append((key, columns, cycles))
        return 0


def _grown(table: Table | None, length: int, width: int) -> Table:
    fresh = np.zeros((length if table is None else max(length, 2 * len(table)), width), np.bool_)
    if table is not None:
        fresh[: len(table)] = table
    return fresh


def _dense(cycles: Pattern) -> bool:
    return cycles.interval == 1 and (cycles.count == 1 or cycles.every == cycles.length)


def _view(table: Table, columns: slice, cycles: Pattern) -> Table:
    start, count, every, length, interval = cycles.start, cycles.count, cycles.every, cycles.length, cycles.interval
    if _dense(cycles):
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
