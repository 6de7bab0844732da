"""One instruction queue: its words, and where it is."""

from arch.geometry import Unit
from golden.machine.word import Word


class Queue:
    """A queue during a run.

    One that fetches text looks at a word in the cycle in which that is at the head and not before, since it may arrive
    just in time, and keeps account of its places.

    Attributes
    ----------
    words : list of int
        The host's words, then fetched ones.
    host : int
        Number of the host's words.
    at : int
        Words taken so far.
    on : int
        Lanes that its words act on, from lane 0 up.
    last : Word or None
        What a REPEAT at the head would repeat.
    left, interval : int
        Issues to come of a REPEAT that was taken.
    closed : bool
        END has issued.
    leaves : int
        Cycle in which the last word taken leaves its place; kept up to date only if it fetches.
    """

    __slots__ = (
        "_arrivals",
        "at",
        "closed",
        "fetches",
        "host",
        "interval",
        "last",
        "leaves",
        "left",
        "on",
        "unit",
        "words",
    )

    def __init__(self, unit: Unit, words: list[int], fetches: bool, on: int) -> None:
        self.unit = unit
        self.on = on
        self.fetches = fetches
        # A copy only where words are appended: programs have a hundred thousand of them.
        self.words = list(words) if fetches else words
        self.host = len(words)
        self._arrivals: list[int] = []
        self.at = 0
        self.last: Word | None = None
        self.left = 0
        self.interval = 0
        self.leaves = -1
        self.closed = False

    def append(self, word: int, ready: int) -> None:
        """Add a fetched word, which can issue from cycle `ready` on."""
        self.words.append(word)
        self._arrivals.append(ready)

    def lacks(self, cycle: int) -> bool:
        """Whether there is no word that can issue in `cycle`."""
        if self.at < self.host:
            return False
        # The host's words are there from the start; a fetched one may be written and still too young to issue.
        return self.at == len(self.words) or self._arrivals[self.at - self.host] > cycle

    def occupied(self, cycle: int) -> int:
        """Return the places taken in `cycle`: that of a word is free from the cycle after the one in which it left."""
        return len(self.words) - self.at + (self.leaves >= cycle)
