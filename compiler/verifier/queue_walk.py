"""From the words of one queue to what issues when."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.faults import Fault, FaultKind
from arch.geometry import Unit
from arch.isa.encoding import decode, illegality

Cycles = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Issued:
    """A word and every cycle in which it issues.

    Attributes
    ----------
    unit : Unit
    mnemonic : str
    fields : dict of str to int
    cycles : ndarray, shape (n,), int64
        Ascending.
    """

    unit: Unit
    mnemonic: str
    fields: dict[str, int]
    cycles: Cycles

    @property
    def count(self) -> int:
        """Elements of one issue."""
        return self.fields.get("count", 1)

    @property
    def interval(self) -> int:
        """Cycles from one element to the next."""
        return self.fields.get("interval", 1)

    @property
    def elements(self) -> Cycles:
        """Cycles of all elements, shape (n * count,)."""
        return (self.cycles[:, None] + self.interval * np.arange(self.count)).reshape(-1)

    @property
    def last(self) -> int:
        """Cycle of the last element."""
        return int(self.cycles[-1]) + (self.count - 1) * self.interval


@dataclass(frozen=True)
class QueueWalk:
    """What a queue does.

    Attributes
    ----------
    issued : list of Issued
        In order of time.
    closed : int
        First cycle in which the queue is closed, 0 without words.
    fault : Fault or None
        ILLEGAL, UNDERRUN or OVERRUN; nothing after it is in `issued`.
    """

    issued: list[Issued]
    closed: int
    fault: Fault | None = None


def walk_queue(config: Config, unit: Unit, words: npt.NDArray[np.uint64]) -> QueueWalk:
    """Follow the words of a queue from cycle 0 to its END or its first fault."""
    if not len(words):
        return QueueWalk([], 0)
    if len(words) > config.queue_depth:
        detail = f"{len(words)} words in a queue of {config.queue_depth}"
        return QueueWalk([], 0, Fault(0, unit.id, FaultKind.OVERRUN, detail))
    issued: list[Issued] = []
    now = 0
    repeatable = False
    for word in words.tolist():
        reason = _illegality(config, unit, word)
        if reason is None and decode(word)[0].mnemonic == "REPEAT" and not repeatable:
            reason = "REPEAT needs a word before it"
        if reason is not None:
            return QueueWalk(issued, now, Fault(now, unit.id, FaultKind.ILLEGAL, reason))
        row, fields = decode(word)
        if row.mnemonic == "END":
            return QueueWalk(issued, now + 1)
        if row.mnemonic == "NOP":
            now += fields["count"]
            repeatable = False
        elif row.mnemonic == "REPEAT":
            before = issued.pop()
            more = before.cycles[-1] + fields["interval"] * np.arange(1, fields["count"] + 1)
            issued.append(Issued(unit, before.mnemonic, before.fields, np.concatenate([before.cycles, more])))
            now = int(more[-1]) + 1
        else:
            issued.append(Issued(unit, row.mnemonic, fields, np.array([now], np.int64)))
            now += 1
            repeatable = True
    return QueueWalk(issued, now, Fault(now, unit.id, FaultKind.UNDERRUN, "no END"))


@lru_cache(maxsize=1 << 16)
def _illegality(config: Config, unit: Unit, word: int) -> str | None:
    return illegality(config, unit, word)
