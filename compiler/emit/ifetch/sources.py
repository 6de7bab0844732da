"""Slices that have time to bring a text."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.geometry import Unit, units
from arch.timing import timing
from compiler.emit.ifetch.fetch import Burst, read_cycle, spacing_of
from compiler.memory.words import Bank
from compiler.schedule.scheduler import Scheduler

Free = npt.NDArray[np.bool_]

_WINDOW = 2048
"""Start cycles that are looked at together."""


class TextSources:
    """Finds cycles for a fetch, and who brings which of its vectors.

    Vectors of a text follow each other at a fixed distance, and hardly a slice is idle for so long. But whichever slice
    brings a vector, it arrives on the same stream: where one has something else to do, another one takes its turn::

        slice      vectors 0     1     2     3     4     5
        MEM_W4             R     R    (L)    .     .     .         R: READ of text, L: of something else
        MEM_W12            .     .     R     R     R     R

    Parameters
    ----------
    config : Config
    scheduler : Scheduler
    unit : Unit
        Of the queue.
    banks : sequence of Bank
        On one side of its fetch port, the better ones first.
    """

    def __init__(self, config: Config, scheduler: Scheduler, unit: Unit, banks: Sequence[Bank]) -> None:
        self._scheduler = scheduler
        self._unit = unit
        self._banks = banks
        self._spacing = spacing_of(config)
        self._access = timing(config).mem_access
        # When each bank is free, by window from the earliest start on: nothing is placed while starts are tried.
        self._earliest = 0
        self._windows: list[Free] = []
        self._cycles = [read_cycle(config, unit, units(config)[bank.slice]) for bank in banks]

    def starts(self, vectors: int, earliest: int, latest: int, whole: bool = False) -> Iterator[int]:
        """Yield the cycles in which an IFETCH may issue, streams apart; `whole`: in which one bank has time for all."""
        if not self._banks:
            return
        port = vectors * self._spacing
        self._earliest = earliest
        self._windows.clear()
        for base in range(earliest, latest + 1, _WINDOW):
            count = min(_WINDOW, latest + 1 - base)
            span = count + port - self._spacing
            every = np.array([self._free(number, base, span) for number in range(len(self._banks))])
            # Looked up once for a window, not once for each of its many starts.
            self._windows.append(every)
            groups = every if whole else [np.logical_or.reduce(every)]
            # For every vector a bank of the group, or the only one.
            able = [~_any_of(~group, vectors, self._spacing)[:count] for group in groups]
            free = np.logical_or.reduce(able)
            free &= ~self._scheduler.taken(("issue", self._unit.id), base, count)
            free &= ~_any_of(self._scheduler.taken(("fetch", self._unit.position), base, count + port), port, 1)[:count]
            yield from (base + np.flatnonzero(free)).tolist()

    def bursts(self, start: int, vectors: int) -> tuple[Burst, ...]:
        """Return the READs for an IFETCH in a cycle that `starts` has yielded; their addresses are 0."""
        number, first = divmod(start - self._earliest, _WINDOW)
        taken = ~self._windows[number][:, first : first + (vectors - 1) * self._spacing + 1 : self._spacing]
        found: list[Burst] = []
        first = 0
        while first < vectors:
            # Of each bank, how many it can bring from the first one on.
            left = taken[:, first:]
            runs = np.where(left.any(axis=1), left.argmax(axis=1), vectors - first)
            number = int(runs.argmax())
            found += self._cut(number, start, first, int(runs[number]))
            first += int(runs[number])
        return tuple(found)

    def _cut(self, number: int, start: int, first: int, count: int) -> Iterator[Burst]:
        """Yield the READs of one slice: a burst has its engine in pauses too, so it ends before what comes in these."""
        bank, cycle = self._banks[number], self._cycles[number] + first * self._spacing
        engine = self._scheduler.taken(("engine", bank.slice, "READ"), start + cycle, count * self._spacing)
        later = np.flatnonzero(engine) // self._spacing + 1
        bounds = [0, *np.unique(later[later < count]).tolist(), count]
        for begin, end in pairwise(bounds):
            yield Burst(bank, 0, first + begin, end - begin, cycle + begin * self._spacing)

    def _free(self, number: int, start: int, span: int) -> Free:
        """Return when a bank can READ, by the cycle of the IFETCH of which it would be the first vector."""
        bank, first = self._banks[number], start + self._cycles[number]
        taken = self._scheduler.taken(("issue", bank.slice), first, span)
        taken |= self._scheduler.taken(("engine", bank.slice, "READ"), first, span)
        taken |= self._scheduler.taken(("text", bank.slice), first, span)
        taken |= self._scheduler.taken(("bank", *bank), first + self._access, span)
        taken[: max(0, -first)] = True
        return ~taken


def _any_of(row: Free, count: int, every: int) -> Free:
    """Return for each place of a row whether any of `count` places from there on, `every` apart, is set."""
    if count == 1:
        return row
    # By the sums of all places that are as far apart.
    rows = -(-len(row) // every)
    padded = np.zeros(rows * every, np.int64)
    padded[: len(row)] = row
    sums = np.concatenate([np.zeros((1, every), np.int64), np.cumsum(padded.reshape(rows, every), axis=0)])
    return (sums[count:] > sums[:-count]).reshape(-1)
