"""The address generators of all MEM slices, one kind (reading or writing) together."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden.machine.event_queue import NEVER, EventQueue

Int64 = npt.NDArray[np.int64]


@dataclass(slots=True)
class Burst:
    """A burst, before it starts or under way.

    Attributes
    ----------
    slice : int
        Chip-wide slice number.
    addr, stride, interval : int
    left : int
        Elements still to come.
    shift, base : int
        Its stream, as in `golden.machine.streams.Streams.origin`.
    on : int
        Lanes it acts on.
    cycle : int
        Of the next element.
    """

    slice: int
    addr: int
    stride: int
    interval: int
    left: int
    shift: int
    base: int
    on: int
    cycle: int


class Cohort:
    """Bursts of different slices and the same lanes whose next elements come in the same cycle, and all later ones too.

    Attributes
    ----------
    cycle : int
        Of the next elements.
    on : int
        Lanes they act on.
    slices : ndarray of int64, shape (n,)
        Ascending.
    places : dict of int to int
        Index in `slices`, by slice.
    addr : ndarray of int64, shape (n,)
        Addresses of the next elements.
    """

    def __init__(self, bursts: list[Burst], words: int, slots: int, streams: int) -> None:
        self.cycle = bursts[0].cycle
        self.on = bursts[0].on
        self._bursts = bursts
        self._interval = bursts[0].interval
        # The first of them to end dissolves the cohort, and the others form a new one.
        self._left = min(burst.left for burst in bursts)
        self._passed = 0
        # Both banks together are a power of two of words, so that addresses wrap by a mask.
        self._mask = words - 1
        self._slots = slots
        self._streams = streams
        self.slices: Int64 = np.array([burst.slice for burst in bursts], np.int64)
        self.places = {burst.slice: place for place, burst in enumerate(bursts)}
        self.addr: Int64 = np.array([burst.addr for burst in bursts], np.int64)
        self._stride: Int64 = np.array([burst.stride for burst in bursts], np.int64)
        self._first_word = self.slices * words
        self._rows: list[Int64 | None] = [None] * slots

    def words(self) -> Int64:
        """Return the word numbers ``slice * words + addr`` of the next elements."""
        return self._first_word + self.addr

    def rows(self, cycle: int) -> Int64:
        """Return the stream register rows of the bursts in `cycle`; they come around every `slots` cycles."""
        # A burst's register wanders through the slots with the cycle, and back to its first after all of them: each
        # phase is computed once.
        phase = cycle % self._slots
        rows = self._rows[phase]
        if rows is None:
            rows = np.array([(b.shift + phase) % self._slots * self._streams + b.base for b in self._bursts], np.int64)
            self._rows[phase] = rows
        return rows

    def advance(self) -> bool:
        """Go to the next elements; return whether every burst has one."""
        self.addr += self._stride
        self.addr &= self._mask
        self.cycle += self._interval
        self._passed += 1
        return self._passed < self._left

    def unfinished(self) -> list[Burst]:
        """Return the bursts with elements left, brought up to date."""
        found = []
        for burst, addr in zip(self._bursts, self.addr.tolist(), strict=True):
            burst.addr, burst.cycle = addr, self.cycle
            burst.left -= self._passed
            if burst.left:
                found.append(burst)
        self._passed = 0
        return found


class Bursts:
    """One engine per slice, each with one burst at a time.

    Bursts that go in step are kept together as a cohort, so that a cycle costs a few array operations however many
    slices are busy. Cohorts are formed anew whenever a burst starts or ends.

    Attributes
    ----------
    due : int
        Next cycle in which an engine accesses its slice.
    """

    def __init__(self, words: int, slots: int, streams: int) -> None:
        self._shape = words, slots, streams
        self._starting: EventQueue[Burst] = EventQueue()
        self._cohorts: list[Cohort] = []
        self.due = NEVER

    def reset(self) -> None:
        """Stop every engine."""
        self._starting.clear()
        self._cohorts = []
        self.due = NEVER

    def start(self, burst: Burst) -> None:
        """Take a burst whose first element comes in a later cycle, after the last one of its slice's burst before."""
        self._starting.add(burst.cycle, burst)
        self.due = min(self.due, burst.cycle)

    def at(self, cycle: int) -> list[Cohort]:
        """Return the cohorts with elements in `cycle`."""
        if self._starting.due == cycle:
            # A burst that starts may go in step with one that runs; so everything is grouped anew.
            running = [burst for cohort in self._cohorts for burst in cohort.unfinished()]
            self._form(running + self._starting.take(cycle))
        return [cohort for cohort in self._cohorts if cohort.cycle == cycle]

    def advance(self, cohorts: list[Cohort]) -> None:
        """Go to the next elements of the cohorts that had some."""
        going_on = [cohort.advance() for cohort in cohorts]
        if not all(going_on):
            self._form([burst for cohort in self._cohorts for burst in cohort.unfinished()])
        self.due = min(self._starting.due, *(cohort.cycle for cohort in self._cohorts), NEVER)

    def _form(self, bursts: list[Burst]) -> None:
        groups: dict[tuple[int, int, int], list[Burst]] = {}
        # Ascending slices: faults are reported in queue order, and arrays of slices are sorted.
        for burst in sorted(bursts, key=lambda one: one.slice):
            groups.setdefault((burst.cycle, burst.interval, burst.on), []).append(burst)
        self._cohorts = [Cohort(group, *self._shape) for group in groups.values()]
