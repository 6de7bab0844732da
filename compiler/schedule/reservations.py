"""The table of what is taken when."""

from collections.abc import Hashable

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.geometry import Direction, positions
from compiler.schedule.pattern import Bits, Pattern

Table = npt.NDArray[np.bool_]

_PART = 1 << 13
"""Bits of a row that are one number: an operation on a number takes time for all of its bits."""
_ALL = (1 << _PART) - 1


class Row:
    """Bits of one resource, taken or free, without an end.

    A few instructions of Python's integers look at, or take, hundreds of cycles together, which arrays do not do any
    faster before they are thousands.
    """

    def __init__(self) -> None:
        self._parts: dict[int, Bits] = {}

    def is_free(self, first: int, bits: Bits) -> bool:
        """Return whether nothing of `bits` is taken, the lowest of them at `first`."""
        number, offset = divmod(first, _PART)
        bits <<= offset
        while bits:
            if self._parts.get(number, 0) & bits & _ALL:
                return False
            bits >>= _PART
            number += 1
        return True

    def flip(self, first: int, bits: Bits) -> None:
        """Take bits that are free, or give back what is taken, the lowest one at `first`."""
        number, offset = divmod(first, _PART)
        bits <<= offset
        while bits:
            self._parts[number] = self._parts.get(number, 0) ^ (bits & _ALL)
            bits >>= _PART
            number += 1

    def part(self, first: int, count: int) -> Bits:
        """Return `count` bits from `first` on."""
        number, offset = divmod(first, _PART)
        found, length = self._parts.get(number, 0) >> offset, _PART - offset
        while length < count:
            number += 1
            found |= self._parts.get(number, 0) << length
            length += _PART
        return found & ((1 << count) - 1)


class Reservations:
    """Occupied cycles of every resource.

    A resource other than a stream is a row of cycles. A stream is a table of diagonals by positions: a value driven at
    position p in cycle c moves one position per cycle, so on its way it stays on the diagonal ``c - p`` (east) or
    ``c + p`` (west), and taking the positions from producer to last reader keeps it whole::

        cycle      position 0  1  2  3         an eastward value driven at position 1 in cycle 5
          5                    x               is at 2 in cycle 6, at 3 in cycle 7:
          6                       x            one diagonal, 5 - 1 = 6 - 2 = 7 - 3 = 4,
          7                          x         of which it takes the positions 1 to 3.

    The table is a row too, a bit per diagonal and position, the positions of a diagonal next to each other.

    What is taken stays tentative until `commit`; `rollback` gives back what was taken since a mark.

    Parameters
    ----------
    config : Config
        Whose stream register positions there are.
    """

    def __init__(self, config: Config) -> None:
        self._positions = positions(config)
        self._rows: dict[Hashable, Row] = {}
        self._undo: list[tuple[Row, int, Bits]] = []
        self.last = -1
        """Last cycle in which anything is taken."""

    def claim(self, key: Hashable, cycles: Pattern) -> bool:
        """Take cycles of a resource; return whether they were free, otherwise nothing is taken."""
        return self.take(key, cycles.start, cycles.bits)

    def take(self, key: Hashable, first: int, bits: Bits) -> bool:
        """Take cycles given by bits, the lowest one for cycle `first`; return as `claim`."""
        if not self._take(key, first, bits):
            return False
        self.last = max(self.last, first + bits.bit_length() - 1)
        return True

    def take_way(self, direction: Direction, stream: int, first: int, bits: Bits) -> bool:
        """Take diagonals of a stream; return as `claim`.

        Parameters
        ----------
        direction : Direction
        stream : int
        first : int
            Diagonal of position 0 at the lowest bit. Eastward diagonals would have negative numbers near the east
            edge: all are shifted by the positions.
        bits : int
            A bit per diagonal and position, as `Flow.ways` gives them.
        """
        if not self._take(("stream", direction, stream), first * self._positions, bits):
            return False
        # Diagonals begin up to `positions` later than their cycles: the last one is an upper bound then.
        self.last = max(self.last, first + (bits.bit_length() - 1) // self._positions)
        return True

    def is_free(self, key: Hashable, first: int, bits: Bits) -> bool:
        """Return whether cycles are free, given as for `take`."""
        row = self._rows.get(key)
        return row is None or row.is_free(first, bits)

    def part(self, key: Hashable, first: int, count: int) -> Bits:
        """Return which of `count` cycles of a resource are taken, as bits."""
        row = self._rows.get(key)
        return 0 if row is None else row.part(first, count)

    def occupied(self, key: Hashable, first: int, last: int) -> int:
        """Return how many cycles from `first` to `last` of a resource are taken."""
        return self.part(key, first, last + 1 - first).bit_count() if first <= last else 0

    def row(self, key: Hashable, first: int, count: int) -> Table:
        """Return for each of `count` cycles whether a resource is taken in it; cycles before 0 are not."""
        part = self.part(key, first, count)
        if not part:
            return np.zeros(count, np.bool_)
        bits = np.frombuffer(part.to_bytes(-(-count // 8), "little"), np.uint8)
        return np.unpackbits(bits, count=count, bitorder="little").view(np.bool_)

    def mark(self) -> tuple[int, int]:
        """Return a point to which `rollback` can return."""
        return len(self._undo), self.last

    def rollback(self, mark: tuple[int, int]) -> None:
        """Give back everything taken since `mark`."""
        count, self.last = mark
        for row, first, bits in self._undo[count:]:
            # All of it was free when it was taken, so that clearing it restores what was.
            row.flip(first, bits)
        del self._undo[count:]

    def commit(self) -> None:
        """Make everything taken so far final."""
        self._undo.clear()

    def _take(self, key: Hashable, first: int, bits: Bits) -> bool:
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = Row()
        if not row.is_free(first, bits):
            return False
        row.flip(first, bits)
        self._undo.append((row, first, bits))
        return True
