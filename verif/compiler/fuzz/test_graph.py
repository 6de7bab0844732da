"""Graphs are data: every operation is drawn, and their lines and texts are the programs that ran."""

import contextlib
import io
from collections import Counter

import numpy as np
import pytest

from compiler.expression import functions
from compiler.program import Program
from verif.bits import same_bits
from verif.compiler.expressions import apply
from verif.compiler.fuzz.evaluate import expected
from verif.compiler.fuzz.expressions import NAMES, Illegal, meaning, random_expression
from verif.compiler.fuzz.generate import generate
from verif.compiler.fuzz.graph import Graph, Step
from verif.compiler.fuzz.judge import judge
from verif.compiler.fuzz.table import OPERATIONS
from verif.compiler.fuzz.values import numbers
from verif.compiler.fuzz.vector import function_text


@pytest.mark.parametrize("complete", [False, True], ids=["whole vectors", "complete"])
def test_every_operation_is_drawn(complete):
    """Often enough that a hundred graphs have each several times."""
    found: Counter[str] = Counter()
    for seed in range(100):
        graph = generate(seed, "small", operations=(2, 20), largest=20, complete=complete)
        found.update(step.kind for step in graph.steps)
    wanted = {name for name, operation in OPERATIONS.items() if complete or not operation.complete}
    assert found.keys() == wanted
    assert min(found.values()) >= 3, found


def test_a_seed_is_a_graph_and_a_line_too():
    for seed in range(20):
        graph = generate(seed, "nano", ["mem_depth=2048"], (2, 10), 20)
        again = generate(seed, "nano", ["mem_depth=2048"], (2, 10), 20)
        assert graph.to_json() == again.to_json() == Graph.from_json(graph.to_json()).to_json()
        for run, other in zip(expected(graph), expected(Graph.from_json(graph.to_json())), strict=True):
            for name, values in run.items():
                same_bits(other[name], values, name)


def test_the_text_runs():
    graph = generate(5, "nano", ["mem_depth=2048"], (3, 3), 9)
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        exec(graph.text(), {})
    assert shown.getvalue().count("None {") == graph.runs
    assert str(judge(graph).cycles) in shown.getvalue()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_expressions_mean_what_the_compiler_traces(count, rng):
    """Both evaluations are of the same text: formats of results, and every bit, edges of all formats included."""
    for number in range(60):
        dtypes = [str(rng.choice(["int8", "int16", "int32", "float16", "float32"])) for _ in range(count)]
        expression, dtype = random_expression(rng, dtypes, 6)
        operands = [numbers(number, (50,), name, edges=True, run=place) for place, name in enumerate(dtypes)]
        function = eval(
            function_text([expression], count), {name: getattr(functions, name) for name in functions.__all__}
        )
        with np.errstate(all="ignore"):
            value = meaning(expression, dict(zip(NAMES, operands, strict=False)))
        assert value.dtype == dtype
        if isinstance(expression, list):
            same_bits(apply(function, *operands), value, f"{expression} of {dtypes}")


def test_states_and_views_of_them():
    """Rows that SCATTER writes show at once in views, what an update brings in the next run, outputs after the run."""
    state = Step("state", (), {"shape": [3, 2], "dtype": "int32"})
    steps = [
        state,
        Step("slice", (("x", 0),), {"index": [[1, None, None], [None, None, None]]}),
        Step("map", (("x", 1),), {"function": [["plus", "a", 1]]}),
        Step("constant", (), {"seed": 0, "shape": [1], "dtype": "int32", "low": 2, "high": 3}),
        Step("constant", (), {"seed": 0, "shape": [1, 2], "dtype": "int32", "low": 7, "high": 8}),
        Step("scatter", (("state", 0), ("indices", 3), ("values", 4))),
        Step("map", (("x", 1),), {"function": ["a"]}),
        state,
        Step("map", (("x", 7),), {"function": [["plus", "a", 1]]}),
        Step("update", (("state", 7), ("value", 8))),
        *(Step("output", (("x", number),)) for number in (2, 6, 7)),
    ]
    graph = Graph("nano", ("mem_depth=2048",), tuple(steps))
    runs = expected(graph)
    same_bits(runs[0]["v10"], np.ones((2, 2), np.int32))
    same_bits(runs[1]["v10"], np.array([[1, 1], [8, 8]], np.int32))
    same_bits(runs[0]["v11"], np.array([[0, 0], [7, 7]], np.int32))
    same_bits(runs[0]["v12"], np.ones((3, 2), np.int32))
    same_bits(runs[1]["v12"], np.full((3, 2), 2, np.int32))
    verdict = judge(graph)
    assert verdict.outcome == "right", verdict.message


def test_what_is_not_defined_is_refused():
    x = Step("input", (), {"seed": 0, "shape": [3, 4], "dtype": "float32"})
    for steps, reason in (
        ([x, Step("output", (("x", 1),))], "operands must come before"),
        ([x, Step("matmul", (("x", 0), ("w", 0)))], "int8 or float16 matrices"),
        ([x, Step("map", (("x", 0),), {"function": [["plus", "a"]]})], "plus must have 2 operands"),
        ([x, Step("update", (("state", 0), ("value", 0)))], "update must be of a state"),
        ([x, Step("barrier")], "barrier must come after an operation"),
        ([x, x, Step("join", (("x", 0), ("x", 1)))], "parts must belong to one tensor"),
        ([Step("state", (), {"shape": [2], "dtype": "int8"})], "every state must be updated"),
        ([x], "program must have an output"),
    ):
        with pytest.raises(Illegal, match=reason):
            expected(Graph("nano", (), tuple(steps)))


def test_the_program_is_built_line_by_line():
    graph = generate(3, "small", operations=(4, 4), largest=9)
    assert isinstance(graph.build(), Program)
    assert len([*graph.lines()]) == len(graph.steps)
