"""First-fit placement of macro-operations in time."""

from bisect import bisect_left
from collections.abc import Collection, Hashable, Sequence

from arch.config import Config
from arch.geometry import units
from arch.isa.table import BY_MNEMONIC
from arch.timing import timing
from compiler.schedule.flow import Flow
from compiler.schedule.issue import Issue
from compiler.schedule.macro import Action, Key, Macro
from compiler.schedule.pattern import Pattern
from compiler.schedule.reservations import Reservations


class Unschedulable(Exception):
    """A macro-operation is in its own way: no start cycle can help."""


class Scheduler:
    """Finds a start cycle and streams for one macro-operation after another; what is placed stays placed."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._timing = timing(config)
        self._table = Reservations(config)
        self._preferred: dict[Hashable, int] = {}
        self.issues: list[Issue] = []
        self.retired = 0
        """First cycle in which nothing placed so far is under way."""
        self._barriers: list[int] = []
        self._floor = 0
        self._fences: list[tuple[int, int]] = []

    def configure(self, superlanes: int) -> None:
        """Let what is placed from now on issue after everything so far, and use so many superlanes."""
        if superlanes == (self._fences[-1][1] if self._fences else self._config.superlanes):
            return
        start = max([self._floor, *(int(issue.cycles[-1]) + 1 for issue in self.issues)])
        for unit in units(self._config):
            taken = self._table.claim(("issue", unit.id), Pattern(start))
            assert not taken
        self._table.commit()
        self._fences.append((start, superlanes))
        self._floor = start + 1
        self.retired = max(self.retired, self._floor)

    def barrier(self) -> None:
        """Let every queue park after all that is placed; what is placed from now on starts at the release."""
        start = self.retired
        for unit in units(self._config):
            taken = self._table.claim(("issue", unit.id), Pattern(start, length=self._timing.barrier))
            assert not taken
        self._table.commit()
        self._barriers.append(start)
        self._floor = self.retired = start + self._timing.barrier

    def synchronise(self) -> None:
        """Add CONFIGs, the SYNCs of all queues that are used, and the NOTIFY of one.

        To be called once everything but text is placed.
        """
        self._floor = 0
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
        self._table.commit()

    def place(self, macro: Macro, earliest: int, latest: int | None = None) -> int:
        """Place a macro-operation at the first cycle that suits, not before `earliest`.

        Parameters
        ----------
        macro : Macro
        earliest : int
        latest : int, optional
            Last cycle that will do.

        Returns
        -------
        int
            Cycle that the macro-operation's relative cycle 0 became.

        Raises
        ------
        Unschedulable
            When it does not fit even where nothing else is, or not by `latest`.
        """
        return self.place_first([(macro, earliest)], latest)[1]

    def place_first(
        self, choices: Sequence[tuple[Macro, int]], latest: int | None = None, handicaps: Sequence[int] = ()
    ) -> tuple[int, int]:
        """Place one of several macro-operations: the one that can start first.

        Parameters
        ----------
        choices : sequence of (Macro, int)
            Macro-operation and its earliest cycle, each.
        latest : int, optional
            Last cycle that will do.
        handicaps : sequence of int, optional
            Cycles by which each has to start before others to be better.

        Returns
        -------
        int
            Which one.
        int
            Cycle that its relative cycle 0 became.

        Raises
        ------
        Unschedulable
            When none fits even where nothing else is, or not by `latest`.
        """
        best: tuple[int, int] | None = None
        after = None if latest is None else latest + 1
        limit: int | None = None
        for number, (macro, earliest) in enumerate(choices):
            handicap = handicaps[number] if handicaps else 0
            bounds = [bound for bound in (after, None if limit is None else limit - handicap) if bound is not None]
            start = self._find(macro, max(earliest, self._floor - macro.first), min(bounds, default=None))
            self._table.rollback(0)
            if start is not None:  # and so below the limit
                best, limit = (number, start), start + handicap
        if best is None:
            raise Unschedulable(choices[0][0].name)
        self._commit(choices[best[0]][0], best[1])
        return best

    def last_read(self, slices: Collection[int]) -> int:
        """Return the last cycle in which anything placed so far reads one of some MEM slices; -1 if nothing does."""
        last = -1
        for issue in self.issues:
            if issue.queue in slices and issue.mnemonic in ("READ", "GATHER"):
                count, interval = issue.fields["count"], issue.fields["interval"]
                last = max(last, int(issue.cycles[-1]) + (count - 1) * interval + self._timing[issue.mnemonic].retire)
        return last

    def _find(self, macro: Macro, start: int, limit: int | None) -> int | None:
        """Return the first cycle below `limit` that suits, what it needs being taken but not committed."""
        tried = False
        needs = self._needs(macro)
        while limit is None or start < limit:
            shift = self._claim(macro, needs, start, {})
            if not shift:
                return start
            self._table.rollback(0)
            if start + macro.first > self._table.last:
                return None
            if not tried:
                # What stands in its own way fits nowhere.
                tried = True
                alone = not self._claim(macro, needs, self._table.last + 1 - macro.first, {})
                self._table.rollback(0)
                if not alone:
                    return None
            start += shift
        return None

    def _commit(self, macro: Macro, start: int) -> None:
        streams: dict[int, int] = {}
        taken = self._claim(macro, self._needs(macro), start, streams)
        assert not taken
        self._table.commit()
        for flow in macro.flows:
            self._preferred[flow.key] = streams[id(flow)]
        for action in macro.actions:
            self._issue(action, start, streams)

    def _needs(self, macro: Macro) -> list[tuple[Key, Pattern]]:
        """Return what a macro-operation occupies, streams apart."""
        return [*macro.holds, *(need for action in macro.actions for need in action.claims(self._config))]

    def _claim(self, macro: Macro, needs: Sequence[tuple[Key, Pattern]], start: int, streams: dict[int, int]) -> int:
        for key, cycles in needs:
            if shift := self._table.claim(key, cycles.shifted(start)):
                return shift
        for flow in macro.flows:
            stream = self._pick(flow, start)
            if stream is None:
                return 1
            streams[id(flow)] = stream
        return 0

    def _pick(self, flow: Flow, start: int) -> int | None:
        """Return the first of an aligned group of streams that are free for the flow, having taken them."""
        for stream in self._candidates(flow):
            mark = self._table.mark()
            if self._table.claim_flow(flow, stream, start) == 0:
                return stream
            self._table.rollback(mark)
        return None

    def _candidates(self, flow: Flow) -> list[int]:
        """Wide groups from stream 0 up, narrow ones from the top down, so that they leave each other room."""
        groups = list(range(0, self._config.streams, flow.width))
        if flow.width < self._config.lanes:
            groups.reverse()
        preferred = self._preferred.get(flow.key)
        if preferred not in groups:  # none yet, or that of a narrower flow
            return groups
        return [preferred, *(group for group in groups if group != preferred)]

    def _issue(self, action: Action, start: int, streams: dict[int, int]) -> None:
        fields = dict(action.fields)
        if "interval" in BY_MNEMONIC[action.mnemonic].offsets:
            fields["interval"] = action.interval
        for name, (flow, member) in action.streams.items():
            fields[name] = streams[id(flow)] + member
        retire = self._timing.retire(action.mnemonic, fields)
        self.retired = max(self.retired, start + action.work.last + retire)
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
