"""From the words of one queue to what issues when."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from arch.faults import Fault, FaultKind
from arch.geometry import Unit
from arch.isa.encoding import decode, illegality

Cycles = npt.NDArray[np.int64]

NEVER = int(np.iinfo(np.int64).max)
"""A cycle that does not come."""


@dataclass(frozen=True)
class Issued:
    """A word and every cycle in which it issues.

    Attributes
    ----------
    unit : Unit
    mnemonic : str
    fields : dict of str to int
        Those of the word; ``interval`` of an IFETCH is the machine's.
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


class QueueWalk:
    """Follows the words of a queue, one step after the other.

    Parameters
    ----------
    config
    unit
    words
        The host's.
    limit
        Cycle after which the queue is not followed: text that fetches itself has no end.

    Attributes
    ----------
    issued : list of Issued
        Instructions of the unit, in order of time.
    fetches : list of Issued
        IFETCHes, likewise.
    notified : list of int
        Cycles of NOTIFYs.
    now : int
        Cycle of the next word, while `running`.
    closed : int or None
        First cycle in which the queue is closed, 0 without words.
    parked : int or None
        Cycle of the SYNC that waits for its release.
    fault : Fault or None
        ILLEGAL, UNDERRUN or OVERRUN by the host; nothing after it is followed.
    unknown : tuple of (int, TaktError) or None
        Cycle of a word that cannot be known, and why.
    """

    def __init__(self, config: Config, unit: Unit, words: Iterable[int], limit: int = NEVER) -> None:
        self._config = config
        self._limit = limit
        self.unit = unit
        self._words: list[int | TaktError] = [int(word) for word in words]
        self._host = len(self._words)
        self._written: list[int] = []
        self._leaves: list[int] = []
        self._repeatable = False
        self.issued: list[Issued] = []
        self.fetches: list[Issued] = []
        self.notified: list[int] = []
        self.now = 0
        self.closed = None if self._words else 0
        self.parked: int | None = None
        self.fault: Fault | None = None
        self.unknown: tuple[int, TaktError] | None = None
        if self._host > config.queue_depth:
            detail = f"{self._host} words in a queue of {config.queue_depth}"
            self._fail(FaultKind.OVERRUN, detail)

    @property
    def running(self) -> bool:
        """Whether a word has to issue in cycle `now`."""
        return (
            self.closed is None
            and self.parked is None
            and self.fault is None
            and self.unknown is None
            and self.now <= self._limit
        )

    @property
    def words(self) -> list[int]:
        """The host's words and the fetched ones, as far as they are known."""
        return [word for word in self._words if isinstance(word, int)]

    def release(self, cycle: int) -> None:
        """Let the queue go on in `cycle`, if it is parked."""
        if self.parked is not None:
            self.parked, self.now = None, cycle

    def append(self, word: int | TaktError, written: int) -> None:
        """Add a fetched word, or why it cannot be known; it is written in cycle `written`."""
        self._words.append(word)
        self._written.append(written)

    def step(self) -> None:
        """Follow the word at the head."""
        now, place = self.now, len(self._leaves)
        fetched = place - self._host
        # A fetched word issues at the earliest two cycles after it was written.
        if place == len(self._words) or (fetched >= 0 and self._written[fetched] + 2 > now):
            self._fail(FaultKind.UNDERRUN, f"no word after {place}")
            return
        word = self._words[place]
        if isinstance(word, TaktError):
            self.unknown = now, word
            return
        reason = _illegality(self._config, self.unit, word)
        if reason is None and decode(word)[0].mnemonic == "REPEAT" and not self._repeatable:
            reason = "REPEAT needs a word before it"
        if reason is not None:
            self._fail(FaultKind.ILLEGAL, reason)
            return
        row, fields = decode(word)
        self.now = self._follow(row.mnemonic, fields, now)
        self._leaves.append(max(now, self.now - 1))

    def overrun(self) -> Fault | None:
        """Return the first OVERRUN by a fetched word; asked when the walk is over."""
        depth = self._config.queue_depth
        for number, written in enumerate(self._written):
            before = self._host + number - depth
            if before >= 0 and (self._leaves[before] if before < len(self._leaves) else NEVER) >= written:
                detail = f"fetched word {number} finds {depth} words"
                return Fault(written, self.unit.id, FaultKind.OVERRUN, detail)
        return None

    def _fail(self, kind: FaultKind, detail: str) -> None:
        self.fault = Fault(self.now, self.unit.id, kind, detail)

    def _follow(self, mnemonic: str, fields: dict[str, int], now: int) -> int:
        """Take a legal word that issues, or is at the head, in cycle `now`; return the cycle of the next one."""
        if mnemonic == "REPEAT":
            before = self.issued.pop()
            more = now - 1 + fields["interval"] * np.arange(1, fields["count"] + 1)
            self.issued.append(Issued(self.unit, before.mnemonic, before.fields, np.concatenate([before.cycles, more])))
            return int(more[-1]) + 1
        self._repeatable = False
        match mnemonic:
            case "NOP":
                return now + fields["count"]
            case "END":
                self.closed = now + 1
            case "SYNC":
                self.parked = now
            case "NOTIFY":
                self.notified.append(now)
            case "IFETCH":
                spaced = {**fields, "interval": 2 * self._config.superlanes}
                self.fetches.append(Issued(self.unit, mnemonic, spaced, np.array([now], np.int64)))
            case "CONFIG":
                pass  # Of cycles and faults, nothing depends on the superlanes.
            case _:
                self.issued.append(Issued(self.unit, mnemonic, fields, np.array([now], np.int64)))
                self._repeatable = True
        return now + 1


@lru_cache(maxsize=1 << 16)
def _illegality(config: Config, unit: Unit, word: int) -> str | None:
    return illegality(config, unit, word)
