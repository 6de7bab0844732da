"""Operations of the VXM: element by element, and reductions."""

from collections.abc import Sequence
from functools import reduce as fold
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from verif.compiler.fuzz import expressions
from verif.compiler.fuzz.expressions import NAMES, Illegal, convert, meaning
from verif.compiler.fuzz.graph import Given, Moment, Operation, Params

if TYPE_CHECKING:
    from verif.compiler.fuzz.draft import Draft

__all__ = ["VECTOR", "function_text", "options", "total"]

Array = npt.NDArray[Any]

PARTIALS = 3
"""Partial sums of a reduction of floats: term r belongs to number r mod 3, and they are added in their order."""


def function_text(outputs: Sequence[Any], count: int, is_tuple: bool = False) -> str:
    """Return the lambda of one or more expressions of `count` operands."""
    words = ", ".join(expressions.text(output) for output in outputs)
    return f"lambda {', '.join(NAMES[:count])}: {f'({words},)' if is_tuple or len(outputs) > 1 else words}"


def options(params: Params, *names: str) -> str:
    """Return the optional arguments that a step has."""
    return "".join(f", {name}={params[name]!r}" for name in names if name in params)


def _values(outputs: Sequence[Any], operands: Sequence[Array]) -> list[Array]:
    if not operands:
        raise Illegal("function must have an operand")
    arrays = [np.ascontiguousarray(array) for array in np.broadcast_arrays(*operands)]
    named = dict(zip(NAMES, arrays, strict=False))
    return [np.asarray(meaning(output, named)) for output in outputs]


def _map(moment: Moment, params: Params, given: Given) -> Any:
    results = _values(params["function"], given.many())
    if "dtype" in params:
        results = [convert(result, params["dtype"]) for result in results]
    if "join" in params:
        if not -results[0].ndim <= params["join"] <= -1 or len({result.dtype for result in results}) > 1:
            raise Illegal("results to join must have one format, and an axis from the end")
        return np.concatenate(results, params["join"])
    return tuple(results) if len(results) > 1 else results[0]


def _map_call(params: Params, given: Given) -> str:
    function = function_text(params["function"], len(given.many()))
    return f"program.map({function}, {', '.join(given.many())}{options(params, 'dtype', 'layout', 'join')})"


def _draw_map(draft: "Draft") -> int:
    """One result, or several, which may be parts of one tensor."""
    x = draft.any_operand()
    others = [draft.beside(x) for _ in range(draft.choice([0, 0, 1, 1, 2]))]
    operands = [x, *others]
    dtypes = [draft.dtype_of(number) for number in operands]
    several = draft.chance(0.12)
    made = [
        expressions.random_expression(draft.rng, dtypes, int(draft.rng.integers(1, draft.depth + 1)))
        for _ in range(2 if several else 1)
    ]
    params: dict[str, Any] = {"function": [expression for expression, _ in made]}
    dtype = _narrower(draft, made[0][1])
    if dtype:
        params["dtype"] = dtype
    lanes = draft.common_lanes(operands)
    rank = len(draft.common_shape(operands))
    if lanes is None:
        lanes = params["layout"] = -1 if draft.chance(0.8) else -int(draft.rng.integers(1, rank + 1))
    if several and draft.chance(0.5) and (dtype or made[0][1] == made[1][1]):
        axes = [axis for axis in range(-rank, 0) if axis != lanes or draft.complete]
        if axes:
            params["join"] = draft.choice(axes)
    made_by = draft.add("map", [("x", number) for number in operands], params, lanes)
    return draft.items(made_by, lanes)


def _narrower(draft: "Draft", dtype: str) -> str | None:
    """Return a format that a result is cast to, most often one that products take."""
    if not draft.chance(0.6):
        return None
    if np.dtype(dtype).kind == "f":
        return str(draft.choice(["float16", "float16", "float32"]))
    return str(draft.choice(["int8", "int8", "int16", "int32"]))


def total(operation: str, terms: Array, count: int, in_turn: bool = False) -> Array:
    """Return the reduction of the last `count` axes, their elements in C order; of all axes, the last one's at the end.

    The order is that of `compiler.frontend.passes.Passes.reduce`.
    """
    if 1 < count == terms.ndim:
        lines = total(operation, terms.transpose(terms.ndim - 1, *range(terms.ndim - 1)), count - 1, in_turn)
        return total(operation, lines, 1, in_turn)
    if operation == "add":
        terms = convert(terms, "float32" if terms.dtype.kind == "f" else "int32")
    elif terms.dtype == np.float16:
        terms = convert(terms, "float32")
    rows = np.moveaxis(terms.reshape(*terms.shape[: terms.ndim - count], -1), -1, 0)
    node = [{"add": "add", "max": "maximum", "min": "minimum"}[operation], "a", "b"]

    def join(a: Array, b: Array) -> Array:
        return meaning(node, {"a": np.ascontiguousarray(a), "b": np.ascontiguousarray(b)})

    parts = [rows] if in_turn else [rows[first::PARTIALS] for first in range(min(PARTIALS, len(rows)))]
    return fold(join, [fold(join, part[1:], part[0]) for part in parts])


def _reduce(moment: Moment, params: Params, given: Given) -> Any:
    operands = given.many()
    if "function" not in params and len(operands) != 1:
        raise Illegal("a reduction without a function must have one tensor")
    term, *others = _values(params.get("function", ["a"]), operands)
    axes = sorted({axis % term.ndim for axis in params["axes"] if -term.ndim <= axis < term.ndim})
    if len(axes) != len(params["axes"]) or not axes:
        raise Illegal("axes must be different ones of the tensor")
    outer = [axis for axis in range(term.ndim) if axis not in axes]
    result = total(params["operation"], term.transpose(*outer, *axes), len(axes), params.get("in_turn", False) is True)
    if "finish" in params:
        result = meaning(params["finish"], {"a": np.ascontiguousarray(result)})
    if params.get("keepdims"):
        result = result.reshape([1 if axis in axes else size for axis, size in enumerate(term.shape)])
    return (result, *others) if others else result


def _reduce_call(params: Params, given: Given) -> str:
    names = given.many()
    tensors = names[0] if len(names) == 1 else f"({', '.join(names)})"
    axes = params["axes"][0] if len(params["axes"]) == 1 else tuple(params["axes"])
    text = f"program.reduce({tensors}, {params['operation']!r}, {axes}"
    if "function" in params:
        text += f", function={function_text(params['function'], len(names))}"
    if "finish" in params:
        text += f", finish={function_text([params['finish']], 1)}"
    return f"{text}{options(params, 'keepdims', 'layout', 'in_turn')})"


def _draw_reduce(draft: "Draft") -> int:
    """Over any axes; those of lanes too where the interface has them."""
    x = draft.any_operand(rank=1 if draft.complete else 2)
    operands = [x, draft.beside(x)] if draft.chance(0.25) else [x]
    rank = len(draft.common_shape(operands))
    params: dict[str, Any] = {"operation": draft.choice(["add", "add", "max", "min"])}
    lanes = draft.common_lanes(operands)
    if lanes is None and draft.complete and draft.chance(0.7):
        lanes = -1
    if lanes is None:
        lanes = params["layout"] = -1 if draft.chance(0.8) else -int(draft.rng.integers(1, rank + 1))
    free = [axis for axis in range(-rank, 0) if axis != lanes or (draft.complete and "layout" not in params)]
    if not free:
        raise Illegal("no axis of time")
    count = 1 if draft.chance(0.75) else int(draft.rng.integers(1, len(free) + 1))
    axes = sorted(int(axis) for axis in draft.rng.choice(free, count, replace=False))
    params["axes"] = [axis + rank if draft.chance(0.5) else axis for axis in axes]
    keepdims = draft.chance(0.5) or count == rank
    if keepdims:
        params["keepdims"] = True
    if len(operands) > 1 or draft.chance(0.4):
        dtypes = [draft.dtype_of(number) for number in operands]
        made = [expressions.random_expression(draft.rng, dtypes, 2) for _ in range(2 if draft.chance(0.2) else 1)]
        params["function"] = [expression for expression, _ in made]
        term = made[0][1]
    else:
        term = draft.dtype_of(x)
    if draft.chance(0.3):
        narrow = np.dtype(term).kind == "i" and params["operation"] != "add"
        wide = term if narrow else "float32" if np.dtype(term).kind == "f" else "int32"
        params["finish"] = expressions.random_expression(draft.rng, [wide], 2)[0]
    if draft.chance(0.2):
        params["in_turn"] = draft.chance(0.5)
    after = lanes if keepdims else lanes + sum(axis > lanes for axis in axes)
    if draft.complete and not keepdims and lanes in axes:
        after = -1
    number = draft.add("reduce", [("x", number) for number in operands], params, after)
    return draft.items(number, after, lanes)


VECTOR: dict[str, Operation] = {
    "map": Operation(_map, _map_call, _draw_map, 4.0),
    "reduce": Operation(_reduce, _reduce_call, _draw_reduce, 1.5),
}
