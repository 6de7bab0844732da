"""The fetch ports: program text from streams into queues."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from arch.config import Config
from arch.faults import FaultKind
from arch.geometry import Unit
from arch.isa.instruction import WORD_BITS
from arch.timing import timing
from golden.machine.event_queue import EventQueue
from golden.machine.fault_log import FaultLog
from golden.machine.latency import d_skew
from golden.machine.streams import Streams
from golden.machine.word import Effect

WRITTEN_BEFORE_ISSUE = 2
"""Cycles from the writing of a fetched word to the first one in which it can issue."""

Append = Callable[[int, int, int], None]
"""Called with the cycle of writing, queue number and word."""


class FetchPorts:
    """One port per position, each with one IFETCH at a time."""

    def __init__(self, config: Config, streams: Streams, faults: FaultLog, append: Append) -> None:
        self._streams = streams
        self._faults = faults
        self._append = append
        self._skew = d_skew(config, "IFETCH")
        self._length = config.vector_length
        self._spacing = 2 * config.superlanes
        self._first = timing(config).fetch_first - WRITTEN_BEFORE_ISSUE
        self._period = timing(config).fetch_period
        self._free: dict[int, int] = {}
        self._reading: EventQueue[tuple[Unit, tuple[int, int]]] = EventQueue()
        self._writing: EventQueue[tuple[int, int]] = EventQueue()

    def reset(self) -> None:
        """Forget what is under way."""
        self._free.clear()
        self._reading.clear()
        self._writing.clear()

    @property
    def due(self) -> int:
        """Next cycle in which a vector is read or a word written."""
        return min(self._reading.due, self._writing.due)

    def prepare(self, unit: Unit, mnemonic: str, fields: SimpleNamespace) -> Effect:
        """Return what an IFETCH does at its issue; reports BUSY."""
        origin, count = self._streams.origin(fields.dir, unit.position, fields.stream), fields.count

        def issue(cycle: int) -> None:
            free = self._free.get(unit.position, 0)
            if cycle < free:
                self._faults.report(cycle, unit.id, FaultKind.BUSY, f"fetch port is free from cycle {free} on")
                return
            # The port belongs to the position, not to the queue: of two queues in one column one has to wait.
            self._free[unit.position] = cycle + count * self._spacing
            for vector in range(count):
                self._reading.add(cycle + self._skew + vector * self._spacing, (unit, origin))

        return issue

    def step(self, cycle: int) -> None:
        """Read and write what is due in `cycle`; reports UNWRITTEN, and OVERRUN through the queues."""
        # Writing first: what is read now is written in later cycles, and each queue's words keep their order.
        for queue, word in self._writing.take(cycle):
            self._append(cycle, queue, word)
        for unit, origin in self._reading.take(cycle):
            vector = self._streams.read(cycle, unit.id, origin, 1, self._length)
            first = cycle - self._skew + self._first
            for number, word in enumerate(np.frombuffer(vector.tobytes(), f"<u{WORD_BITS // 8}").tolist()):
                self._writing.add(first + number * self._period, (unit.id, word))
