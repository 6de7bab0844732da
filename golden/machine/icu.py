"""Instruction control: the queues."""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Protocol

from arch.config import Config
from arch.faults import FaultKind
from arch.geometry import Unit, units
from arch.isa.encoding import decode, illegality
from arch.isa.footprint import footprint
from arch.timing import timing
from golden.machine.fault_log import FaultLog
from golden.machine.wheel import NEVER

Issue = Callable[[int], None]
"""Called with the cycle of issue."""


class Executor(Protocol):
    """A functional unit, or several of a kind together."""

    @property
    def due(self) -> int:
        """Next cycle in which it does something."""

    def reset(self) -> None:
        """Make it ready for a run."""

    def step(self, cycle: int) -> None:
        """Do what is due in `cycle`."""

    def prepare(self, unit: Unit, mnemonic: str, fields: SimpleNamespace) -> Issue:
        """Return what a legal word of queue `unit` does at its issue."""


@dataclass(frozen=True, slots=True)
class _Word:
    """A decoded word: `issue` for a unit's instruction, else a control instruction by its mnemonic."""

    mnemonic: str
    illegal: str | None
    count: int = 0
    interval: int = 0
    issue: Issue | None = None
    length: int = 0
    """Cycles from the issue to the retirement of the last element."""


class _Queue:
    """One queue: its words, and where it is."""

    __slots__ = ("at", "interval", "last", "left", "unit", "words")

    def __init__(self, unit: Unit, words: list[int]) -> None:
        self.unit = unit
        self.words = words
        self.at = 0
        self.last: _Word | None = None
        self.left = 0
        self.interval = 0


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
        self._decoded: dict[tuple[int, int], _Word] = {}
        self._programs: dict[int, list[int]] = {}
        self._ready: list[tuple[int, int]] = []
        self._queues: dict[int, _Queue] = {}
        self.due = NEVER
        self.end = 0

    def fill(self, programs: Mapping[int, list[int]]) -> None:
        """Give each queue its words; queues not named get none."""
        self._programs = {queue: words for queue, words in programs.items() if words}

    def start(self) -> None:
        """Go to the first word of every queue."""
        self._queues = {queue: _Queue(self._units[queue], words) for queue, words in self._programs.items()}
        self._ready = [(0, queue) for queue in sorted(self._queues)]
        self.due = 0 if self._ready else NEVER
        self.end = 0

    def step(self, cycle: int) -> None:
        """Issue what is due in `cycle`; reports ILLEGAL and UNDERRUN, and BUSY through the units."""
        ready = self._ready
        while ready and ready[0][0] == cycle:
            queue = self._queues[ready[0][1]]
            following = self._proceed(cycle, queue)
            if following == NEVER:
                heapq.heappop(ready)
            else:
                heapq.heapreplace(ready, (following, queue.unit.id))
        self.due = ready[0][0] if ready else NEVER

    def _proceed(self, cycle: int, queue: _Queue) -> int:
        """Do what `queue` has to do in `cycle`; return the next cycle in which it has something to do."""
        if queue.left:
            assert queue.last is not None
            queue.left -= 1
            self._issue(cycle, queue.last)
            return cycle + queue.interval if queue.left else self._after(cycle, queue)
        if queue.at == len(queue.words):
            self._faults.report(cycle, queue.unit.id, FaultKind.UNDERRUN, f"after {len(queue.words)} words")
            return NEVER
        word = self._decode(queue.unit, queue.words[queue.at])
        queue.at += 1
        if word.illegal is None and word.mnemonic == "REPEAT":
            # A legal REPEAT with a word before it was taken in `_after`.
            self._faults.report(cycle, queue.unit.id, FaultKind.ILLEGAL, "REPEAT has no word before it")
            return NEVER
        if word.illegal is not None:
            self._faults.report(cycle, queue.unit.id, FaultKind.ILLEGAL, word.illegal)
            return NEVER
        if word.mnemonic == "NOP":
            return cycle + word.count
        self._issue(cycle, word)
        if word.mnemonic == "END":
            return NEVER
        queue.last = word
        return self._after(cycle, queue)

    def _issue(self, cycle: int, word: _Word) -> None:
        self.end = max(self.end, cycle + word.length)
        if word.issue is not None:
            word.issue(cycle)

    def _after(self, cycle: int, queue: _Queue) -> int:
        """Return the cycle of the next issue after one of a unit's word in `cycle`, taking a REPEAT at the head."""
        if queue.at < len(queue.words):
            word = self._decode(queue.unit, queue.words[queue.at])
            if word.mnemonic == "REPEAT" and word.illegal is None:
                queue.at += 1
                queue.left = word.count
                queue.interval = word.interval
                return cycle + word.interval
        return cycle + 1

    def _decode(self, unit: Unit, word: int) -> _Word:
        key = unit.id, word
        if key not in self._decoded:
            self._decoded[key] = self._decode_anew(unit, word)
        return self._decoded[key]

    def _decode_anew(self, unit: Unit, word: int) -> _Word:
        illegal = illegality(self._config, unit, word)
        if illegal is not None:
            return _Word("", illegal)
        row, fields = decode(word)
        retire = self._timing.retire(row.mnemonic, fields)
        if row.mnemonic in ("NOP", "REPEAT", "END"):
            return _Word(row.mnemonic, None, fields.get("count", 0), fields.get("interval", 0), length=retire)
        touched = footprint(self._config, unit, row.mnemonic, fields)
        length = (touched.elements - 1) * touched.interval + retire
        issue = self._executors[unit.id].prepare(unit, row.mnemonic, SimpleNamespace(**fields))
        return _Word(row.mnemonic, None, issue=issue, length=length)
