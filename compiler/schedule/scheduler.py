"""First-fit placement of macro-operations in time."""

from bisect import bisect_left
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.geometry import units
from arch.isa.table import BY_MNEMONIC
from arch.timing import timing
from compiler.schedule.flow import Flow
from compiler.schedule.issue import Issue
from compiler.schedule.macro import Action, Key, Macro
from compiler.schedule.pattern import Pattern
from compiler.schedule.reservations import Reservations

_WINDOWS = (1, 8, 64, 256)
"""Start cycles that are looked at together: mostly the first one will do; where it does not, many will not."""

_FILLED = 0.8
"""Part of a queue's depth that counts on the host's words: further words go in between."""

_FETCHED = 0.6, 0.2
"""Part of a fetch port's cycles (a word takes ``16 / lanes``) that text may take: not every cycle suits its READs. The
second where hardly any does."""

Mark = tuple[tuple[int, int], int, dict[Hashable, int], int, int]


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
    patient : bool
        Let operations wait longer for their text.
    """

    def __init__(self, config: Config, patient: bool = False) -> None:
        self._config = config
        self._fetched = _FETCHED[patient]
        self._timing = timing(config)
        self._table = Reservations(config)
        self._preferred: dict[Hashable, int] = {}
        self._pending: list[_Placed] = []
        self.issues: list[Issue] = []
        self.retired = 0
        """First cycle in which nothing placed so far is under way."""
        self._issued = 0
        self._text: dict[int, int] = {}
        self._excess: dict[int, int] = {}
        self._waits_for_text = True
        self._barriers: list[int] = []
        self._floor = 0
        self._fences: list[tuple[int, int]] = []

    def configure(self, superlanes: int) -> None:
        """Let what is placed from now on issue after everything so far, and use so many superlanes."""
        if superlanes == (self._fences[-1][1] if self._fences else self._config.superlanes):
            return
        start = max(self._floor, self._issued)
        for unit in units(self._config):
            free = self._table.claim(("issue", unit.id), Pattern(start))
            assert free
        self._fences.append((start, superlanes))
        self._floor = start + 1
        self.retired = max(self.retired, self._floor)

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
        start = max(earliest, self._floor - macro.first, self._text_floor(macro))
        needs = [*macro.holds, *(need for action in macro.actions for need in action.needs(self._config))]
        for number in range(1 << 62):
            if limit is not None and start >= limit:
                return None
            window = _WINDOWS[min(number, len(_WINDOWS) - 1)]
            # Rows of cycles rule out most starts, and many can be looked up at a time; streams are tried for what is
            # left.
            for shift in np.flatnonzero(self._candidates(needs, start, window)).tolist():
                if limit is not None and start + shift >= limit:
                    return None
                found = self._take(macro, needs, start + shift)
                if found is not None:
                    return start + shift if found else None
            if start + macro.first > self._table.last:
                # Nothing else is in the way here.
                return None
            start += window
        return None

    def load(self, key: Key, first: int, last: int) -> int:
        """Return the cycles from `first` to `last` in which a resource is taken."""
        return self._table.occupied(key, first, last)

    def taken(self, key: Key, first: int, count: int) -> npt.NDArray[np.bool_]:
        """Return for each of `count` cycles whether a resource is taken in it."""
        return self._table.row(key, first, count)

    def mark(self) -> Mark:
        """Return a point to which `rollback` can return."""
        return self._table.mark(), len(self._pending), dict(self._preferred), self.retired, self._issued

    def rollback(self, mark: Mark) -> None:
        """Give up what was placed since `mark`."""
        taken, count, preferred, self.retired, self._issued = mark
        self._preferred = dict(preferred)
        self._table.rollback(taken)
        for placed in self._pending[count:]:
            for action in placed.macro.actions:
                self._note_text(action, -1)
        del self._pending[count:]

    def text(self, queue: int) -> int:
        """Return about how many words of text a queue has so far."""
        return self._text.get(queue, 0)

    def _note_text(self, action: Action, sign: int) -> None:
        """Count the words of an action, and those beyond what a queue holds at the start, by position."""
        before = self._text.get(action.unit.id, 0)
        # A pause, the word, and how often it comes again.
        after = self._text[action.unit.id] = before + sign * (2 + (action.issues > 1))
        held = int(self._config.queue_depth * _FILLED)
        more = max(after - held, 0) - max(before - held, 0)
        self._excess[action.unit.position] = self._excess.get(action.unit.position, 0) + more

    def _text_floor(self, macro: Macro) -> int:
        """Return a cycle before which the text of what is placed so far cannot all have come.

        Queues of one position share a fetch port. An operation that comes sooner would issue words that are not there.
        """
        if not self._waits_for_text:
            return 0
        excess = max((self._excess.get(action.unit.position, 0) for action in macro.actions), default=0)
        return int(excess * 16 / self._config.lanes / self._fetched) if excess else 0

    def write(self) -> None:
        """Write the issues of all that is placed: it stays placed."""
        self._table.commit()
        for placed in self._pending:
            for action in placed.macro.actions:
                self._issue(action, placed.start, placed.streams)
        self._pending.clear()

    def _candidates(self, needs: list[tuple[Key, Pattern]], start: int, window: int) -> np.ndarray:
        """Return for each of `window` starts from `start` on whether all needs are free, streams apart."""
        free = np.ones(window, np.bool_)
        for number, (key, cycles) in enumerate(needs):
            taken = self._table.taken(key, cycles, start, window)
            if taken is None:
                continue
            free &= ~taken
            if not free.any():
                # What is in the way now is likely to be so in the next window.
                needs.insert(0, needs.pop(number))
                break
        return free

    def _take(self, macro: Macro, needs: list[tuple[Key, Pattern]], start: int) -> bool | None:
        """Take what a macro-operation needs at a start where all but streams is free of others.

        Returns
        -------
        bool or None
            None when streams are missing. False when it is in its own way, whatever the start.
        """
        mark = self._table.mark()
        for key, cycles in needs:
            if not self._table.claim(key, cycles.shifted(start)):
                self._table.rollback(mark)
                return False
        streams: dict[int, int] = {}
        # Wide ones come first: an aligned group that is free is hard to find.
        for flow in macro.flows:
            stream = self._pick(flow, start)
            if stream is None:
                self._table.rollback(mark)
                return None
            streams[id(flow)] = stream
        for flow in macro.flows:
            self._preferred[flow.key] = streams[id(flow)]
        self._pending.append(_Placed(macro, start, streams))
        for action in macro.actions:
            self._note_text(action, 1)
            retire = self._timing.retire(action.mnemonic, action.fields)
            self.retired = max(self.retired, start + action.work.last + retire)
            self._issued = max(self._issued, start + action.cycle + action.every * (action.issues - 1) + 1)
        return True

    def _pick(self, flow: Flow, start: int) -> int | None:
        """Return the first of an aligned group of streams that are free for the flow, having taken them."""
        for stream in self._groups(flow):
            mark = self._table.mark()
            if self._table.claim_flow(flow, stream, start):
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
