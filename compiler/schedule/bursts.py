"""Bursts in place of repeated accesses of MEM, which take more words of text."""

from collections.abc import Iterable
from dataclasses import replace

from compiler.schedule.issue import Issue
from compiler.schedule.pattern import Pattern
from compiler.schedule.reservations import Reservations
from compiler.schedule.sweeps import BURST_LIMIT, INTERVAL_LIMIT, STRIDE_LIMIT


def shortened(issues: Iterable[Issue], table: Reservations) -> list[Issue]:
    """Return issues that take fewer words of text, all accesses in the same cycles.

    A READ of one word that issues at equal distances is a READ that sets the address, one that continues, and a REPEAT
    of that; where something else of its queue comes in between, each part takes three words. A burst with pauses is one
    word in any case, and can be repeated as a whole. It holds its engine in the pauses: only where nothing else needs
    that, which is known when everything is placed::

        one by one      R  N  W  N  R  N  W  N  R       R: READ, W: WRITE, N: NOP
        as a burst      R  N  W  N  .     W             (the engine counts the pauses by itself)

    Parameters
    ----------
    issues : iterable of Issue
    table : Reservations
        Of all of them; gets the pauses.
    """
    return [_burst(issue, table) for issue in issues]


def _burst(issue: Issue, table: Reservations) -> Issue:
    """Return an issue as one burst if it can be one, and its engine is free in the pauses."""
    if issue.mnemonic not in ("READ", "WRITE") or issue.issues == 1 or issue.fields["count"] != 1:
        return issue
    is_regular = issue.every <= INTERVAL_LIMIT and abs(issue.advance) <= STRIDE_LIMIT and issue.issues <= BURST_LIMIT
    pauses = Pattern(issue.cycle + 1, issue.issues - 1, issue.every, issue.every - 1)
    if not is_regular or (issue.every > 1 and not table.claim(("engine", issue.queue, issue.mnemonic), pauses)):
        return issue
    fields = issue.fields | {"count": issue.issues, "stride": issue.advance, "interval": issue.every}
    return replace(issue, fields=fields, issues=1, every=1, advance=0)
