"""What a graph must give: every step computed in NumPy, in order."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from verif.compiler.fuzz.expressions import FORMATS, Illegal
from verif.compiler.fuzz.graph import Given, Graph, Moment, Step

__all__ = ["Evaluation", "expected"]

Array = npt.NDArray[Any]
Values = dict[int, Array]

REPEATING = ("pad", "windows", "join", "concatenate", "broadcast_to", "take")
"""Views that may have an element twice, or zeros."""

MOST = 1 << 16
"""Elements of a value: more would only make a graph slow."""


class Evaluation:
    """One run of a graph, step by step.

    Parameters
    ----------
    config : Config
    run : int
    states : dict of int to ndarray
        What states hold before it, by number of their step; their first values where it has none.

    Attributes
    ----------
    steps : list of Step
    values : list
        Of each step: an array, a tuple of them, or None.
    """

    def __init__(self, config: Config, run: int = 0, states: Mapping[int, Array] | None = None) -> None:
        self.moment = Moment(config, run)
        self.steps: list[Step] = []
        self.values: list[Any] = []
        self._before = dict(states or {})
        self._roots: list[int] = []
        self._after: Values = {}
        self._changed: dict[int, str] = {}
        self._outputs: dict[str, int] = {}

    def add(self, step: Step) -> int:
        """Compute a step and return its number.

        Raises
        ------
        Illegal
            When the interface does not define it.
        """
        number, effect = len(self.steps), step.operation.effect
        if any(not 0 <= arg < number for _, arg in step.args):
            raise Illegal("operands must come before their step")
        value: Any = None
        try:
            with np.errstate(all="ignore"):
                if effect == "state" and number in self._before:
                    value = self._before[number]
                else:
                    value = step.operation.value(self.moment, step.params, step.given(self.values))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise Illegal(f"{step.kind}: {error}") from error
        if effect in ("update", "scatter"):
            self._change(Given(step.args).one("state"), value, effect)
            value = None
        for array in value if isinstance(value, tuple) else [] if value is None else [value]:
            _check(array, step.kind)
        root = self._root_of(step, number)
        if effect == "barrier" and not any(earlier.is_work for earlier in self.steps):
            raise Illegal("barrier must come after an operation")
        if effect == "output":
            self._outputs[f"v{number}"] = step.args[0][1]
        if effect == "state":
            self._after[number] = value
        self.steps.append(step)
        self.values.append(value)
        self._roots.append(root)
        return number

    def _root_of(self, step: Step, number: int) -> int:
        """Return the step that made the tensor behind a step's value: itself, but for views."""
        effect = step.operation.effect
        if effect == "item" and self.steps[step.args[0][1]].operation.effect == "view":
            return self._roots[step.args[0][1]]
        if effect != "view":
            return number
        roots = {self._roots[arg] for _, arg in step.args}
        if len(roots) > 1 and not step.operation.complete:
            raise Illegal("parts must belong to one tensor")
        return roots.pop() if len(roots) == 1 else number

    def root(self, number: int) -> int:
        """Return the step that made the tensor of which a step's value is a view."""
        return self._roots[number]

    def changed(self, state: int) -> str | None:
        """Return how a state has been changed so far."""
        return self._changed.get(state)

    def snapshot(self) -> "Evaluation":
        """Return a copy that further steps leave as it is."""
        found = Evaluation(self.moment.config, self.moment.run, self._before)
        found.steps, found.values, found._roots = [*self.steps], [*self.values], [*self._roots]
        found._after, found._changed, found._outputs = {**self._after}, {**self._changed}, {**self._outputs}
        return found

    def finish(self) -> tuple[dict[str, Array], Values]:
        """Return the outputs, and what states hold after the run."""
        if self._after.keys() != self._changed.keys():
            raise Illegal("every state must be updated")
        for number in self._outputs.values():
            self.check_output(number)
        # The host reads states when the run is over.
        for number, value in self._after.items():
            self._replace(number, value)
        return {name: np.ascontiguousarray(self.values[number]) for name, number in self._outputs.items()}, self._after

    def check_output(self, number: int) -> None:
        """Refuse an output with elements of a state twice, or zeros: it is open when a copy would be made."""
        root, seen = self._roots[number], [number]
        while seen and self.steps[root].operation.effect == "state":
            step = self.steps[seen.pop()]
            if step.kind in REPEATING:
                raise Illegal("output of a state must have each element once")
            seen += [arg for _, arg in step.args]

    def _change(self, state: int, value: Array, effect: str) -> None:
        """Note a state's new value; those that read it after a SCATTER see it at once."""
        if self.steps[state].operation.effect != "state":
            raise Illegal(f"{effect} must be of a state")
        held = self._after[state]
        if value.shape != held.shape or value.dtype != held.dtype:
            raise Illegal(f"{effect} must keep shape and format of its state")
        if state in self._changed and "update" in (effect, self._changed[state]):
            raise Illegal("state must be updated once")
        self._after[state] = value
        self._changed[state] = effect
        if effect == "scatter":
            self._replace(state, value)

    def _replace(self, root: int, value: Array) -> None:
        """Give a step another value, and all views of it."""
        self.values[root] = value
        for number in range(root + 1, len(self.steps)):
            if self._roots[number] == root:
                step = self.steps[number]
                self.values[number] = step.operation.value(self.moment, step.params, step.given(self.values))


def _check(array: Any, kind: str) -> None:
    if (
        not isinstance(array, np.ndarray)
        or array.dtype.name not in FORMATS
        or not 0 < array.size <= MOST
        or not array.ndim
    ):
        raise Illegal(f"{kind} must give a tensor of the machine")


def expected(graph: Graph) -> list[dict[str, Array]]:
    """Return the outputs of every run.

    Raises
    ------
    Illegal
        When the interface does not define one of the steps, or the program as a whole.
    """
    found, states = [], None
    for run in range(graph.runs):
        evaluation = Evaluation(graph.config, run, states)
        for step in graph.steps:
            evaluation.add(step)
        outputs, states = evaluation.finish()
        if not outputs:
            raise Illegal("program must have an output")
        found.append(outputs)
    return found
