"""Declarations: inputs, constants and states, what changes states, and outputs."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from verif.compiler.fuzz.expressions import Illegal
from verif.compiler.fuzz.graph import Given, Moment, Operation, Params, numbers_text
from verif.compiler.fuzz.values import numbers

if TYPE_CHECKING:
    from verif.compiler.fuzz.draft import Draft

__all__ = ["SOURCES"]

Array = npt.NDArray[Any]


def _numbers(moment: Moment, params: Params, run: int = 0) -> Array:
    shape, low, high = tuple(params["shape"]), params.get("low"), params.get("high")
    if high is not None and low is None:
        low = 0
    return numbers(params["seed"], shape, params["dtype"], run, low, high, params.get("edges", False))


def _input(moment: Moment, params: Params, given: Given) -> Array:
    return _numbers(moment, params, moment.run)


def _input_call(params: Params, given: Given) -> str:
    return f"program.input({params['name']!r}, {tuple(params['shape'])}, {params['dtype']!r}{_layout(params)})"


def _constant(moment: Moment, params: Params, given: Given) -> Array:
    return _numbers(moment, params)


def _constant_call(params: Params, given: Given) -> str:
    return f"program.constant({params['name']!r}, {numbers_text(params)}{_layout(params)})"


def _state(moment: Moment, params: Params, given: Given) -> Array:
    if not params.get("initial"):
        return np.zeros(tuple(params["shape"]), params["dtype"])
    return _numbers(moment, params)


def _state_call(params: Params, given: Given) -> str:
    initial = f", {numbers_text(params)}" if params.get("initial") else ""
    return f"program.state({params['name']!r}, {tuple(params['shape'])}, {params['dtype']!r}{initial})"


def _layout(params: Params) -> str:
    return f", layout={params['layout']}" if "layout" in params else ""


def _draw_state(draft: "Draft") -> int:
    """A state, of a matrix mostly, so that products, gathers and scatters may use it."""
    params = draft.numbers_of(draft.shape(2 if draft.chance(0.7) else None), draft.dtype())
    return draft.add("state", (), {**params, "initial": draft.chance(0.5)})


def _scatter(moment: Moment, params: Params, given: Given) -> Array:
    """Rows, or elements of columns, in order: of equal indices the last one counts."""
    held, indices, rows = given.one("state"), given.one("indices"), given.one("values")
    if held.ndim != 2 or rows.ndim != 2 or rows.dtype != held.dtype or rows.shape[1] != held.shape[1]:
        raise Illegal("values must be rows of the state")
    whole = indices.dtype == np.int32 and indices.shape == rows.shape[:1]
    if not whole and (indices.dtype not in (np.int16, np.int32) or indices.shape != rows.shape):
        raise Illegal("indices must name rows or elements")
    if held.shape[0] > moment.config.mem_depth or indices.min() < 0 or indices.max() >= len(held):
        raise Illegal("indices must name rows of the state")
    found = held.copy()
    for index, row in zip(indices, rows, strict=True):
        if whole:
            found[index] = row
        else:
            found[index, np.arange(len(row))] = row
    return found


def _draw_scatter(draft: "Draft") -> int:
    """Into a state that is not updated; indices are not results, but for those of elements."""
    states = [
        n for n in draft.states() if draft.shape_of(n)[1:] and len(draft.shape_of(n)) == 2 and draft.may_scatter(n)
    ]
    state = draft.choice(states) if states and draft.chance(0.7) else draft.declare_state(draft.shape(2))
    rows, columns = draft.shape_of(state)
    count = int(draft.rng.integers(1, min(rows, 6) + 1))
    values = draft.operand_like((count, columns), draft.dtype_of(state))
    whole = draft.chance(0.75)
    shape, dtype = ((count,), "int32") if whole else ((count, columns), draft.choice(["int16", "int32"]))
    kind = "input" if draft.chance(0.5) else "constant"
    indices = draft.add(kind, (), {**draft.numbers_of(shape, dtype), "edges": False, "low": 0, "high": rows})
    return draft.add("scatter", [("state", state), ("indices", indices), ("values", values)])


def _scatter_call(params: Params, given: Given) -> str:
    return f"program.scatter({given.one('state')}, {given.one('indices')}, {given.one('values')})"


def _output(moment: Moment, params: Params, given: Given) -> None:
    given.one()


SOURCES: dict[str, Operation] = {
    "input": Operation(_input, _input_call, effect="input"),
    "constant": Operation(_constant, _constant_call),
    "state": Operation(_state, _state_call, _draw_state, 0.25, effect="state"),
    "update": Operation(
        lambda moment, params, given: np.array(given.one("value")),
        lambda params, given: f"program.update({given.one('state')}, {given.one('value')})",
        effect="update",
    ),
    "scatter": Operation(_scatter, _scatter_call, _draw_scatter, 0.3, effect="scatter"),
    "item": Operation(
        lambda moment, params, given: given.one()[params["index"]],
        lambda params, given: f"{given.one()}[{params['index']}]",
        effect="item",
    ),
    "barrier": Operation(
        lambda moment, params, given: None,
        lambda params, given: "program.barrier()",
        lambda draft: draft.add("barrier"),
        0.2,
        effect="barrier",
    ),
    "output": Operation(
        _output,
        lambda params, given: f'program.output("{params["name"]}", {given.one()})',
        effect="output",
    ),
}
"""Drafts update every state that no SCATTER writes; results that nothing reads are outputs."""
