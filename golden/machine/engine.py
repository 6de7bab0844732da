"""A burst engine of an MXM plane."""

from collections import deque
from collections.abc import Callable
from types import SimpleNamespace

from golden.machine.event_queue import NEVER

Perform = Callable[[int, int, SimpleNamespace, bool], None]
"""Called with cycle, element number, fields and the flag given to `Engine.start`."""


class Engine:
    """Performs the elements of bursts one after the other.

    Attributes
    ----------
    due : int
        Cycle of the next element, or `NEVER`.
    free : int
        First cycle in which the next burst may issue.
    """

    def __init__(self) -> None:
        self._bursts: deque[tuple[int, int, int, Perform, SimpleNamespace, bool]] = deque()
        self._element = 0
        self.due = NEVER
        self.free = 0

    def reset(self) -> None:
        """Forget every burst."""
        self._bursts.clear()
        self._element = 0
        self.due = NEVER
        self.free = 0

    def start(
        self, cycle: int, interval: int, count: int, perform: Perform, fields: SimpleNamespace, flag: bool
    ) -> None:
        """Let a burst's element 0 be performed in `cycle`, which is after every element of the bursts before it."""
        self._bursts.append((cycle, interval, count, perform, fields, flag))
        # Otherwise it waits behind the bursts before it, all of whose elements come earlier.
        if len(self._bursts) == 1:
            self.due = cycle

    def perform(self, cycle: int) -> None:
        """Perform the element that is due."""
        _, interval, count, perform, fields, flag = self._bursts[0]
        perform(cycle, self._element, fields, flag)
        self._element += 1
        self.due = cycle + interval
        if self._element == count:
            self._bursts.popleft()
            self._element = 0
            self.due = self._bursts[0][0] if self._bursts else NEVER
