"""Program text on streams: which MEM word an IFETCH reads, and what it holds."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from arch.errors import TaktError
from arch.geometry import Direction, UnitKind
from arch.image import Image
from arch.isa.footprint import footprint
from arch.isa.instruction import WORD_BITS
from arch.timing import timing
from compiler.verifier.queue_walk import Cycles, Issued, QueueWalk

_STRETCH = 256
"""Neighbouring diagonals of a stream whose drives are looked through together."""


@dataclass
class _Drive:
    """A word that drives the stream in question; `first` is the kept address of its read engine before it."""

    item: Issued
    latency: int
    first: int

    def meets(self, cycle: int) -> tuple[int, int] | None:
        """Return which issue and element puts its value on the register in `cycle`."""
        after = cycle - self.latency - self.item.cycles
        hits = np.flatnonzero(
            (after >= 0) & (after % self.item.interval == 0) & (after < self.item.interval * self.item.count)
        )
        return (int(hits[0]), int(after[hits[0]]) // self.item.interval) if len(hits) else None

    def stretches(self, direction: Direction) -> range:
        """Return the stretches of diagonals on which it drives values."""
        item, before = self.item, self.latency - direction.step * self.item.unit.position
        last = int(item.cycles[-1]) + item.interval * (item.count - 1)
        return range((int(item.cycles[0]) + before) // _STRETCH, (last + before) // _STRETCH + 1)


class Text:
    """Finds fetched text. Only what a READ takes from constants of the image is text that can be known.

    Parameters
    ----------
    image
    walks
        Of all queues, as far as they have got: every READ that issued before the cycles asked about.
    """

    def __init__(self, image: Image, walks: Mapping[int, QueueWalk]) -> None:
        self._image = image
        self._config = image.config
        self._walks = walks
        # By stream and stretch of diagonals: a program has many drives, and few at any time.
        self._drives: dict[tuple[Direction, int, int], list[_Drive]] = {}
        # By stream and queue, the last word of a queue, which a REPEAT may still follow; and its streams, by queue.
        self._repeated: dict[tuple[Direction, int], dict[int, _Drive]] = {}
        self._open: dict[int, list[tuple[Direction, int]]] = {}
        self._seen = dict.fromkeys(walks, 0)
        self._kept = dict.fromkeys(walks, 0)
        self.used: dict[tuple[int, int], str] = {}
        """Slice and address of every word fetched, and who fetched it."""

    def vector(self, fetch: Issued, cycle: int) -> list[int] | TaktError:
        """Return the words of the vector that `fetch` reads in `cycle`, or why they cannot be known."""
        direction, stream = Direction(fetch.fields["dir"]), fetch.fields["stream"]
        name = f"{direction.name.lower()} stream {stream}"
        where = f"text of {fetch.unit.name} on {name} in cycle {cycle} must be constants of the image that a READ reads"
        found = self._driver(direction, stream, fetch.unit.position, cycle)
        if found is None:
            return TaktError(f"{where}, not an empty register")
        drive, (issue, element) = found
        item = drive.item
        if item.mnemonic != "READ":
            return TaktError(f"{where}, not a result of {item.unit.name}'s {item.mnemonic}")
        first = _first_addresses(item, drive.first)[issue]
        place = item.unit.id, (int(first) + element * item.fields["stride"]) % (2 * self._config.mem_depth)
        if place not in self._constants:
            return TaktError(f"{where}, not word {place[1]} of {item.unit.name}")
        self.used[place] = fetch.unit.name
        data = self._image.constant_words[self._constants[place]]
        return [int(word) for word in np.ascontiguousarray(data).view(f"<u{WORD_BITS // 8}")]

    def overwritten(self) -> TaktError | None:
        """Return an error if the program writes to a word that it fetches; asked when the walks are over."""
        size = 2 * self._config.mem_depth
        for queue, walk in self._walks.items():
            if walk.unit.kind is not UnitKind.MEM or not any(queue == slice_ for slice_, _ in self.used):
                continue
            for addr in _written(walk.issued, self._config.mem_depth):
                if (queue, addr % size) in self.used:
                    reader = self.used[queue, addr % size]
                    return TaktError(
                        f"text of {reader} must not be written by the program: word {addr % size} of "
                        f"{walk.unit.name} is"
                    )
        return None

    @cached_property
    def _constants(self) -> dict[tuple[int, int], int]:
        image = self._image
        places = zip(image.constant_slices.tolist(), image.constant_addrs.tolist(), strict=True)
        found = {place: row for row, place in enumerate(places)}
        for tensor in image.inputs:
            for place in zip(tensor.slices.tolist(), tensor.addrs.tolist(), strict=True):
                found.pop(place, None)
        return found

    def _driver(
        self, direction: Direction, stream: int, position: int, cycle: int
    ) -> tuple[_Drive, tuple[int, int]] | None:
        """Return the drive of the value that is on a register in `cycle`: the last one on its way."""
        best: tuple[int, _Drive, tuple[int, int]] | None = None
        # A value stays on the diagonal on which it is driven: see `compiler.schedule.reservations`.
        stretch = (cycle - direction.step * position) // _STRETCH
        for drive in self._candidates(direction, stream, stretch):
            distance = direction.step * (position - drive.item.unit.position)
            if distance < 0 or (best is not None and distance >= best[0]):
                continue
            hit = drive.meets(cycle - distance)
            if hit is not None:
                best = distance, drive, hit
        return None if best is None else best[1:]

    def follow(self, walk: QueueWalk) -> None:
        """Take note of what a queue has issued since this was last called for it."""
        queue = walk.unit.id
        for key in self._open.pop(queue, ()):
            del self._repeated[key][queue]
        # The last word of a queue may still be repeated.
        last = len(walk.issued) - 1 if walk.running or walk.parked is not None else len(walk.issued)
        for item in walk.issued[self._seen[queue] : last]:
            for key, drive in self._driven(item):
                for part in drive.stretches(key[0]):
                    self._drives.setdefault((*key, part), []).append(drive)
            if item.mnemonic == "READ":
                starts = _first_addresses(item, self._kept[queue])
                self._kept[queue] = int(starts[-1]) + item.count * item.fields["stride"]
        self._seen[queue] = max(last, self._seen[queue])
        if 0 <= last < len(walk.issued):
            driven = self._driven(walk.issued[last])
            self._open[queue] = [key for key, _ in driven]
            for key, drive in driven:
                self._repeated.setdefault(key, {})[queue] = drive

    def _candidates(self, direction: Direction, stream: int, stretch: int) -> Iterator[_Drive]:
        yield from self._repeated.get((direction, stream), {}).values()
        yield from self._drives.get((direction, stream, stretch), [])

    def _driven(self, item: Issued) -> list[tuple[tuple[Direction, int], _Drive]]:
        """Return the streams that a word drives, and how."""
        touched = footprint(self._config, item.unit, item.mnemonic, item.fields)
        latency = timing(self._config)[item.mnemonic].d_func
        if not touched.drives or latency is None:
            return []
        drive = _Drive(item, latency, self._kept[item.unit.id])
        return [
            ((group.direction, group.first + member), drive) for group in touched.drives for member in range(group.size)
        ]


def _first_addresses(item: Issued, kept: int) -> Cycles:
    """Return the address of element 0 of every issue of a READ or WRITE, not yet wrapped."""
    burst = item.count * item.fields["stride"]
    first, advance = (kept, burst) if item.fields["cont"] else (item.fields["addr"], 0)
    return first + advance * np.arange(len(item.cycles), dtype=np.int64)


def _written(issued: Iterable[Issued], depth: int) -> Iterator[int]:
    """Yield the addresses, not yet wrapped, to which a slice's words write or may write."""
    kept = 0
    for item in issued:
        if item.mnemonic == "WRITE":
            starts = _first_addresses(item, kept)
            yield from (starts[:, None] + item.fields["stride"] * np.arange(item.count)).reshape(-1).tolist()
            kept = int(starts[-1]) + item.count * item.fields["stride"]
        elif item.mnemonic == "SCATTER":
            bank = item.fields["addr"] // depth
            yield from range(bank * depth, (bank + 1) * depth)
