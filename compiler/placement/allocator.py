"""Free space of MEM, by bank."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError

Numbers = npt.NDArray[np.int32]


class Bank(NamedTuple):
    """One bank of one slice: `slice` is the chip-wide number, `bank` 0 or 1."""

    slice: int
    bank: int


class OutOfMemory(TaktError):
    """Something found no room; `short` is by how many bytes."""

    def __init__(self, what: str, short: int, config: Config) -> None:
        super().__init__(
            f"{what} must fit the MEM of {config.name} that is left for it, not exceed it by {short} bytes"
        )
        self.short = short


class Allocator:
    """Hands out MEM words; nothing is ever given back."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._used = np.zeros((config.slices, 2), np.int64)

    def take(self, what: str, width: int, words: int, banks: Iterable[Bank]) -> tuple[Numbers, Numbers]:
        """Reserve `words` rows of `width` words that can be accessed together.

        Parameters
        ----------
        what : str
            For the error message.
        width : int
            Words of a row; they stand in different slices.
        words : int
            Number of rows.
        banks : iterable of Bank
            Where they may stand, best first.

        Returns
        -------
        slices, addrs : ndarray, shape (width, words), int32

        Raises
        ------
        OutOfMemory
        """
        order = list(banks)
        slices = np.empty((width, words), np.int32)
        addrs = np.empty((width, words), np.int32)
        done = 0
        while done < words:
            left = words - done
            chosen, rows = self._choose(order, width, left)
            if len(chosen) < width:
                raise OutOfMemory(what, left * width * self._config.vector_length, self._config)
            for member, bank in enumerate(chosen):
                first = int(self._used[bank]) + bank.bank * self._config.mem_depth
                slices[member, done : done + rows] = bank.slice
                addrs[member, done : done + rows] = first + np.arange(rows)
                self._used[bank] += rows
            done += rows
        return slices, addrs

    def take_striped(
        self, what: str, width: int, turns: Numbers, banks: Iterable[Bank], slices_each: int
    ) -> tuple[Numbers, Numbers]:
        """Reserve rows as `take`; those of one turn together, the next turn in another slice or bank.

        Turns go to `slices_each` slices one after another, then to their other banks. So a reader can follow a writer:
        an engine of a slice has one burst at a time, and a bank is read or written. Where there is no room for that, in
        one slice, between two banks of any slices, or as `take`.
        """
        order = list(banks)
        words = len(turns)
        member, bank = turns % slices_each, turns // slices_each % 2
        most = [max(int(((member == m) & (bank == b)).sum()) for m in range(slices_each)) for b in (0, 1)]
        offered = set(order)
        free = [
            number
            for number in dict.fromkeys(item.slice for item in order)
            if all(Bank(number, b) in offered and self.free(Bank(number, b)) >= most[b] for b in (0, 1))
        ]
        if len(free) < width * slices_each:
            if slices_each > 1:
                return self.take_striped(what, width, turns, order, 1)
            return self._take_alternating(what, width, turns, order)
        slices = np.empty((width, words), np.int32)
        addrs = np.empty((width, words), np.int32)
        for byte in range(width):
            for m in range(slices_each):
                number = free[byte * slices_each + m]
                for b in (0, 1):
                    mine = (member == m) & (bank == b)
                    first = int(self._used[number, b]) + b * self._config.mem_depth
                    slices[byte, mine] = number
                    addrs[byte, mine] = first + np.arange(mine.sum())
                    self._used[number, b] += mine.sum()
        return slices, addrs

    def _take_alternating(self, what: str, width: int, turns: Numbers, order: list[Bank]) -> tuple[Numbers, Numbers]:
        slices = np.empty((width, len(turns)), np.int32)
        addrs = np.empty((width, len(turns)), np.int32)
        saved = self.save()
        left = order
        for turn in range(2 if turns.any() else 0):
            mine = turns % 2 == turn
            try:
                slices[:, mine], addrs[:, mine] = self.take(what, width, int(mine.sum()), left)
            except OutOfMemory:
                self.restore(saved)
                break
            left = [bank for bank in order if bank.slice not in slices[:, mine]]
        else:
            if turns.any():
                return slices, addrs
        return self.take(what, width, len(turns), order)

    def free(self, bank: Bank) -> int:
        """Return the words of a bank that are left."""
        return self._config.mem_depth - int(self._used[bank])

    def close(self, banks: Iterable[Bank]) -> None:
        """Give no more words of some banks."""
        for bank in banks:
            self._used[bank] = self._config.mem_depth

    def save(self) -> npt.NDArray[np.int64]:
        """Return what is in use now, for `restore`."""
        return self._used.copy()

    def restore(self, saved: npt.NDArray[np.int64]) -> None:
        """Give back everything taken since `save`."""
        self._used = saved.copy()

    def _choose(self, order: list[Bank], width: int, left: int) -> tuple[list[Bank], int]:
        """Return banks of different slices with as much room as can be had, and the rows that fit all of them."""
        room = min(left, self._config.mem_depth)
        while True:
            chosen: dict[int, Bank] = {}
            for bank in order:
                if bank.slice not in chosen and self.free(bank) >= room:
                    chosen[bank.slice] = bank
                if len(chosen) == width:
                    return list(chosen.values()), room
            if room == 1:
                return [], 0
            room = (room + 1) // 2
