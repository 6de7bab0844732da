"""Bursts in place of repeated accesses: the same accesses in the same cycles, in fewer words."""

import pytest

from arch.presets import preset
from compiler.emit.assembler import assemble_queues
from compiler.schedule.bursts import shortened
from compiler.schedule.issue import Issue
from compiler.schedule.pattern import Pattern
from compiler.schedule.reservations import Reservations
from compiler.schedule.sweeps import INTERVAL_LIMIT

NANO = preset("nano")
SLICE, LONG = 3, INTERVAL_LIMIT + 1


def access(mnemonic, cycle, addr, issues, every, advance):
    fields = {"dir": 0, "stream": 1, "addr": addr, "stride": advance, "count": 1, "interval": 1}
    return Issue(SLICE, mnemonic, cycle, fields, issues, every, advance)


def reserved(issues):
    table = Reservations(NANO)
    for issue in issues:
        assert table.claim(("engine", SLICE, issue.mnemonic), Pattern(issue.cycle, issue.issues, issue.every))
    return table


def accesses(issues):
    return sorted(
        (
            issue.cycle + step * issue.every + element * issue.fields["interval"],
            issue.mnemonic,
            issue.fields["addr"] + step * issue.advance + element * issue.fields["stride"],
        )
        for issue in issues
        for step in range(issue.issues)
        for element in range(issue.fields["count"])
    )


def text(issues):
    return len(assemble_queues(NANO, issues)[SLICE])


@pytest.mark.parametrize(
    ("issues", "words"),
    [
        # Writes between reads; a REPEAT of reads, without its END, would be taken apart.
        ([access("READ", 4, 10, 9, 4, 1), access("WRITE", 6, 90, 8, 4, 1)], 5),
        # The same reads again and again.
        ([access("READ", 40 * turn, 7, 10, 4, 1) for turn in range(6)], 3),
        ([access("READ", 0, 10, 9, 4, 1)], 2),
        ([access("WRITE", 3, 500, 9, 1, -2)], 3),
        # Reads between reads: each needs the engine in the pauses of the other.
        ([access("READ", 0, 10, 5, 4, 1), access("READ", 1, 50, 5, 4, 1)], None),
        # Longer pauses than a burst has.
        ([access("READ", 0, 10, 9, LONG, 1), access("WRITE", 6, 90, 8, LONG, 1)], None),
    ],
)
def test_accesses_stay_the_same(issues, words):
    found = shortened(issues, reserved(issues))
    assert accesses(found) == accesses(issues)
    if words is None:
        assert found[1:] == issues[1:]
    else:
        assert text(found) == words
        assert text(found) <= text(issues)


def test_pauses_are_taken():
    issues = [access("READ", 4, 10, 9, 4, 1), access("WRITE", 6, 90, 8, 4, 1)]
    table = reserved(issues)
    shortened(issues, table)
    assert not table.claim(("engine", SLICE, "READ"), Pattern(5))
    assert table.claim(("engine", SLICE, "READ"), Pattern(37))
