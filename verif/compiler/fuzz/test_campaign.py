"""Random programs over the whole interface: right bits and predicted cycles, and of small ones none is refused.

A failure prints the program; ``python -m verif.compiler.fuzz --shrink`` with its machine and seed makes it minimal.
"""

import re

import pytest

from verif.compiler.fuzz.campaign import Campaign, Summary
from verif.compiler.fuzz.judge import Outcome

MACHINES = {
    "nano": Campaign("nano", ("mem_depth=2048",), operations=(2, 4), largest=12),
    "small": Campaign("small", operations=(2, 4), largest=20),
    "base": Campaign("base", operations=(2, 4), largest=48),
}
LONG = {
    "nano": Campaign("nano", ("mem_depth=2048",)),
    "small": Campaign("small"),
    "base": Campaign("base"),
}
RTL = Campaign("nano", operations=(2, 4), largest=16)

PART = 10
"""Graphs of a test."""

QUICK = {"nano": 9, "small": 7, "base": 4}
MANY = {"nano": 180, "small": 180, "base": 140}
"""Tests per machine: 200 graphs, and 5,000."""

ON_RTL, MANY_ON_RTL = 6, 200

ACCEPTED_REFUSAL = r"must fit the MEM of \w+ that is left for it"
"""What the compiler may say of few large graphs, of `make test-long`: more is alive, text included, than MEM holds."""


def check(campaign, first, count, refused=0):
    """Let graphs be right, but for so many for which MEM is too small."""
    for job in campaign.run(range(first, first + count)):
        text = f"seed {job.seed}: {job.verdict.outcome}: {job.verdict.message}\n{job.graph.text()}\n{campaign}"
        if job.verdict.outcome is Outcome.REFUSED and re.search(ACCEPTED_REFUSAL, job.verdict.message):
            refused -= 1
            assert refused >= 0, text
        else:
            assert job.verdict.outcome is Outcome.RIGHT, text


def check_on_rtl(first, count):
    summary = Summary()
    for job in RTL.run(range(first, first + count)):
        if job.verdict.outcome is Outcome.RIGHT:
            summary.wait(job, "icarus")
    summary.run_waiting("icarus")
    assert summary.on_rtl > count / 2, "most graphs are refused"
    assert not summary.failures, [(job.seed, job.verdict.message, job.graph.text()) for job in summary.failures]


@pytest.mark.parametrize("machine,part", [(name, part) for name, parts in QUICK.items() for part in range(parts)])
def test_random_programs(machine, part):
    check(MACHINES[machine], PART * part, PART)


@pytest.mark.long
@pytest.mark.parametrize("machine,part", [(name, part) for name, parts in MANY.items() for part in range(parts)])
def test_many_random_programs(machine, part):
    check(LONG[machine], 100_000 + PART * part, PART, refused=1)


@pytest.mark.parametrize("count", [ON_RTL, pytest.param(MANY_ON_RTL, marks=pytest.mark.long)])
def test_random_programs_on_rtl(count):
    check_on_rtl(200_000, count)
