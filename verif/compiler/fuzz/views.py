"""Views: other arrangements of what is there."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from verif.compiler.fuzz.expressions import Illegal
from verif.compiler.fuzz.graph import Given, Moment, Operation, Params

if TYPE_CHECKING:
    from verif.compiler.fuzz.draft import Draft

__all__ = ["VIEWS"]

Array = npt.NDArray[Any]


def _key(params: Params) -> tuple[Any, ...]:
    return tuple(item if isinstance(item, int) else slice(*item) for item in params["index"])


def _slice_text(item: Any) -> str:
    if isinstance(item, int):
        return str(item)
    start, stop, step = ("" if value is None else str(value) for value in item)
    return f"{start}:{stop}" + (f":{step}" if step else "")


def _slice(moment: Moment, params: Params, given: Given) -> Array:
    return np.asarray(given.one()[_key(params)])


def _draw_slice(draft: "Draft") -> int:
    """Any start and step, backwards too; an axis may go."""
    x = draft.any_operand()
    index: list[Any] = []
    for size in draft.shape_of(x):
        kind = draft.rng.random()
        if kind < 0.4:
            index.append([None, None, None])
        elif kind < 0.5 and len(draft.shape_of(x)) > 1 and not all(isinstance(item, int) for item in index[-1:]):
            index.append(int(draft.rng.integers(-size, size)))
        else:
            start, stop = sorted(int(n) for n in draft.rng.integers(0, size + 1, 2))
            step = draft.choice([None, None, None, 2, 3])
            part: list[Any] = [start or None, stop, step] if stop > start else [None, None, step]
            index.append(part if draft.chance(0.85) else [None, None, draft.choice([-1, -1, -2])])
    return draft.add("slice", [("x", x)], {"index": index})


def _reshape(moment: Moment, params: Params, given: Given) -> Array:
    shape = tuple(params["shape"])
    if any(size < 1 for size in shape):
        raise Illegal("sizes must be at least 1")
    return np.ascontiguousarray(given.one()).reshape(shape)


def _draw_reshape(draft: "Draft") -> int:
    """Two neighbouring axes become one, or one becomes two; at times all of them one."""
    x = draft.any_operand()
    shape = list(draft.shape_of(x))
    if draft.chance(0.15):
        return draft.add("reshape", [("x", x)], {"shape": [int(np.prod(shape))]})
    axis = int(draft.rng.integers(len(shape)))
    if len(shape) > 1 and draft.chance(0.5):
        axis = min(axis, len(shape) - 2)
        shape[axis : axis + 2] = [shape[axis] * shape[axis + 1]]
    else:
        divisors = [n for n in range(1, shape[axis] + 1) if shape[axis] % n == 0]
        first = draft.choice(divisors)
        shape[axis : axis + 1] = [first, shape[axis] // first]
    if len(shape) > 4:
        raise Illegal("enough axes")
    return draft.add("reshape", [("x", x)], {"shape": shape})


def _permuted(moment: Moment, params: Params, given: Given) -> Array:
    x, axes = given.one(), params["axes"]
    if sorted(axes) != list(range(x.ndim)):
        raise Illegal("axes must be a permutation")
    return x.transpose(axes)


def _draw_permuted(draft: "Draft") -> int:
    x = draft.any_operand(rank=2)
    axes = [int(axis) for axis in draft.rng.permutation(len(draft.shape_of(x)))]
    return draft.add("view transpose", [("x", x)], {"axes": axes})


def _pad(moment: Moment, params: Params, given: Given) -> Array:
    return np.pad(given.one(), [tuple(pair) for pair in params["widths"]], constant_values=moment.fill)


def _draw_pad(draft: "Draft") -> int:
    x = draft.any_operand()
    widths = [[0, 0] if draft.chance(0.4) else [int(n) for n in draft.rng.integers(0, 4, 2)] for _ in draft.shape_of(x)]
    return draft.add("pad", [("x", x)], {"widths": widths})


def _windows(moment: Moment, params: Params, given: Given) -> Array:
    x, size, stride = given.one(), tuple(params["size"]), params.get("stride", 1)
    if (
        not size
        or stride < 1
        or len(size) > x.ndim
        or any(not 1 <= n <= whole for n, whole in zip(size, x.shape, strict=False))
    ):
        raise Illegal("windows must be within the tensor")
    axes = tuple(range(len(size)))
    found = np.lib.stride_tricks.sliding_window_view(x, size, axes)[(slice(None, None, stride),) * len(size)]
    order = [*axes, *range(x.ndim, x.ndim + len(size)), *range(len(size), x.ndim)]
    return np.ascontiguousarray(found.transpose(order))


def _windows_call(params: Params, given: Given) -> str:
    stride = f", {params['stride']}" if "stride" in params else ""
    return f"{given.one()}[:].windows({tuple(params['size'])}{stride})"


def _draw_windows(draft: "Draft") -> int:
    """Over one axis or two, before others."""
    x = draft.any_operand(rank=2)
    shape = draft.shape_of(x)
    size = [
        int(draft.rng.integers(1, min(whole, 3) + 1)) for whole in shape[: draft.choice([1, max(1, len(shape) - 1)])]
    ]
    if len(shape) + len(size) > 5:
        raise Illegal("enough axes")
    return draft.add("windows", [("x", x)], {"size": size, "stride": draft.choice([1, 1, 2])})


def _join(moment: Moment, params: Params, given: Given) -> Array:
    return np.concatenate(given.many(), params.get("axis", 0))


def _draw_join(draft: "Draft") -> int:
    """Slices of one tensor, in another order or again."""
    x = draft.any_operand()
    shape = draft.shape_of(x)
    axis = int(draft.rng.integers(len(shape)))
    parts = []
    for _ in range(draft.choice([2, 2, 3])):
        start = int(draft.rng.integers(shape[axis]))
        index: list[Any] = [[None, None, None] for _ in shape]
        index[axis] = [start, int(draft.rng.integers(start, shape[axis])) + 1, None]
        parts.append(("x", draft.add("slice", [("x", x)], {"index": index})))
    return draft.add("join", parts, {"axis": axis})


VIEWS: dict[str, Operation] = {
    "slice": Operation(
        _slice, lambda p, given: f"{given.one()}[{', '.join(map(_slice_text, p['index']))}]", _draw_slice, 2.0, "view"
    ),
    "reshape": Operation(
        _reshape,
        lambda p, given: f"{given.one()}.reshape({', '.join(map(str, p['shape']))})",
        _draw_reshape,
        1.2,
        "view",
    ),
    "view transpose": Operation(
        _permuted,
        lambda p, given: f"{given.one()}.transpose({', '.join(map(str, p['axes']))})",
        _draw_permuted,
        1.0,
        "view",
    ),
    "pad": Operation(
        _pad,
        lambda p, given: f"{given.one()}.pad({tuple(tuple(pair) for pair in p['widths'])})",
        _draw_pad,
        2.0,
        "view",
    ),
    "windows": Operation(_windows, _windows_call, _draw_windows, 0.8, "view"),
    "join": Operation(
        _join,
        lambda p, given: f"join([{', '.join(given.many())}]{f', {axis}' if (axis := p.get('axis')) else ''})",
        _draw_join,
        0.8,
        "view",
    ),
}
"""Operations read views as they read tensors; those of results in whole vectors if a graph is not complete."""
