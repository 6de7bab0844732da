"""Instruction control: the queues."""

import heapq
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Protocol

from arch.config import Config
from arch.faults import FaultKind
from arch.geometry import Unit, units
from arch.isa.encoding import decode, illegality, row_of
from arch.isa.footprint import footprint
from arch.isa.table import BY_MNEMONIC
from arch.timing import timing
from golden.machine.barrier import Barrier
from golden.machine.event_queue import NEVER
from golden.machine.fault_log import FaultLog
from golden.machine.fetch import WRITTEN_BEFORE_ISSUE
from golden.machine.queue import Queue
from golden.machine.word import Effect, Word

__all__ = ["Executor", "InstructionControl"]


class Executor(Protocol):
    """A functional unit, or several of a kind together."""

    @property
    def due(self) -> int:
        """Next cycle in which it does something."""

    def reset(self) -> None:
        """Make it ready for a run."""

    def step(self, cycle: int) -> None:
        """Do what is due in `cycle`."""

    def prepare(self, unit: Unit, mnemonic: str, fields: SimpleNamespace) -> Effect:
        """Return what a legal word of queue `unit` does at its issue.

        `fields` are those of the word, and ``on``: the lanes that it acts on, from lane 0 up.
        """


_CONTROL = ("NOP", "REPEAT", "END", "SYNC", "NOTIFY", "CONFIG")
_IFETCH = BY_MNEMONIC["IFETCH"]


class InstructionControl:
    """All queues.

    Attributes
    ----------
    due : int
        Next cycle in which a queue does something.
    end : int
        First cycle in which every queue that closed is closed and every issued element has retired.
    """

    def __init__(self, config: Config, executors: Mapping[int, Executor], faults: FaultLog) -> None:
        self._config = config
        self._units = units(config)
        self._executors = executors
        self._faults = faults
        self._timing = timing(config)
        self._barrier = Barrier(self._timing.barrier)
        self._ports: Executor | None = None
        self._decoded: dict[tuple[int, int, int], Word] = {}
        self._programs: dict[int, list[int]] = {}
        self._ready: list[tuple[int, int]] = []
        self._queues: dict[int, Queue] = {}
        self._deadlock = NEVER
        self.due = NEVER
        self.end = 0

    def attach(self, ports: Executor) -> None:
        """Name the fetch ports, which carry out IFETCH and call `append`."""
        self._ports = ports

    def fill(self, programs: Mapping[int, list[int]]) -> None:
        """Give each queue its words; queues not named get none."""
        self._programs = {queue: words for queue, words in programs.items() if words}

    def start(self) -> None:
        """Go to the first word of every queue."""
        self._queues = {
            queue: Queue(
                self._units[queue],
                words,
                any(row_of(word) is _IFETCH for word in words),
                self._config.vector_length,
            )
            for queue, words in self._programs.items()
        }
        self._ready = [(0, queue) for queue in sorted(self._queues)]
        self._barrier.reset()
        self._deadlock = NEVER
        self.due = 0 if self._ready else NEVER
        self.end = 0

    def step(self, cycle: int) -> None:
        """Issue what is due in `cycle`; reports ILLEGAL, UNDERRUN and DEADLOCK, and BUSY through the units."""
        ready = self._ready
        # Before this cycle's words: a SYNC that issues now is not released by a NOTIFY that arrives now.
        for number in self._barrier.release(cycle):
            heapq.heappush(ready, (cycle, number))
        if self._deadlock == cycle:
            self._faults.report(cycle, min(self._barrier.parked), FaultKind.DEADLOCK, "nothing will release it")
        # The heap is ordered by cycle and queue, so queues take their turns in queue order.
        while ready and ready[0][0] == cycle:
            queue = self._queues[ready[0][1]]
            following = self._proceed(cycle, queue)
            if following == NEVER:
                heapq.heappop(ready)
            else:
                heapq.heapreplace(ready, (following, queue.unit.id))
        self.due = ready[0][0] if ready else NEVER
        if self._barrier.parked:
            if not ready and self._barrier.stuck():
                # A NOTIFY of this very cycle has been seen; so what is stuck now is stuck for good, and said in the
                # next cycle.
                self._deadlock = cycle + 1
            self.due = min(self.due, self._barrier.due, self._deadlock)

    def closed(self, number: int) -> bool:
        """Whether the END of a queue has issued."""
        return self._queues[number].closed

    def append(self, cycle: int, number: int, word: int) -> None:
        """Write a fetched word to a queue in `cycle`; reports OVERRUN.

        The word takes the place of the one `queue_depth` words before it, also if that was the host's.
        """
        queue, depth = self._queues[number], self._config.queue_depth
        if queue.occupied(cycle) == depth:
            self._faults.report(cycle, number, FaultKind.OVERRUN, f"fetched word {len(queue.words) - queue.host}")
            return
        place = len(queue.words) % depth
        if place < queue.host:
            # The ring has the host's word no more: what runs again begins with the fetched one.
            self._programs[number][place] = word
        queue.append(word, cycle + WRITTEN_BEFORE_ISSUE)

    def _proceed(self, cycle: int, queue: Queue) -> int:
        """Do what `queue` has to do in `cycle`; return the next cycle in which it has something to do."""
        # A REPEAT that was taken issues its word again before anything else is looked at.
        if queue.left:
            assert queue.last is not None
            queue.left -= 1
            self._issue(cycle, queue.last)
            return cycle + queue.interval if queue.left else self._after(cycle, queue)
        if queue.lacks(cycle):
            self._faults.report(cycle, queue.unit.id, FaultKind.UNDERRUN, f"after {queue.at} words")
            return NEVER
        word = self._decode(queue, queue.words[queue.at])
        queue.at += 1
        queue.leaves = cycle
        if word.illegal is not None:
            self._faults.report(cycle, queue.unit.id, FaultKind.ILLEGAL, word.illegal)
            return NEVER
        if word.repeatable:
            self._issue(cycle, word)
            queue.last = word
            return self._after(cycle, queue)
        if word.mnemonic == "REPEAT":
            return self._repeat(cycle, queue, word)
        # A REPEAT must follow the word that it repeats at once (docs/machine.md, section 3, rule 2).
        queue.last = None
        if word.mnemonic == "NOP":
            queue.leaves = cycle + word.count - 1
            return cycle + word.count
        self._issue(cycle, word)
        if word.mnemonic == "SYNC":
            self._barrier.park(queue.unit.id)
        elif word.mnemonic == "NOTIFY":
            self._barrier.notify(cycle)
        elif word.mnemonic == "END":
            queue.closed = True
        elif word.mnemonic == "CONFIG":
            queue.on = word.superlanes * self._config.lanes
        return NEVER if word.mnemonic in ("END", "SYNC") else cycle + 1

    def _issue(self, cycle: int, word: Word) -> None:
        self.end = max(self.end, cycle + word.length)
        if word.issue is not None:
            word.issue(cycle)

    def _after(self, cycle: int, queue: Queue) -> int:
        """Return the cycle of the next issue after one of a unit's word in `cycle`, taking a REPEAT at the head."""
        # A queue whose words are all there can look ahead and saves a step. One that fetches may not: the REPEAT may
        # still be on its way, and occupies its place until it is done.
        if not queue.fetches and queue.at < len(queue.words):
            word = self._decode(queue, queue.words[queue.at])
            if word.mnemonic == "REPEAT" and word.illegal is None:
                queue.at += 1
                queue.left = word.count
                queue.interval = word.interval
                return cycle + word.interval
        return cycle + 1

    def _repeat(self, cycle: int, queue: Queue, word: Word) -> int:
        """Take a legal REPEAT that is at the head in `cycle`, where `_after` did not take it."""
        if queue.last is None:
            self._faults.report(cycle, queue.unit.id, FaultKind.ILLEGAL, "REPEAT has no word before it")
            return NEVER
        queue.left = word.count
        queue.interval = word.interval
        # It came to the head one cycle after the last issue, from which its intervals count.
        queue.leaves = cycle - 1 + word.count * word.interval
        return self._proceed(cycle, queue) if word.interval == 1 else cycle - 1 + word.interval

    def _decode(self, queue: Queue, word: int) -> Word:
        # What a word does depends on its queue and on the lanes that CONFIG left on; programs repeat few words many
        # times.
        key = queue.unit.id, word, queue.on
        if key not in self._decoded:
            self._decoded[key] = self._decode_anew(*key)
        return self._decoded[key]

    def _decode_anew(self, number: int, word: int, on: int) -> Word:
        unit = self._units[number]
        illegal = illegality(self._config, unit, word)
        if illegal is not None:
            return Word("", illegal)
        row, fields = decode(word)
        retire = self._timing.retire(row.mnemonic, fields)
        if row.mnemonic in _CONTROL:
            count, interval, superlanes = (fields.get(name, 0) for name in ("count", "interval", "superlanes"))
            return Word(row.mnemonic, None, count, interval, length=retire, superlanes=superlanes)
        touched = footprint(self._config, unit, row.mnemonic, fields)
        length = (touched.elements - 1) * touched.interval + retire
        fetch = row.mnemonic == "IFETCH"
        executor = self._ports if fetch else self._executors[unit.id]
        assert executor is not None
        issue = executor.prepare(unit, row.mnemonic, SimpleNamespace(**fields, on=on))
        return Word(row.mnemonic, None, issue=issue, length=length, repeatable=not fetch)
