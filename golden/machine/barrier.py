"""SYNC and NOTIFY."""

from collections import deque

from golden.machine.event_queue import NEVER

_NOBODY: list[int] = []


class Barrier:
    """Parked queues, and releases under way.

    Attributes
    ----------
    parked : list of int
        Queue numbers.
    """

    def __init__(self, latency: int) -> None:
        self._latency = latency
        self._releases: deque[int] = deque()
        self.parked: list[int] = []

    def reset(self) -> None:
        """Forget all."""
        self._releases.clear()
        self.parked = []

    @property
    def due(self) -> int:
        """Cycle of the next release of somebody, or `NEVER`."""
        return self._releases[0] if self.parked and self._releases else NEVER

    def park(self, queue: int) -> None:
        """Let a queue wait whose SYNC issues in this cycle."""
        self.parked.append(queue)

    def notify(self, cycle: int) -> None:
        """Take a NOTIFY that issues in `cycle`, which is not before that of an earlier one."""
        self._releases.append(cycle + self._latency)

    def release(self, cycle: int) -> list[int]:
        """Return the queues that are released in `cycle`, before any SYNC of this cycle; asked in every cycle
        in which a queue does something.
        """
        # Releases that found nobody parked are over.
        while self._releases and self._releases[0] < cycle:
            self._releases.popleft()
        if not self._releases or self._releases[0] > cycle:
            return _NOBODY
        while self._releases and self._releases[0] == cycle:
            self._releases.popleft()
        released, self.parked = self.parked, []
        return released

    def stuck(self) -> bool:
        """Whether queues are parked and no release is under way; asked at the end of a cycle."""
        return bool(self.parked) and not self._releases
