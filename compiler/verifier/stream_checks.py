"""UNWRITTEN and DOUBLE_DRIVE: who drives and reads what, stream by stream.

A value keeps its diagonal: ``cycle - position`` going east, ``cycle + position`` going west. On one diagonal of one
stream, a register is written from the first driver's position on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from arch.config import Config
from arch.faults import Fault, FaultKind
from arch.geometry import Direction, positions
from arch.isa.footprint import StreamGroup, footprint
from arch.timing import timing
from compiler.verifier.queue_walk import Cycles, Issued

_NOWHERE = np.iinfo(np.int64).max


@dataclass
class _Traffic:
    """Drives or reads of one stream: cycles, with position and queue of their unit."""

    cycles: list[Cycles] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)

    def add(self, item: Issued, latency: int | None) -> None:
        assert latency is not None
        self.cycles.append(item.elements + latency)
        self.places.append((item.unit.position, item.unit.id))

    def arrays(self) -> tuple[Cycles, Cycles, Cycles]:
        """Return cycle, position and queue of every element."""
        lengths = [len(part) for part in self.cycles]
        places = np.repeat(np.array(self.places, np.int64).reshape(-1, 2), lengths, axis=0)
        return np.concatenate([np.zeros(0, np.int64), *self.cycles]), places[:, 0], places[:, 1]


def stream_faults(config: Config, issued: Iterable[Issued]) -> Iterator[Fault]:
    """Yield the first UNWRITTEN and the first DOUBLE_DRIVE of every stream."""
    drives: dict[tuple[Direction, int], _Traffic] = {}
    reads: dict[tuple[Direction, int], _Traffic] = {}
    for item in issued:
        touched = footprint(config, item.unit, item.mnemonic, item.fields)
        latency = timing(config)[item.mnemonic]
        for group in touched.reads:
            for key in _streams(group):
                reads.setdefault(key, _Traffic()).add(item, latency.d_skew)
        for group in touched.drives:
            for key in _streams(group):
                drives.setdefault(key, _Traffic()).add(item, latency.d_func)
    for key in drives.keys() | reads.keys():
        driven = drives.get(key, _Traffic()).arrays()
        yield from _unwritten(key, driven, reads.get(key, _Traffic()).arrays())
        yield from _double(config, key, driven)


def _streams(group: StreamGroup) -> list[tuple[Direction, int]]:
    return [(group.direction, group.first + member) for member in range(group.size)]


Elements = tuple[Cycles, Cycles, Cycles]


def _unwritten(key: tuple[Direction, int], drives: Elements, reads: Elements) -> Iterator[Fault]:
    direction, stream = key
    cycles, places, queues = reads
    if not len(cycles):
        return
    step = direction.step
    lowest = min(int((part[0] - step * part[1]).min()) for part in (drives, reads) if len(part[0]))
    highest = max(int((part[0] - step * part[1]).max()) for part in (drives, reads) if len(part[0]))
    first = np.full(highest - lowest + 1, _NOWHERE)
    np.minimum.at(first, drives[0] - step * drives[1] - lowest, step * drives[1])
    empty = first[cycles - step * places - lowest] > step * places
    if empty.any():
        cycle, queue = min(zip(cycles[empty].tolist(), queues[empty].tolist(), strict=True))
        detail = f"{direction.name.lower()} stream {stream} holds nothing"
        yield Fault(cycle, queue, FaultKind.UNWRITTEN, detail)


def _double(config: Config, key: tuple[Direction, int], drives: Elements) -> Iterator[Fault]:
    direction, stream = key
    cycles, places, queues = drives
    register = cycles * positions(config) + places
    order = np.lexsort((queues, register))
    register, queues = register[order], queues[order]
    twice = np.flatnonzero(register[1:] == register[:-1]) + 1
    if len(twice):
        first = twice[0]
        cycle, position = divmod(int(register[first]), positions(config))
        later = int(queues[twice[register[twice] // positions(config) == cycle]].min())
        detail = f"{direction.name.lower()} stream {stream} at position {position} is driven twice"
        yield Fault(cycle, later, FaultKind.DOUBLE_DRIVE, detail)
