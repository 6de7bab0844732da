"""Where the words of one copy of a tensor are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from compiler.schedule.pattern import Pattern

Numbers = npt.NDArray[np.int32]
Cycles = npt.NDArray[np.int64]

BURST_LIMIT = (1 << 13) - 1
"""Most elements of one READ or WRITE."""


@dataclass
class Layout:
    """MEM words of one copy of a tensor.

    A word holds one byte of each element of a vector: `vector_length` neighbours along the lane axis (a *block*) in one
    step of the other axes; of a matrix with lanes along its columns, a step is a row.

    Attributes
    ----------
    slices, addrs : ndarray, shape (bytes, blocks, steps), int32
        Slice -1: this copy lacks the vector.
    ready : ndarray, shape (blocks, steps), int64
        First cycle in which a READ may access the word.
    """

    slices: Numbers
    addrs: Numbers
    ready: Cycles

    @classmethod
    def empty(cls, size: int, blocks: int, steps: int) -> "Layout":
        """Return a copy that lacks every vector yet."""
        shape = (size, blocks, steps)
        return cls(np.full(shape, -1, np.int32), np.zeros(shape, np.int32), np.zeros(shape[1:], np.int64))

    @property
    def flat(self) -> tuple[Numbers, Numbers, Cycles]:
        """Slices and addrs, shape (bytes, vectors), and ready, shape (vectors,), as views."""
        size = self.slices.shape[0]
        return self.slices.reshape(size, -1), self.addrs.reshape(size, -1), self.ready.reshape(-1)


class Sweep(NamedTuple):
    """Accesses of one bank in regular order.

    ``cycles.count`` bursts of ``cycles.length`` words from `addr` on; each burst continues where the one before ended.
    """

    slice: int
    addr: int
    cycles: Pattern


def sweeps(slices: Numbers, addrs: Numbers, cycles: Cycles, depth: int) -> Iterator[Sweep]:
    """Group the accesses of a stream of words, in order of time, into sweeps.

    Parameters
    ----------
    slices, addrs : ndarray, shape (n,)
    cycles : ndarray, shape (n,)
        When each word passes.
    depth : int
        Words of a bank.
    """
    if not len(cycles):
        return
    banks = addrs // depth
    breaks = (np.diff(slices) != 0) | (np.diff(addrs) != 1) | (np.diff(cycles) != 1) | (np.diff(banks) != 0)
    starts = np.concatenate(([0], np.flatnonzero(breaks) + 1))
    ends = np.append(starts[1:], len(cycles))
    group: Sweep | None = None
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        for first in range(start, end, BURST_LIMIT):
            length = min(BURST_LIMIT, end - first)
            burst = Sweep(int(slices[first]), int(addrs[first]), Pattern(int(cycles[first]), 1, 1, length))
            joined = _join(group, burst, depth)
            if joined is None and group is not None:
                yield group
            group = joined or burst
    assert group is not None
    yield group


def _join(group: Sweep | None, burst: Sweep, depth: int) -> Sweep | None:
    """Return both as one sweep, or None."""
    if group is None:
        return None
    start, count, every, length = group.cycles.start, group.cycles.count, group.cycles.every, group.cycles.length
    gap = burst.cycles.start - (start + (count - 1) * every)
    if (
        burst.slice != group.slice
        or burst.addr != group.addr + count * length
        or burst.addr // depth != group.addr // depth
        or burst.cycles.length != length
        or (count > 1 and gap != every)
    ):
        return None
    return Sweep(group.slice, group.addr, Pattern(start, count + 1, gap, length))
