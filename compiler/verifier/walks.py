"""All queues together: releases of SYNC, and text that is fetched."""

import heapq
from collections.abc import Iterator

import numpy as np

from arch.errors import TaktError
from arch.faults import Fault, FaultKind
from arch.geometry import units
from arch.image import Image, Words
from arch.isa.instruction import OPCODE_BITS
from arch.isa.table import BY_MNEMONIC
from arch.timing import timing
from compiler.verifier.queue_walk import NEVER, QueueWalk
from compiler.verifier.text import Text


class Walks:
    """Follows every queue of an image to its end, or to its first fault.

    Queues without IFETCH and SYNC depend on nobody and are followed one by one; the others word by word in order of
    time.

    Parameters
    ----------
    image
    limit
        Cycle after which nothing is followed.

    Attributes
    ----------
    by_queue : dict of int to QueueWalk
    """

    def __init__(self, image: Image, limit: int = NEVER) -> None:
        self._config = config = image.config
        self._timing = timing(config)
        self.by_queue = {
            queue: QueueWalk(config, units(config)[queue], image.queues[queue].tolist(), limit)
            for queue in sorted(image.queues)
        }
        self._text = Text(image, self.by_queue)
        waiting = {queue for queue, words in image.queues.items() if _has(words, "IFETCH", "SYNC")}
        self._fetches = any(_has(words, "IFETCH") for words in image.queues.values())
        for queue, walk in self.by_queue.items():
            while queue not in waiting and walk.running:
                walk.step()
            if self._fetches:
                self._text.follow(walk)
        self._releases = [cycle + self._timing.barrier for walk in self.by_queue.values() for cycle in walk.notified]
        heapq.heapify(self._releases)
        self._heads = [(0, queue) for queue in sorted(waiting) if self.by_queue[queue].running]
        self._reads: list[tuple[int, int, int]] = []
        while (cycle := self._next()) is not None:
            self._follow(cycle)

    def faults(self) -> Iterator[Fault]:
        """Yield the first fault of every queue, OVERRUN by fetched text, DEADLOCK, and BUSY of the fetch ports."""
        for walk in self.by_queue.values():
            yield from (fault for fault in (walk.fault, walk.overrun()) if fault is not None)
        yield from self._busy()
        ends = {queue: _halted(walk) for queue, walk in self.by_queue.items()}
        parked = [queue for queue, walk in self.by_queue.items() if walk.parked is not None]
        if parked and all(end is not None for end in ends.values()):
            cycle = max(end for end in ends.values() if end is not None)
            yield Fault(cycle, min(parked), FaultKind.DEADLOCK, "nothing will release it")

    def unknown(self) -> tuple[int, int, TaktError] | None:
        """Return cycle, queue and error of the first word that cannot be known."""
        found = [(walk.unknown[0], queue, walk.unknown[1]) for queue, walk in self.by_queue.items() if walk.unknown]
        return min(found, key=lambda one: one[:2], default=None)

    def overwritten(self) -> TaktError | None:
        """Return an error if the program writes to text that it fetches."""
        return self._text.overwritten()

    def _next(self) -> int | None:
        """Return the next cycle in which something happens."""
        parked = any(walk.parked is not None for walk in self.by_queue.values())
        times = [self._heads[0][0]] if self._heads else []
        times += [self._reads[0][0]] if self._reads else []
        times += [self._releases[0]] if parked and self._releases else []
        return min(times, default=None)

    def _follow(self, cycle: int) -> None:
        """Let happen what happens in `cycle`: releases first, then one word or the reads of this cycle."""
        while self._releases and self._releases[0] <= cycle:
            if heapq.heappop(self._releases) == cycle:
                self._release(cycle)
        while self._reads and self._reads[0][0] == cycle:
            self._read(*heapq.heappop(self._reads))
        while self._heads and self._heads[0][0] == cycle:
            _, queue = heapq.heappop(self._heads)
            self._step(self.by_queue[queue])

    def _release(self, cycle: int) -> None:
        for queue, walk in self.by_queue.items():
            if walk.parked is not None:
                walk.release(cycle)
                heapq.heappush(self._heads, (cycle, queue))

    def _step(self, walk: QueueWalk) -> None:
        fetches, notified = len(walk.fetches), len(walk.notified)
        walk.step()
        if self._fetches:
            self._text.follow(walk)
        for cycle in walk.notified[notified:]:
            heapq.heappush(self._releases, cycle + self._timing.barrier)
        for number, fetch in enumerate(walk.fetches[fetches:], fetches):
            skew = self._timing["IFETCH"].d_skew
            assert skew is not None
            for cycle in (fetch.elements + skew).tolist():
                heapq.heappush(self._reads, (cycle, walk.unit.id, number))
        if walk.running:
            heapq.heappush(self._heads, (walk.now, walk.unit.id))

    def _read(self, cycle: int, queue: int, number: int) -> None:
        """Append the vector that a fetch reads in `cycle` to its queue."""
        walk, skew = self.by_queue[queue], self._timing["IFETCH"].d_skew
        assert skew is not None
        found = self._text.vector(walk.fetches[number], cycle)
        count = self._config.vector_length // 8
        words: list[int | TaktError] = [found] * count if isinstance(found, TaktError) else [*found]
        # Written two cycles before the first one in which it can issue.
        first = cycle - skew + self._timing.fetch_first - 2
        for place, word in enumerate(words):
            walk.append(word, first + place * self._timing.fetch_period)

    def _busy(self) -> Iterator[Fault]:
        """Yield the first BUSY of every position's fetch port."""
        free: dict[int, int] = {}
        blamed = set()
        fetches = [fetch for walk in self.by_queue.values() for fetch in walk.fetches]
        for fetch in sorted(fetches, key=lambda one: (int(one.cycles[0]), one.unit.id)):
            position, cycle = fetch.unit.position, int(fetch.cycles[0])
            if cycle < free.get(position, 0) and position not in blamed:
                blamed.add(position)
                detail = f"fetch port is free from cycle {free[position]} on"
                yield Fault(cycle, fetch.unit.id, FaultKind.BUSY, detail)
            free[position] = cycle + fetch.interval * fetch.count


def _has(words: Words, *mnemonics: str) -> bool:
    opcodes = [BY_MNEMONIC[name].opcode for name in mnemonics]
    return bool(np.isin(np.asarray(words, np.uint64) & np.uint64((1 << OPCODE_BITS) - 1), opcodes).any())


def _halted(walk: QueueWalk) -> int | None:
    """Return the first cycle in which a queue is closed or parked, or None if it stopped otherwise."""
    return walk.closed if walk.parked is None else walk.parked + 1
