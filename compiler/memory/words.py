"""Free words of MEM, by bank and by cycle."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arch.config import Config

Numbers = npt.NDArray[np.int32]
Cycles = npt.NDArray[np.int64]

NEVER = int(np.iinfo(np.int64).max)
"""The cycle from which on a word is free that is in use and whose last reader is not placed yet."""


class Bank(NamedTuple):
    """One bank of one slice: `slice` is the chip-wide number, `bank` 0 or 1."""

    slice: int
    bank: int


class _Runs(NamedTuple):
    """Stretches of neighbouring words of a bank that are free from cycle `when` on: their starts and lengths."""

    when: int
    starts: Cycles
    lengths: Cycles
    longest: int


class Words:
    """Hands out MEM words, and takes them back.

    Operations are placed in cycles one by one, not always in the order of time, so "free" is a statement about cycles:
    of every word the table has the first cycle from which on nothing needs it any more. A result may take a word that
    is free when it is written; what the host writes before the program starts needs one that has never been used.

    Everything can be undone, as in `compiler.schedule.reservations`, by `rollback` to a mark.

    Parameters
    ----------
    config : Config
        Slices of two banks, of `mem_depth` words each.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._free = np.zeros((config.slices, 2, config.mem_depth), np.int64)
        self._undo: list[tuple[Any, Any, Any, Cycles]] = []
        self._zeros: dict[int, int] = {}
        # Stretches of free words by (slice, bank), for the cycle that was asked about last: a search asks for the same
        # cycle many times.
        self._runs: dict[tuple[int, int], _Runs] = {}

    def take(
        self, width: int, rows: int, banks: Iterable[Bank], when: int = 0, high: bool = False
    ) -> tuple[Numbers, Numbers, Cycles] | None:
        """Take `rows` rows of `width` words that can be accessed together.

        Parameters
        ----------
        width : int
            Words of a row; they stand in different slices.
        rows : int
        banks : iterable of Bank
            Where they may stand, best first.
        when : int
            Cycle in which the words have to be free; 0 for what the host writes.
        high : bool
            Take high addresses first: those of what stays, away from what comes and goes.

        Returns
        -------
        slices, addrs : ndarray of int32, shape (width, rows)
        free : ndarray of int64, shape (rows,)
            First cycle from which each row may be written.
        None when there is no room.
        """
        order = list(banks)
        slices, addrs = np.empty((width, rows), np.int32), np.empty((width, rows), np.int32)
        free = np.zeros(rows, np.int64)
        mark = self.mark()
        done = 0
        # Few long pieces: every piece is a burst of its own, another word of text for whoever reads or writes it.
        while done < rows:
            chosen, count = self._choose(order, width, rows - done, when)
            if not chosen:
                self.rollback(mark)
                return None
            part = slice(done, done + count)
            for member, bank in enumerate(chosen):
                first = self._first(bank, count, when, high)
                slices[member, part] = bank.slice
                addrs[member, part] = first + bank.bank * self._config.mem_depth + np.arange(count)
                free[part] = np.maximum(free[part], self._claim(bank, first, count))
            done += count
        return slices, addrs, free

    def take_striped(
        self, width: int, stripes: Numbers, banks: Iterable[Bank], each: int, when: int = 0
    ) -> tuple[Numbers, Numbers, Cycles] | None:
        """Take rows as `take`, those of one stripe together, the next stripe in another slice or bank.

        Stripes go to `each` slices one after another, then to their other banks. So a reader can follow a writer
        closely: an engine of a slice has one burst at a time, and a bank is read or written. Where there is no room for
        that, in one slice, between two banks of any slices, or as `take`.

        Parameters
        ----------
        width : int
            Words of a row.
        stripes : ndarray of int32, shape (rows,)
            Number of the stripe of each row, ascending.
        banks : iterable of Bank
            Where they may stand, best first.
        each : int
            Slices between which stripes change, 1 or 2.
        when : int
            Cycle in which the words have to be free.

        Returns
        -------
        As of `take`.
        """
        order = list(banks)
        member, bank = stripes % each, stripes // each % 2
        parts = {(m, b): np.flatnonzero((member == m) & (bank == b)) for m in range(each) for b in (0, 1)}
        most = [max(len(parts[m, b]) for m in range(each)) for b in (0, 1)]
        # A slice is as good as the worse of its banks.
        ranks = {item: rank for rank, item in enumerate(order)}
        suited = [
            number
            for number in dict.fromkeys(item.slice for item in order)
            if all(Bank(number, b) in ranks and self.run(Bank(number, b), when) >= most[b] for b in (0, 1))
        ]
        suited.sort(key=lambda number: max(ranks[Bank(number, b)] for b in (0, 1)))
        if len(suited) < width * each:
            # Whatever is given up here costs the reader cycles, never room.
            if each > 1:
                return self.take_striped(width, stripes, order, 1, when)
            return self._take_alternating(width, stripes, order, when)
        rows = len(stripes)
        slices, addrs = np.empty((width, rows), np.int32), np.empty((width, rows), np.int32)
        free = np.zeros(rows, np.int64)
        for byte in range(width):
            for (m, b), part in parts.items():
                if len(part):
                    place = Bank(suited[byte * each + m], b)
                    first = self._first(place, len(part), when, high=False)
                    slices[byte, part] = place.slice
                    addrs[byte, part] = first + b * self._config.mem_depth + np.arange(len(part))
                    free[part] = np.maximum(free[part], self._claim(place, first, len(part)))
        return slices, addrs, free

    def _take_alternating(
        self, width: int, stripes: Numbers, order: list[Bank], when: int
    ) -> tuple[Numbers, Numbers, Cycles] | None:
        """Take the even stripes from some slices, the odd ones from others."""
        rows = len(stripes)
        if not stripes.any():
            return self.take(width, rows, order, when)
        slices, addrs = np.empty((width, rows), np.int32), np.empty((width, rows), np.int32)
        free = np.zeros(rows, np.int64)
        mark, left = self.mark(), order
        for turn in (0, 1):
            mine = stripes % 2 == turn
            found = self.take(width, int(mine.sum()), left, when)
            if found is None:
                self.rollback(mark)
                return self.take(width, rows, order, when)
            slices[:, mine], addrs[:, mine], free[mine] = found
            used = set(np.unique(found[0]).tolist())
            left = [bank for bank in order if bank.slice not in used]
        return slices, addrs, free

    def run(self, bank: Bank, when: int) -> int:
        """Return how many neighbouring words of a bank are free from a cycle on, at most."""
        return self._stretches(bank, when).longest

    def room(self, when: int) -> int:
        """Return how many words of all of MEM are free from a cycle on."""
        return int(np.count_nonzero(self._free <= when))

    def release(self, slices: Numbers, addrs: Numbers, cycles: Cycles) -> None:
        """Give words back, each from a cycle on.

        Parameters
        ----------
        slices, addrs : ndarray of int32, shape (..., n)
            Slice -1: no word.
        cycles : ndarray of int64, shape (n,)
            First cycle of each in which something else may be written there.
        """
        held = slices >= 0
        depth = self._config.mem_depth
        places = slices[held], addrs[held] // depth, addrs[held] % depth
        self._undo.append((*places, self._free[places]))
        self._free[places] = np.broadcast_to(cycles, slices.shape)[held]
        self._forget(*places[:2])

    def return_unused(self, slices: Numbers, addrs: Numbers) -> None:
        """Give back some words that were taken, tentatively, for the host and that hold nothing."""
        depth = self._config.mem_depth
        for number, addr in zip(slices.reshape(-1).tolist(), addrs.reshape(-1).tolist(), strict=True):
            bank, row = divmod(addr, depth)
            rows = slice(row, row + 1)
            self._undo.append((number, bank, rows, self._free[number, bank, rows].copy()))
            self._free[number, bank, rows] = 0
            self._runs.pop((number, bank), None)

    def zero(self, number: int) -> int | None:
        """Return the address of a word of a slice into which the host writes zeros; None when it has no room for one.

        There is one for all who ask. It is taken back as all else, by a rollback to a mark before the first of them.
        """
        if number not in self._zeros:
            # Zeros serve every operation and stay: at the high end, like all that lasts.
            taken = self.take(1, 1, [Bank(number, 1), Bank(number, 0)], high=True)
            if taken is None:
                return None
            self._zeros[number] = int(taken[1][0, 0])
        return self._zeros[number]

    @property
    def zeros(self) -> tuple[Numbers, Numbers]:
        """Slices and addrs of the words of zeros, shape (n,)."""
        return np.array([*self._zeros], np.int32), np.array([*self._zeros.values()], np.int32)

    def close(self, banks: Iterable[Bank]) -> None:
        """Give no more words of some banks."""
        for bank in banks:
            self._claim(bank, 0, self._config.mem_depth)

    def next_release(self, after: int) -> int | None:
        """Return the first cycle after one in which words become free again; None if none do."""
        later = self._free[(self._free > after) & (self._free < NEVER)]
        return int(later.min()) if later.size else None

    def mark(self) -> int:
        """Return a point to which `rollback` can return."""
        return len(self._undo)

    def rollback(self, mark: int) -> None:
        """Undo everything since `mark`."""
        for number, bank, rows, before in reversed(self._undo[mark:]):
            self._free[number, bank, rows] = before
            # Most of what is undone was taken from one bank, and a trial undoes much.
            if isinstance(number, int):
                self._runs.pop((number, bank), None)
            else:
                self._forget(number, bank)
        if len(self._undo) > mark:
            # A word that is free again, as none of zeros ever is, may be somebody else's next.
            depth = self._config.mem_depth
            self._zeros = {
                number: addr for number, addr in self._zeros.items() if self._free[number, addr // depth, addr % depth]
            }
        del self._undo[mark:]

    def _choose(self, order: Sequence[Bank], width: int, left: int, when: int) -> tuple[list[Bank], int]:
        """Return banks of different slices with as much room as can be had, and the rows that fit all of them."""
        room = min(left, self._config.mem_depth)
        while room:
            chosen: dict[int, Bank] = {}
            for bank in order:
                if bank.slice not in chosen and self.run(bank, when) >= room:
                    chosen[bank.slice] = bank
                    if len(chosen) == width:
                        return list(chosen.values()), room
            # By halves: few tries find a piece that is about as long as there is one.
            room = (room + 1) // 2 if room > 1 else 0
        return [], 0

    def _stretches(self, bank: Bank, when: int) -> _Runs:
        """Return the stretches of words of a bank that are free from a cycle on."""
        known = self._runs.get(bank)
        if known is not None and known.when == when:
            return known
        free = np.concatenate([[False], self._free[bank] <= when, [False]])
        edges = np.flatnonzero(free[1:] != free[:-1])
        starts, lengths = edges[::2], edges[1::2] - edges[::2]
        self._runs[bank] = found = _Runs(when, starts, lengths, int(lengths.max()) if len(lengths) else 0)
        return found

    def _forget(self, slices: Numbers, banks: Numbers) -> None:
        """Forget the stretches of banks in which something has changed."""
        for key in np.unique(slices * 2 + banks).tolist():
            self._runs.pop((key // 2, key % 2), None)

    def _first(self, bank: Bank, count: int, when: int, high: bool) -> int:
        """Return the first of so many neighbouring free words."""
        runs = self._stretches(bank, when)
        fitting = np.flatnonzero(runs.lengths >= count)
        # First fit from either end: what is free between stays in one stretch.
        chosen = fitting[-1] if high else fitting[0]
        return int(runs.starts[chosen] + (runs.lengths[chosen] - count if high else 0))

    def _claim(self, bank: Bank, first: int, count: int) -> Cycles:
        """Take neighbouring words; return from when on they are free of what was there before."""
        rows = slice(first, first + count)
        before = self._free[bank.slice, bank.bank, rows].copy()
        self._undo.append((bank.slice, bank.bank, rows, before))
        # Until its last reader is placed nobody knows when it will be free.
        self._free[bank.slice, bank.bank, rows] = NEVER
        self._runs.pop(bank, None)
        return before
