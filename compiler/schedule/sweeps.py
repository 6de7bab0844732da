"""Accesses of MEM in regular order: what one instruction word and its repetitions can do."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arch.isa.table import BY_MNEMONIC
from compiler.schedule.pattern import Pattern

Numbers = npt.NDArray[np.int32]
Cycles = npt.NDArray[np.int64]

_READ = BY_MNEMONIC["READ"].offsets
BURST_LIMIT = _READ["count"][1].maximum
"""Most elements of one READ or WRITE."""
INTERVAL_LIMIT = _READ["interval"][1].maximum
"""Most cycles from one of its elements to the next."""
STRIDE_LIMIT = _READ["stride"][1].maximum
"""Most words from one of its elements to the next, up or down."""


class Sweep(NamedTuple):
    """Accesses of one bank in regular order.

    ``cycles.count`` bursts, the first from `addr` on, each `advance` words after the one before; words of a burst
    (``cycles.length``) are `stride` apart.
    """

    slice: int
    addr: int
    stride: int
    advance: int
    cycles: Pattern


def sweeps(slices: Numbers, addrs: Numbers, cycles: Cycles, depth: int, interval: int = 1) -> list[Sweep]:
    """Group the accesses of a stream of words, in order of time, into sweeps.

    A lone burst with longer pauses than `interval` becomes bursts of one word. These leave the engine free in between,
    and take no more queue words as long as nothing else of the slice's queue comes between them.

    Parameters
    ----------
    slices, addrs : ndarray, shape (n,)
        In any order, and words may come again.
    cycles : ndarray, shape (n,)
        When each word passes, ascending.
    depth : int
        Words of a bank.
    interval : int
        Cycles from one word to the next that make a burst in any case.
    """
    if not len(cycles):
        return []
    first = int(cycles[0])
    words = (np.asarray(slices, np.int32), np.asarray(addrs, np.int32), np.asarray(cycles - first, np.int64))
    found = _relative(*(array.tobytes() for array in words), depth, interval)
    return [sweep._replace(cycles=sweep.cycles.shifted(first)) for sweep in found]


# Most of what a trial looks at another one has looked at before: same words, at another time.
@lru_cache(maxsize=1 << 14)
def _relative(slices: bytes, addrs: bytes, cycles: bytes, depth: int, interval: int) -> tuple[Sweep, ...]:
    """Return sweeps of words whose cycles count from the first one."""
    words = np.frombuffer(slices, np.int32), np.frombuffer(addrs, np.int32), np.frombuffer(cycles, np.int64)
    return tuple(_grouped(*words, depth, interval))


def _grouped(slices: Numbers, addrs: Numbers, cycles: Cycles, depth: int, interval: int) -> Iterator[Sweep]:
    if np.count_nonzero(np.diff(slices)) * 2 > len(slices):
        # Words come from several slices in turn: each slice's are regular by themselves, and leave it free in between.
        for number in np.unique(slices):
            mine = slices == number
            for burst in _bursts(slices[mine], addrs[mine], cycles[mine], depth):
                yield _single(burst, interval)
        return
    group: Sweep | None = None
    for burst in _bursts(slices, addrs, cycles, depth):
        joined = group and _join(group, burst, depth)
        if group is not None and joined is None:
            yield _single(group, interval)
        group = joined or burst
    if group is not None:
        yield _single(group, interval)


def _bursts(slices: Numbers, addrs: Numbers, cycles: Cycles, depth: int) -> Iterator[Sweep]:
    """Cut a stream of words into bursts of one stride and interval each."""
    count = len(cycles)
    strides, intervals = np.diff(addrs).astype(np.int64), np.diff(cycles)
    apart = (np.diff(slices) != 0) | (np.diff(addrs // depth) != 0)
    apart |= (np.abs(strides) > STRIDE_LIMIT) | (intervals > INTERVAL_LIMIT)
    changes = (np.diff(strides) != 0) | (np.diff(intervals) != 0) | apart[1:] | apart[:-1]
    # Steps from a word on that are alike: ends[i] is the last step of the run that step i belongs to.
    bounds = np.append(np.flatnonzero(changes), max(count - 2, 0))
    ends = bounds[np.searchsorted(bounds, np.arange(count - 1))]
    first = 0
    while first < count:
        last = first
        if first < count - 1 and not apart[first]:
            last = int(ends[first]) + 1
            if last == first + 1 < count - 1 and not apart[last]:
                # One odd step before a regular burst: the second word belongs there.
                longer = ends[last] > last
                denser = intervals[last] == 1 < intervals[first]
                last -= int(longer or denser)
        last = min(last, first + BURST_LIMIT - 1)
        regular = last > first
        stride, interval = (int(strides[first]), int(intervals[first])) if regular else (1, 1)
        yield Sweep(
            int(slices[first]),
            int(addrs[first]),
            stride,
            0,
            Pattern(int(cycles[first]), 1, 1, last - first + 1, interval),
        )
        first = last + 1


def _join(group: Sweep, burst: Sweep, depth: int) -> Sweep | None:
    """Return both as one sweep, or None."""
    cycles = group.cycles
    gap = burst.cycles.start - (cycles.start + (cycles.count - 1) * cycles.every)
    advance = burst.addr - (group.addr + (cycles.count - 1) * group.advance)
    if (
        burst.slice != group.slice
        or burst.stride != group.stride
        or burst.addr // depth != group.addr // depth
        or (burst.cycles.length, burst.cycles.interval) != (cycles.length, cycles.interval)
        or (cycles.count > 1 and (gap, advance) != (cycles.every, group.advance))
    ):
        return None
    return group._replace(advance=advance, cycles=cycles._replace(count=cycles.count + 1, every=gap))


def _single(sweep: Sweep, interval: int) -> Sweep:
    """Return a lone burst with long pauses as bursts of one word."""
    cycles = sweep.cycles
    if cycles.count == 1 and cycles.interval > interval:
        return sweep._replace(advance=sweep.stride, cycles=Pattern(cycles.start, cycles.length, cycles.interval))
    if cycles.count > 1 and cycles.length == 1 and abs(sweep.advance) <= STRIDE_LIMIT:
        # A stride like the advance lets each burst continue from the one before.
        return sweep._replace(stride=sweep.advance)
    return sweep
