"""A failing graph made minimal.

Delta debugging of the data itself: every reduction changes some steps, `expected` says whether the interface still
defines what comes out, and the judge whether it still fails in the same way. `hypothesis` is not used for it: it would
shrink the random choices that `generate` makes, where taking an operation away changes all that follows, and each trial
costs a compilation; here an operation becomes an input of the values' shape, and what follows stays.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from verif.compiler.fuzz.evaluate import Evaluation, expected
from verif.compiler.fuzz.expressions import FORMATS, Illegal
from verif.compiler.fuzz.generate import collected
from verif.compiler.fuzz.graph import Graph, Step
from verif.compiler.fuzz.judge import judge

__all__ = ["shrink", "shrink_verdict"]

TRIALS = 400
"""Most graphs that are judged on the way."""

Reduction = Callable[[Graph], Iterator[Graph]]


def shrink_verdict(graph: Graph, trials: int = TRIALS) -> Graph:
    """Return a minimal graph of which the same kind of thing becomes as of this one."""
    kind = judge(graph).kind
    return shrink(graph, lambda candidate: judge(candidate).kind == kind, trials)


def shrink(graph: Graph, fails: Callable[[Graph], bool], trials: int = TRIALS) -> Graph:
    """Return a graph that still fails, and of which no simpler one that is tried does.

    Parameters
    ----------
    graph : Graph
    fails : callable
        Whether a graph, which the interface defines, still fails in the same way.
    trials : int
        Most calls of it. What comes out depends on nothing else: the same graph gives the same one.
    """
    seen = {graph.to_json()}
    left, changed = trials, True
    while changed and left:
        changed = False
        for reduction in REDUCTIONS:
            while left:
                smaller, left = _first(graph, reduction, fails, seen, left)
                if smaller is None:
                    break
                graph, changed = smaller, True
    return graph


def _first(
    graph: Graph, reduction: Reduction, fails: Callable[[Graph], bool], seen: set[str], left: int
) -> tuple[Graph | None, int]:
    """Return the first smaller graph that fails, and the trials that are left."""
    for candidate in reduction(graph):
        text = candidate.to_json()
        if text in seen or _measure(candidate) >= _measure(graph):
            continue
        seen.add(text)
        try:
            expected(candidate)
        except Illegal:
            continue
        if not left:
            break
        left -= 1
        if fails(candidate):
            return candidate, left
    return None, left


def _measure(graph: Graph) -> tuple[Any, ...]:
    """Return how complicated a graph is: it falls with every reduction, so that they end."""
    text = graph.to_json()
    sizes = [int(np.prod(step.params["shape"])) for step in graph.steps if not step.args and "shape" in step.params]
    return graph.operations(), len(graph.steps), graph.runs, sum(sizes), len(text), text


def _changed(graph: Graph, steps: Sequence[Step]) -> Iterator[Graph]:
    """Yield the graph of some steps, if their operands are there."""
    try:
        yield graph.with_steps(collected(steps))
    except Illegal:
        return


def _fewer_outputs(graph: Graph) -> Iterator[Graph]:
    """One output alone; then all but one; then without a barrier."""
    outputs = [number for number, step in enumerate(graph.steps) if step.kind == "output"]
    for kept in outputs:
        yield from _changed(graph, _without(graph.steps, {number for number in outputs if number != kept}))
    for number, step in enumerate(graph.steps):
        if step.is_statement:
            yield from _changed(graph, _without(graph.steps, {number}))
    for runs in range(1, graph.runs):
        yield replace(graph, runs=runs)


def _without(steps: Sequence[Step], gone: set[int]) -> list[Step]:
    """Return steps without some of them that no other reads."""
    places = {number: place for place, number in enumerate(n for n in range(len(steps)) if n not in gone)}
    kept = (step for number, step in enumerate(steps) if number not in gone)
    return [replace(step, args=tuple((role, places.get(arg, -1)) for role, arg in step.args)) for step in kept]


def _inputs_instead(graph: Graph) -> Iterator[Graph]:
    """An input in place of a result, the last ones first: all that only it needs goes too."""
    evaluation = Evaluation(graph.config)
    for step in graph.steps:
        evaluation.add(step)
    for number in reversed(range(len(graph.steps))):
        step, value = graph.steps[number], evaluation.values[number]
        if step.is_statement or not isinstance(value, np.ndarray) or step.kind in ("input", "constant"):
            continue
        shape, steps = list(value.shape), [*graph.steps]
        steps[number] = Step("input", (), {"seed": 0, "shape": shape, "dtype": value.dtype.name})
        changes = {
            n for n, step in enumerate(steps) if step.kind in ("update", "scatter") and ("state", number) in step.args
        }
        yield from _changed(graph, _without(steps, changes))


def _passed_by(graph: Graph) -> Iterator[Graph]:
    """One of its operands in place of a result, the last first."""
    for number in reversed(range(len(graph.steps))):
        for _, arg in graph.steps[number].args:
            if not graph.steps[number].is_statement:
                swapped = [
                    replace(step, args=tuple((role, arg if n == number else n) for role, n in step.args))
                    for step in graph.steps
                ]
                yield from _changed(graph, swapped)


def _fewer_operands(graph: Graph) -> Iterator[Graph]:
    """Without an operand, or with an earlier one in its place."""
    for number, step in enumerate(graph.steps):
        for place in range(len(step.args)):
            fewer = replace(step, args=step.args[:place] + step.args[place + 1 :])
            yield from _changed(graph, [*graph.steps[:number], fewer, *graph.steps[number + 1 :]])
            role, arg = step.args[place]
            for other in sorted({n for _, n in step.args if n < arg}):
                args = (*step.args[:place], (role, other), *step.args[place + 1 :])
                yield from _changed(
                    graph, [*graph.steps[:number], replace(step, args=args), *graph.steps[number + 1 :]]
                )


def _smaller_sizes(graph: Graph) -> Iterator[Graph]:
    """Each size that occurs made smaller wherever it occurs, since equal ones belong together; then one at a time."""
    sizes = {size for step in graph.steps for size in step.params.get("shape", ())}
    for size in sorted(sizes, reverse=True):
        for smaller in dict.fromkeys((1, 2, size // 4, size // 2, size - 1)):
            if 0 < smaller < size:
                steps = [replace(step, params=_with_size(step.params, size, smaller)) for step in graph.steps]
                yield graph.with_steps(steps)
    for number, step in enumerate(graph.steps):
        shape = step.params.get("shape", [])
        shapes = [[*shape[:axis], *shape[axis + 1 :]] for axis in range(len(shape)) if len(shape) > 1]
        shapes += [
            [*shape[:axis], smaller, *shape[axis + 1 :]]
            for axis in range(len(shape))
            for smaller in dict.fromkeys((1, shape[axis] // 2, shape[axis] - 1))
            if 0 < smaller < shape[axis]
        ]
        for other in shapes:
            changed = replace(step, params={**step.params, "shape": other})
            yield graph.with_steps([*graph.steps[:number], changed, *graph.steps[number + 1 :]])


_SIZED = ("shape", "index", "high", "size")
"""Parameters that hold sizes of tensors."""


def _with_size(params: dict[str, Any], size: int, smaller: int) -> dict[str, Any]:
    def swapped(value: Any) -> Any:
        if isinstance(value, list):
            return [swapped(item) for item in value]
        return smaller if value == size and not isinstance(value, bool) else value

    return {key: swapped(value) if key in _SIZED else value for key, value in params.items()}


def _simpler_formats(graph: Graph) -> Iterator[Graph]:
    """A format in place of another one, wherever that occurs."""
    text = json.dumps([step.params for step in graph.steps])
    for dtype in FORMATS:
        for simpler in ("int8", "int32", "float16", "float32"):
            if f'"{dtype}"' in text and simpler != dtype:
                changed = json.loads(text.replace(f'"{dtype}"', f'"{simpler}"'))
                steps = [replace(step, params=params) for step, params in zip(graph.steps, changed, strict=True)]
                yield graph.with_steps(steps)


def _simpler_parameters(graph: Graph) -> Iterator[Graph]:
    """Options left out, expressions replaced by parts of themselves, numbers nearer to 0."""
    for number, step in enumerate(graph.steps):
        for key, value in step.params.items():
            others = {other: held for other, held in step.params.items() if other != key}
            for params in (others, *({**step.params, key: simpler} for simpler in _simpler(value))):
                yield graph.with_steps(
                    [*graph.steps[:number], replace(step, params=params), *graph.steps[number + 1 :]]
                )


def _simpler(value: Any) -> Iterator[Any]:
    """Yield what may stand in place of a JSON value: parts of a list, a list without one of them, a smaller number."""
    if isinstance(value, dict):
        for key, held in value.items():
            yield {other: kept for other, kept in value.items() if other != key}
            yield from ({**value, key: simpler} for simpler in _simpler(held))
    elif isinstance(value, list):
        is_expression = bool(value) and isinstance(value[0], str)
        yield from value[1:] if is_expression else ()
        for place, item in enumerate(value):
            yield [*value[:place], *value[place + 1 :]]
            yield from ([*value[:place], simpler, *value[place + 1 :]] for simpler in _simpler(item))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from (simpler for simpler in (0, 1, int(value / 2)) if abs(simpler) < abs(value))


REDUCTIONS: tuple[Reduction, ...] = (
    _fewer_outputs,
    _inputs_instead,
    _passed_by,
    _fewer_operands,
    _smaller_sizes,
    _simpler_parameters,
    _simpler_formats,
)
