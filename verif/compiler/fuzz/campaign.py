"""Many graphs: each judged, on the golden machine and some on RTL, and what became of them counted."""

import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from types import FrameType

from verif.compiler.fuzz.generate import generate
from verif.compiler.fuzz.graph import Graph
from verif.compiler.fuzz.judge import Outcome, Verdict, judge, judge_on_rtl, reason_of

__all__ = ["Campaign", "Job", "Summary"]

BATCH = 16
"""Graphs of one simulation."""


@dataclass(frozen=True)
class Campaign:
    """What the graphs of some seeds are drawn for.

    Attributes
    ----------
    machine, settings, operations, largest
        As of `generate`.
    limit : float
        CPU seconds after which a graph is given up as `Outcome.REFUSED`; 0 for no limit.
    complete : bool
        As of `generate`.
    """

    machine: str
    settings: tuple[str, ...] = ()
    operations: tuple[int, int] = (2, 40)
    largest: int = 70
    limit: float = 0.0
    complete: bool = True

    def graph(self, seed: int) -> Graph:
        """Return the graph of a seed."""
        return generate(seed, self.machine, self.settings, self.operations, self.largest, complete=self.complete)

    def run(self, seeds: Iterable[int], jobs: int = 1) -> Iterator["Job"]:
        """Judge the graphs of seeds, in their order, with some processes."""
        if jobs == 1:
            yield from map(partial(_one, self), seeds)
            return
        with ProcessPoolExecutor(jobs) as pool:
            yield from pool.map(partial(_one, self), seeds)


@dataclass(frozen=True)
class Job:
    """A seed, its graph and what became of it."""

    seed: int
    graph: Graph
    verdict: Verdict


class _OutOfTime(BaseException):
    """No Exception: nothing on the way takes it for one of its own."""


def _one(campaign: Campaign, seed: int) -> Job:
    graph = campaign.graph(seed)
    try:
        with _limited(campaign.limit):
            return Job(seed, graph, judge(graph))
    except _OutOfTime:
        return Job(seed, graph, Verdict(Outcome.REFUSED, "given up: out of time", campaign.limit))


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise _OutOfTime in this process after some seconds of CPU."""

    def give_up(number: int, frame: FrameType | None) -> None:
        raise _OutOfTime

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@dataclass
class Summary:
    """What became of graphs so far.

    Attributes
    ----------
    outcomes, refusals : Counter
        By outcome; of those that were refused, by reason.
    slowest : list of (float, int)
        CPU seconds of compiling, and seed.
    failures : list of Job
        Wrong or crashed.
    on_rtl : int
        Graphs that ran on RTL too.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    examples: dict[str, int] = field(default_factory=dict)
    slowest: list[tuple[float, int]] = field(default_factory=list)
    failures: list[Job] = field(default_factory=list)
    on_rtl: int = 0
    _waiting: list[Job] = field(default_factory=list)

    def add(self, job: Job) -> None:
        """Count a graph."""
        verdict = job.verdict
        self.outcomes[verdict.outcome] += 1
        self.slowest = sorted([*self.slowest, (verdict.seconds, job.seed)], reverse=True)[:5]
        if verdict.outcome is Outcome.REFUSED:
            reason = reason_of(verdict.message)
            self.refusals[reason] += 1
            self.examples.setdefault(reason, job.seed)
        elif verdict.outcome is not Outcome.RIGHT:
            self.failures.append(job)

    def wait(self, job: Job, simulator: str) -> None:
        """Let a graph that is right run on RTL, together with others."""
        self._waiting.append(job)
        if len(self._waiting) == BATCH:
            self.run_waiting(simulator)

    def run_waiting(self, simulator: str) -> None:
        """Run what waits for RTL."""
        jobs, self._waiting = self._waiting, []
        compiled = [(job.graph, job.verdict.image) for job in jobs if job.verdict.image is not None]
        if not compiled:
            return
        for job, verdict in zip(jobs, judge_on_rtl(compiled, simulator), strict=True):
            self.on_rtl += 1
            if verdict.outcome is not Outcome.RIGHT:
                self.outcomes[Outcome.RIGHT] -= 1
                self.outcomes[verdict.outcome] += 1
                self.failures.append(replace(job, verdict=replace(verdict, message=f"on RTL: {verdict.message}")))

    def lines(self) -> Sequence[str]:
        """Return the report."""
        count = self.outcomes.total()
        found = [f"{count} graphs: " + ", ".join(f"{self.outcomes[outcome]} {outcome}" for outcome in Outcome)]
        if self.on_rtl:
            found.append(f"{self.on_rtl} of them on RTL too")
        for reason, times in self.refusals.most_common():
            found.append(f"  {times} refused, first seed {self.examples[reason]}: {reason}")
        slowest = ", ".join(f"{seconds:.1f} s (seed {seed})" for seconds, seed in self.slowest)
        found.append(f"slowest compilations: {slowest}")
        if self.failures:
            found.append(f"failing seeds: {', '.join(str(job.seed) for job in self.failures)}")
        return found
