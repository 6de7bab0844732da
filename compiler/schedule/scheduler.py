"""First-fit placement of macro-operations in time."""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, pairwise, repeat
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.geometry import units
from arch.isa.table import BY_MNEMONIC
from arch.timing import timing
from compiler.schedule.bursts import shortened
from compiler.schedule.flow import Flow
from compiler.schedule.footprint import Footprint, Need, footprint, interleaved
from compiler.schedule.issue import Issue
from compiler.schedule.macro import Action, Key, Macro
from compiler.schedule.pattern import Bits, Pattern
from compiler.schedule.reservations import Reservations
from compiler.schedule.text_count import TextCount

_WINDOWS = (1, 64, 256)
"""Start cycles that are looked at together: mostly the first one will do; where it does not, many will not."""

Mark = tuple[tuple[int, int], int, dict[Hashable, int], int, int, tuple[int, int]]


@dataclass(frozen=True)
class _Placed:
    """A macro-operation that starts at cycle `start`, its flows on `streams` (by their ids)."""

    macro: Macro
    start: int
    streams: dict[int, int]


class Scheduler:
    """Finds a start cycle and streams for one macro-operation after another.

    Whatever is placed can be taken back with `rollback`, so that choices can be compared; issues are written when all
    is placed. Cycles count from the start of the program.

    Parameters
    ----------
    config : Config
    segment : int, optional
        Words of text that a queue may have in a segment of the program, if it is to be cut into segments.
    """

    def __init__(self, config: Config, segment: int | None = None) -> None:
        self._config = config
        self._timing = timing(config)
        self._table = Reservations(config)
        self._footprints: WeakKeyDictionary[Macro, Footprint | None] = WeakKeyDictionary()
        self._preferred: dict[Hashable, int] = {}
        self._pending: list[_Placed] = []
        self.issues: list[Issue] = []
        self.retired = 0
        """First cycle in which nothing placed so far is under way."""
        self._issued = 0
        self._count = TextCount(config, segment)
        self._waits_for_text = True
        self._written: list[_Placed] = []
        self._barriers: list[int] = []
        self._floor = 0
        self._fences: list[tuple[int, int]] = []

    def configure(self, superlanes: int) -> None:
        """Let what is placed from now on issue after everything so far, and use so many superlanes."""
        if superlanes == self.superlanes:
            return
        start = max(self._floor, self._issued)
        for unit in units(self._config):
            free = self._table.claim(("issue", unit.id), Pattern(start))
            assert free
        self._fences.append((start, superlanes))
        self._floor = start + 1
        self.retired = max(self.retired, self._floor)

    @property
    def superlanes(self) -> int:
        """Superlanes that are on for what is placed from now on."""
        return self._fences[-1][1] if self._fences else self._config.superlanes

    def barrier(self) -> None:
        """Let every queue park after all that is placed; what is placed from now on starts at the release."""
        start = self.retired
        for unit in units(self._config):
            # A queue that is parked issues nothing, whether the program uses it or not.
            free = self._table.claim(("issue", unit.id), Pattern(start, length=self._timing.barrier))
            assert free
        self._barriers.append(start)
        self._floor = self.retired = start + self._timing.barrier

    def synchronise(self) -> None:
        """Write the issues of all that is placed, with CONFIGs, the SYNCs of all queues that are used, and a NOTIFY.

        To be called once everything but text is placed.
        """
        self.write()
        self.issues = shortened(self.issues, self._table)
        # Text itself may come at any time.
        self._floor = 0
        self._waits_for_text = False
        used: dict[int, list[int]] = {}
        for issue in self.issues:
            used.setdefault(issue.queue, []).append(issue.cycle)
        for queue, cycles in used.items():
            self._limit(queue, sorted(cycles))
        first, *others = sorted(used)
        for start in self._barriers:
            self.issues.append(Issue(first, "NOTIFY", start, {}))
            self.issues += [Issue(queue, "SYNC", start, {}) for queue in others]

    def _limit(self, queue: int, cycles: list[int]) -> None:
        """Add the CONFIGs of a queue that issues in these cycles, and hold it against READs of text between them."""
        everything = on = self._config.superlanes
        since = 0
        ends = [start for start, _ in self._fences[1:]]
        for number, (start, superlanes) in enumerate(self._fences):
            end = ends[number] if number < len(ends) else cycles[-1] + 1
            needed = superlanes == everything or bisect_left(cycles, start) < bisect_left(cycles, end)
            if not needed or superlanes == on:
                continue
            if on < everything:
                self._table.claim(("text", queue), Pattern(since, length=start - since))
            self.issues.append(Issue(queue, "CONFIG", start, {"superlanes": superlanes}))
            on, since = superlanes, start

    def place(self, macro: Macro, earliest: int, limit: int | None = None) -> int | None:
        """Place a macro-operation, tentatively, at the first cycle that suits.

        Parameters
        ----------
        macro : Macro
        earliest : int
        limit : int, optional
            First cycle that will not do any more.

        Returns
        -------
        int or None
            Cycle that the macro-operation's relative cycle 0 became; None when there is none below the limit, or when
            it does not fit even where nothing else is.
        """
        found = self._footprint(macro)
        if found is None:
            return None
        start = max(earliest, self._floor - macro.first)
        if self._waits_for_text:
            # An operation that comes sooner would issue words that are not there.
            start = max(
                start, self._count.arrival(found.text), self._count.floor(found.text, self.retired) - macro.first
            )
        for window in chain(_WINDOWS, repeat(_WINDOWS[-1])):
            if limit is not None and start >= limit:
                return None
            # Rows of cycles rule out most starts, and many can be looked up at a time; streams are tried for what is
            # left.
            free = self._candidates(found.needs, start, window)
            while free:
                shift = (free & -free).bit_length() - 1
                if limit is not None and start + shift >= limit:
                    return None
                if self._take(macro, found, start + shift):
                    return start + shift
                free &= free - 1
            if start + macro.first > self._table.last:
                # Nothing else is in the way here.
                return None
            start += window
        return None

    def _footprint(self, macro: Macro) -> Footprint | None:
        """Return the footprint of a macro-operation, worked out once: it is tried at many times."""
        if macro not in self._footprints:
            self._footprints[macro] = footprint(self._config, macro)
        return self._footprints[macro]

    def load(self, key: Key, first: int, last: int) -> int:
        """Return the cycles from `first` to `last` in which a resource is taken."""
        return self._table.occupied(key, first, last)

    def taken(self, key: Key, first: int, count: int) -> npt.NDArray[np.bool_]:
        """Return for each of `count` cycles whether a resource is taken in it."""
        return self._table.row(key, first, count)

    def mark(self) -> Mark:
        """Return a point to which `rollback` can return."""
        return (
            self._table.mark(),
            len(self._pending),
            dict(self._preferred),
            self.retired,
            self._issued,
            self._count.mark(),
        )

    def rollback(self, mark: Mark) -> None:
        """Give up what was placed since `mark`."""
        taken, pending, preferred, self.retired, self._issued, count = mark
        self._preferred = dict(preferred)
        self._table.rollback(taken)
        self._count.rollback(count)
        del self._pending[pending:]

    def words(self, macro: Macro) -> int:
        """Return about how many words of text a macro-operation needs in the queue in which it needs most."""
        found = self._footprint(macro)
        return max((words for _, _, words in found.text), default=0) if found is not None else 0

    def arrival(self, macros: Iterable[Macro]) -> int:
        """Return a cycle before which text for macro-operations, after all that is placed, cannot have come."""
        every = (self._footprint(macro) for macro in macros)
        return max((self._count.arrival(found.text) for found in every if found is not None), default=0)

    def text(self, queue: int) -> int:
        """Return about how many words of text a queue has so far."""
        return self._count.words(queue)

    def _interleaved(self, found: Footprint, start: int) -> list[tuple[int, int, int]]:
        """Return the words of a macro-operation with those that come of others between its issues."""
        text = {queue: (position, words) for queue, position, words in found.text}
        for need in found.needs:
            if need.queue is not None:
                others = self._table.part(need.key, start + need.first, need.bits.bit_length())
                if others:
                    position, words = text[need.queue]
                    text[need.queue] = position, interleaved(need, words, others | need.bits)
        return [(queue, position, words) for queue, (position, words) in text.items()]

    def write(self) -> None:
        """Write the issues of all that is placed: it stays placed."""
        self._table.commit()
        for placed in self._pending:
            for action in placed.macro.actions:
                self._issue(action, placed.start, placed.streams)
        self._written += self._pending
        self._pending.clear()

    def segments(self) -> Iterator["Scheduler"]:
        """Yield each segment of the program by itself, its cycles counted from its own start.

        What is written of it has its cycles, which end with `retired`; anything may be placed beside and after it.
        """
        bounds = [0, *self._count.cuts, self.retired]
        starts = bounds[1:-1]
        parts: list[list[_Placed]] = [[] for _ in bounds[1:]]
        for placed in self._written:
            parts[bisect_right(starts, placed.start + placed.macro.first)].append(placed)
        for (first, last), members in zip(pairwise(bounds), parts, strict=True):
            part = Scheduler(self._config)
            part._waits_for_text = False
            for placed in members:
                part._take_again(placed, first)
            part.write()
            part.issues = shortened(part.issues, part._table)
            part._barriers = [start - first for start in self._barriers if first <= start < last]
            for start in part._barriers:
                for unit in units(self._config):
                    part._table.claim(("issue", unit.id), Pattern(start, length=self._timing.barrier))
            part.issues += [
                replace(issue, cycle=issue.cycle - first)
                for issue in self.issues
                if issue.mnemonic in ("SYNC", "NOTIFY") and first <= issue.cycle < last
            ]
            part.retired = last - first
            yield part

    def _take_again(self, placed: _Placed, first: int) -> None:
        """Take what a macro-operation took in another table, of which cycle `first` is the first one here."""
        found, start = self._footprint(placed.macro), placed.start - first
        assert found is not None
        for need in found.needs:
            self._table.take(need.key, start + need.first, need.bits)
        for flow, ways in found.ways:
            for member, (since, bits) in ways.items():
                self._table.take_way(flow.direction, placed.streams[id(flow)] + member, start + since, bits)
        self._pending.append(_Placed(placed.macro, start, placed.streams))

    def _candidates(self, needs: list[Need], start: int, window: int) -> Bits:
        """Return which of `window` starts from `start` on find all needs free, streams apart."""
        free = (1 << window) - 1
        for number, need in enumerate(needs):
            if window > 1:
                free &= ~need.taken(self._table, start, window)
            elif not self._table.is_free(need.key, start + need.first, need.bits):
                free = 0
            if not free:
                # What is in the way now is likely to be so in the next window.
                needs.insert(0, needs.pop(number))
                break
        return free

    def _take(self, macro: Macro, found: Footprint, start: int) -> bool:
        """Take what a macro-operation needs at a start where all but streams is free; return whether these are."""
        mark = self._table.mark()
        streams: dict[int, int] = {}
        # Wide ones come first: an aligned group that is free is hard to find.
        for flow, ways in found.ways:
            stream = self._pick(flow, ways, start)
            if stream is None:
                self._table.rollback(mark)
                return False
            streams[id(flow)] = stream
        text = found.text if self._count.segment is None else self._interleaved(found, start)
        for need in found.needs:
            free = self._table.take(need.key, start + need.first, need.bits)
            assert free
        for flow in macro.flows:
            self._preferred[flow.key] = streams[id(flow)]
        self._pending.append(_Placed(macro, start, streams))
        if self._waits_for_text:
            if self._count.is_full(found.text):
                self._count.cut(self.retired)
            self._count.add(text)
        self.retired = max(self.retired, start + found.retired)
        self._issued = max(self._issued, start + found.issued)
        return True

    def _pick(self, flow: Flow, ways: dict[int, tuple[int, Bits]], start: int) -> int | None:
        """Return the first of an aligned group of streams that are free for the flow, having taken them."""
        for stream in self._groups(flow):
            mark = self._table.mark()
            if all(
                self._table.take_way(flow.direction, stream + member, start + first, bits)
                for member, (first, bits) in ways.items()
            ):
                return stream
            self._table.rollback(mark)
        return None

    def _groups(self, flow: Flow) -> list[int]:
        """Wide groups from stream 0 up, narrow ones from the top down, so that they leave each other room."""
        groups = list(range(0, self._config.streams, flow.width))
        if flow.width < self._config.lanes:
            groups.reverse()
        preferred = self._preferred.get(flow.key)
        if preferred not in groups:  # none yet, or that of a narrower flow
            return groups
        # Equal streams make equal words, which a REPEAT stands for.
        return [preferred, *(group for group in groups if group != preferred)]

    def _issue(self, action: Action, start: int, streams: dict[int, int]) -> None:
        fields = dict(action.fields)
        if "interval" in BY_MNEMONIC[action.mnemonic].offsets:
            fields["interval"] = action.interval
        for name, (flow, member) in action.streams.items():
            fields[name] = streams[id(flow)] + member
        self.issues.append(
            Issue(
                action.unit.id,
                action.mnemonic,
                start + action.cycle,
                fields,
                action.issues,
                action.every,
                action.advance,
            )
        )
