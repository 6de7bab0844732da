"""Planted faults are found, and shrunk to the operation that has them."""

from typing import Any

import numpy as np
import pytest

from compiler.expression import functions
from compiler.ir.tensor import View
from verif.compiler.fuzz import judge as judging
from verif.compiler.fuzz.campaign import Campaign, Summary
from verif.compiler.fuzz.generate import generate
from verif.compiler.fuzz.judge import Outcome, judge, reason_of
from verif.compiler.fuzz.shrink import shrink, shrink_verdict

NANO = Campaign("nano", ("mem_depth=2048",), operations=(2, 3), largest=9)


def first_failure(word, outcome):
    """Return the first graph with a word in its data that fails."""
    for seed in range(400):
        graph = NANO.graph(seed)
        if word in graph.to_json() and judge(graph).outcome is outcome:
            return graph
    raise AssertionError(f"no graph with {word} is {outcome}")


def test_an_expression_that_is_evaluated_differently(monkeypatch):
    monkeypatch.setattr(functions, "maximum", functions.minimum)
    small = shrink_verdict(first_failure('"maximum"', Outcome.WRONG), 120)
    assert judge(small).outcome is Outcome.WRONG
    assert small.operations() == 1 and len(small.steps) <= 4
    assert "maximum" in small.text() and len(small.steps[-1].args) == 1
    assert max(max(step.params["shape"]) for step in small.steps if step.kind == "input") <= 2


def test_a_wrong_view(monkeypatch):
    """Zeros of a view that are the nearest elements instead."""

    def padded(view: View, widths: Any) -> View:
        return View(view.tensor, np.pad(view.elements, widths, mode="edge"))

    monkeypatch.setattr(View, "pad", padded)
    small = shrink_verdict(first_failure('"pad"', Outcome.WRONG), 120)
    assert judge(small).outcome is Outcome.WRONG
    assert small.operations() <= 2 and any(step.kind == "pad" for step in small.steps)


def test_a_crash(monkeypatch):
    """An exception that is no refusal, in one operation out of several; its kind stays what it is."""

    def reshaped(view: View, *shape: int) -> View:
        raise KeyError(f"no {shape}")

    monkeypatch.setattr(View, "reshape", reshaped)
    graph = first_failure('"reshape"', Outcome.CRASHED)
    small = shrink_verdict(graph, 60)
    assert judge(small).kind == judge(graph).kind and "KeyError in verif/" in judge(small).message
    assert small.operations() <= 1


def test_wrong_cycles(monkeypatch):
    class Late:
        def run(self, image, inputs):
            from dataclasses import replace

            from runtime.backend import GoldenBackend

            return [replace(result, cycles=result.cycles + 1) for result in GoldenBackend().run(image, inputs)]

    monkeypatch.setattr(judging, "make_backend", lambda name: Late())
    verdict = judge(NANO.graph(1))
    assert verdict.outcome is Outcome.WRONG and "cycles must be the" in verdict.message


def test_shrinking_depends_on_nothing_but_the_graph():
    """By a judge that compiles nothing: a graph fails while it multiplies matrices."""

    def fails(graph):
        return any(step.kind == "matmul" for step in graph.steps)

    found = []
    graphs = [generate(seed, "small", operations=(10, 20), largest=30) for seed in range(6)]
    for graph in filter(fails, graphs):
        small = shrink(graph, fails)
        assert small.to_json() == shrink(graph, fails).to_json()
        found.append(small)
    assert found
    for small in found:
        assert small.operations() == 1 and len(small.steps) <= 4
        assert all(size == 1 for step in small.steps for size in step.params.get("shape", ()))


@pytest.mark.parametrize("complete", [False, True])
def test_trials_end(complete):
    """Every reduction is a simpler graph, so that shrinking what always fails leaves nearly nothing."""
    graph = generate(11, "nano", ["mem_depth=2048"], (20, 20), 20, complete=complete)
    small = shrink(graph, lambda candidate: True, 5000)
    assert small.operations() == 0 or len(small.steps) <= 3
    assert shrink(graph, lambda candidate: True, 0).to_json() == graph.to_json()


def test_summaries_count():
    summary = Summary()
    for job in NANO.run(range(3)):
        summary.add(job)
    assert summary.lines()[0].startswith("3 graphs: ") and not summary.failures
    assert summary.slowest[0][0] >= summary.slowest[-1][0] >= 0


def test_reasons_have_no_numbers():
    first = "v3 must fit the MEM of nano that is left for it, not exceed it by 32 bytes"
    second = "reduce12.parts must fit the MEM of nano that is left for it, not exceed it by 1,024 bytes"
    assert reason_of(first) == reason_of(second)
    assert reason_of("x must be int8 of shape (3, 4), not 'a'") == reason_of("x must be int8 of shape (5,), not 'b'")
