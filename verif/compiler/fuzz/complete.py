"""Operations that only the complete tensor interface has: NumPy's functions under NumPy's names, and batches."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from verif.compiler.fuzz.expressions import Illegal, convert, meaning
from verif.compiler.fuzz.graph import Given, Moment, Operation, Params
from verif.compiler.fuzz.products import sums_of
from verif.compiler.fuzz.vector import options, total

if TYPE_CHECKING:
    from verif.compiler.fuzz.draft import Draft

__all__ = ["COMPLETE_OPERATIONS"]

Array = npt.NDArray[Any]


def _concatenate(moment: Moment, params: Params, given: Given) -> Array:
    parts = given.many()
    if len({part.dtype for part in parts}) != 1:
        raise Illegal("tensors must have one format")
    return (np.stack if params.get("stack") else np.concatenate)(parts, params.get("axis", 0))


def _concatenate_call(params: Params, given: Given) -> str:
    name = "stack" if params.get("stack") else "concatenate"
    return f"program.{name}([{', '.join(given.many())}]{options(params, 'axis')})"


def _draw_concatenate(draft: "Draft") -> int:
    """Results, inputs and states, of one shape but for the axis."""
    x = draft.any_operand()
    shape, dtype = draft.shape_of(x), draft.dtype_of(x)
    stack = draft.chance(0.25)
    axis = int(draft.rng.integers(-len(shape) - stack, len(shape) + stack))
    parts = [x]
    for _ in range(draft.choice([1, 1, 2])):
        other = list(shape)
        if not stack:
            other[axis] = draft.size() if draft.chance(0.5) else other[axis]
        parts.append(draft.operand_like(tuple(other), dtype))
    parts = [parts[int(place)] for place in draft.rng.permutation(len(parts))]
    params = {"axis": axis, "stack": True} if stack else {"axis": axis}
    return draft.add("concatenate", [("x", part) for part in parts], params)


def _split(moment: Moment, params: Params, given: Given) -> tuple[Array, ...]:
    axis, sections = params.get("axis", 0), params["sections"]
    size = given.one().shape[axis]
    if isinstance(sections, list) and any(a >= b for a, b in zip([0, *sections], [*sections, size], strict=True)):
        raise Illegal("sections must ascend within the axis")
    return tuple(np.split(given.one(), sections, axis))


def _draw_split(draft: "Draft") -> int:
    """At any places, or in equal parts."""
    x = draft.any_operand()
    axis = int(draft.rng.integers(len(draft.shape_of(x))))
    size = draft.shape_of(x)[axis]
    if size < 2:
        raise Illegal("nothing to split")
    if draft.chance(0.5):
        sections: Any = draft.choice([n for n in range(2, min(size, 5) + 1) if size % n == 0])
    else:
        count = int(draft.rng.integers(1, min(size, 4)))
        sections = sorted(int(place) for place in draft.rng.choice(np.arange(1, size), count, replace=False))
    number = draft.add("split", [("x", x)], {"sections": sections, "axis": axis})
    return draft.items(number, -1)


def _draw_broadcast_to(draft: "Draft") -> int:
    x = draft.any_operand()
    shape = [draft.size() if size == 1 and draft.chance(0.7) else size for size in draft.shape_of(x)]
    if draft.chance(0.5):
        shape.insert(0, int(draft.rng.integers(1, 4)))
    return draft.add("broadcast_to", [("x", x)], {"shape": shape})


def _draw_take(draft: "Draft") -> int:
    x = draft.any_operand()
    axis = int(draft.rng.integers(len(draft.shape_of(x))))
    size = draft.shape_of(x)[axis]
    indices = [int(n) for n in draft.rng.integers(-size, size, int(draft.rng.integers(1, 9)))]
    return draft.add("take", [("x", x)], {"indices": indices, "axis": axis})


def _axes_of(params: Params, rank: int) -> list[int]:
    axis = params.get("axis")
    axes = list(range(rank)) if axis is None else [axis] if isinstance(axis, int) else list(axis)
    if any(not -rank <= place < rank for place in axes):
        raise Illegal("axes must be the tensor's")
    found = sorted({place % rank for place in axes})
    if len(found) != len(axes) or not found:
        raise Illegal("axes must be different ones")
    return found


def _kept(params: Params, result: Array, shape: tuple[int, ...], axes: list[int]) -> Array:
    """Return a reduction with the axes that are kept; of all axes it has one element."""
    if params.get("keepdims"):
        return result.reshape([1 if axis in axes else size for axis, size in enumerate(shape)])
    if not result.ndim:
        raise Illegal("all axes must be kept")
    return result


def _reduction(moment: Moment, params: Params, given: Given) -> Array:
    x = given.one()
    axes = _axes_of(params, x.ndim)
    outer = [axis for axis in range(x.ndim) if axis not in axes]
    name = str(params["operation"])
    found = total("add" if name in ("sum", "mean") else name, x.transpose(*outer, *axes), len(axes))
    if name == "mean":
        share = float(np.float32(1 / int(np.prod([x.shape[axis] for axis in axes]))))
        wide = np.ascontiguousarray(convert(found, "float32"))
        found = convert(meaning(["times", "a", share], {"a": wide}), x.dtype.name if x.dtype.kind == "f" else "float32")
    elif name in ("max", "min"):
        found = convert(found, x.dtype.name)
    return _kept(params, found, x.shape, axes)


def _where_first(moment: Moment, params: Params, given: Given) -> Array:
    """The first extreme; a NaN is one, and -0 is +0."""
    x = given.one()
    axes = _axes_of({"axis": params["axis"]}, x.ndim)
    function = np.argmax if params["operation"] == "argmax" else np.argmin
    return _kept(params, np.asarray(function(x, axes[0])).astype(np.int32), x.shape, axes)


def _reduction_call(params: Params, given: Given) -> str:
    axis = params.get("axis")
    text = f", axis={tuple(axis) if isinstance(axis, list) else axis}" if axis is not None else ""
    return f"program.{params['operation']}({given.one()}{text}{options(params, 'keepdims')})"


def _draw_reduction(draft: "Draft") -> int:
    """Over all axes, one or several, those of lanes too."""
    x = draft.any_operand()
    rank = len(draft.shape_of(x))
    count = int(draft.rng.integers(1, rank + 1))
    axes = [int(axis) for axis in draft.rng.choice(np.arange(-rank, 0), count, replace=False)]
    params: dict[str, Any] = {"operation": draft.choice(["sum", "sum", "mean", "max", "min"])}
    if count < rank or draft.chance(0.5):
        params["axis"] = axes[0] if count == 1 else axes
    if count == rank or draft.chance(0.4):
        params["keepdims"] = True
    return draft.add("reduction", [("x", x)], params)


def _draw_where_first(draft: "Draft") -> int:
    x = draft.any_operand()
    rank = len(draft.shape_of(x))
    params: dict[str, Any] = {"operation": draft.choice(["argmax", "argmin"])}
    params["axis"] = int(draft.rng.integers(-rank, rank))
    if rank == 1 or draft.chance(0.4):
        params["keepdims"] = True
    return draft.add("where first", [("x", x)], params)


def _batched(moment: Moment, params: Params, given: Given) -> Array:
    """A product for each index of the leading axes, which broadcast."""
    x, w = given.one("x"), given.one("w")
    if x.ndim < 2 or w.ndim < 2 or x.ndim + w.ndim < 5:
        raise Illegal("one operand must have leading axes")
    lead = np.broadcast_shapes(x.shape[:-2], w.shape[:-2])
    left, right = np.broadcast_to(x, (*lead, *x.shape[-2:])), np.broadcast_to(w, (*lead, *w.shape[-2:]))
    products = [sums_of(left[place], right[place], moment.config.vector_length) for place in np.ndindex(lead)]
    return np.stack(products).reshape(*lead, *products[0].shape)


def _draw_batched(draft: "Draft") -> int:
    """Of results and of what the host writes; either may be the same for all of the batch."""
    dtype = draft.choice(["int8", "float16"])
    found = [number for number in draft.nodes(dtype) if len(draft.shape_of(number)) in (3, 4)]
    x = draft.choice(found) if found and draft.chance(0.7) else draft.declare(draft.shape(3), dtype)
    *lead, _, k = draft.shape_of(x)
    batch = [size if draft.chance(0.8) else 1 for size in lead] if draft.chance(0.8) else []
    w = draft.operand_like((*batch, k, draft.size()), dtype)
    return draft.add("batched matmul", [("x", x), ("w", w)])


COMPLETE_OPERATIONS: dict[str, Operation] = {
    "concatenate": Operation(_concatenate, _concatenate_call, _draw_concatenate, 1.0, "view", complete=True),
    "split": Operation(
        _split,
        lambda p, given: f"program.split({given.one()}, {p['sections']}{options(p, 'axis')})",
        _draw_split,
        0.5,
        "view",
        complete=True,
    ),
    "broadcast_to": Operation(
        lambda moment, params, given: np.broadcast_to(given.one(), tuple(params["shape"])),
        lambda p, given: f"program.broadcast_to({given.one()}, {tuple(p['shape'])})",
        _draw_broadcast_to,
        0.4,
        "view",
        complete=True,
    ),
    "take": Operation(
        lambda moment, params, given: np.take(given.one(), params["indices"], params["axis"]),
        lambda p, given: f"program.take({given.one()}, {p['indices']}, {p['axis']})",
        _draw_take,
        0.4,
        "view",
        complete=True,
    ),
    "reduction": Operation(_reduction, _reduction_call, _draw_reduction, 1.2, complete=True),
    "where first": Operation(_where_first, _reduction_call, _draw_where_first, 0.5, complete=True),
    "batched matmul": Operation(
        _batched,
        lambda p, given: f"program.matmul({given.one('x')}, {given.one('w')})",
        _draw_batched,
        1.0,
        complete=True,
    ),
}
"""Convolution and pooling are kernels, functions of these and of windows."""
