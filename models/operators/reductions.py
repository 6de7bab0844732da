"""Operators along axes: sums, extremes and where they are, softmax, running sums."""

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx_ir import DataType

from compiler.expression import functions as fn
from compiler.expression.expr import Expr
from compiler.library.softmax import softmax as softmax_kernel
from models.builder import Builder
from models.node import Node
from models.operators import functions as more
from models.registry import operator
from models.value import Value, constant, known

_TERMS: dict[str, tuple[str, Callable[[Expr], Expr] | None, Callable[[Expr], Expr] | None]] = {
    "ReduceL1": ("add", more.absolute, None),
    "ReduceL2": ("add", fn.square, lambda total: more.root(fn.cast(total, "float32"))),
    "ReduceLogSum": ("add", None, fn.log),
    "ReduceMax": ("max", None, None),
    "ReduceMean": ("add", None, None),
    "ReduceMin": ("min", None, None),
    "ReduceSum": ("add", None, None),
    "ReduceSumSquare": ("add", fn.square, None),
}
"""Of an operator: the reduction, what becomes of its terms before, and of the result."""


@operator(*_TERMS, "ReduceLogSumExp", "ReduceProd")
def reduce_(builder: Builder, node: Node, x: Value, axes: Value | None = None) -> Any:
    """Lower a reduction over axes, those of an operand or of an attribute, or over all."""
    given = node.get("axes") if axes is None else known(axes, "axes").reshape(-1)
    places = [int(axis) % x.rank for axis in (() if given is None else given)]
    if not places and not node.get("noop_with_empty_axes"):
        places = [*range(x.rank)]
    keep = bool(node.get("keepdims", 1))
    if node.operator == "ReduceLogSumExp":
        return log_sum(builder, x, places, keep)
    if node.operator == "ReduceProd":
        return _product(builder, x, places, keep)
    operation, function, finish = _TERMS[node.operator]
    if node.operator == "ReduceMean":
        share = 1 / int(np.prod([x.shape[place] for place in places]))

        def finish(total: Expr) -> Expr:
            return more.truncated(fn.cast(total, "float32") * share) if not x.is_float else total * share

    if node.operator == "ReduceL2" and not x.is_float:
        return builder.reduce(
            x,
            operation,
            places,
            keep,
            function=function,
            finish=lambda total: more.truncated(finish(total)),  # type: ignore[misc]
        )
    return builder.reduce(x, operation, places, keep, function=function, finish=finish)


def log_sum(builder: Builder, x: Value, places: list[int], keep: bool) -> Value:
    """Return the logarithm of the sum of exponentials; the largest is taken out, unless it is infinite."""
    largest = builder.reduce(
        x,
        "max",
        places,
        True,
        finish=lambda most: fn.where(fn.equal(more.absolute(most), float("inf")), 0.0, fn.cast(most, "float32")),
    )
    total = builder.reduce(
        (x, largest), "add", places, True, function=lambda item, most: fn.exp(item - most), finish=fn.log
    )
    found: Value = builder.map(fn.add, total, largest, dtype=x.dtype)
    shape = tuple(1 if place in places else size for place, size in enumerate(x.shape) if keep or place not in places)
    return builder.moved(found, lambda numbers: numbers.reshape(shape))


def _product(builder: Builder, x: Value, places: list[int], keep: bool) -> Value:
    """Return products over axes, of halves of the terms again and again."""
    rest = [place for place in range(x.rank) if place not in places]
    shape = tuple(1 if place in places else size for place, size in enumerate(x.shape) if keep or place in rest)
    kept = [x.shape[place] for place in rest]
    terms = builder.moved(x, lambda numbers: numbers.transpose(*places, *rest).reshape(-1, *kept))
    while terms.shape[0] > 1:
        half = terms.shape[0] // 2
        odd = terms.shape[0] % 2
        first, second, last = (
            builder.part(terms, part) for part in (slice(0, half), slice(half, 2 * half), slice(2 * half, None))
        )
        made = builder.map(fn.multiply, first, second, dtype=x.dtype)
        terms = builder.join([made, last], 0) if odd else made
    return builder.moved(terms, lambda numbers: numbers.reshape(shape))


@operator("ArgMax", "ArgMin")
def arg_extreme(builder: Builder, node: Node, x: Value) -> Any:
    """Lower where along an axis the first or last extreme is."""
    axis, last = node.get("axis", 0) % x.rank, node.get("select_last_index", 0)
    turned = builder.moved(x, lambda numbers: np.flip(numbers, axis)) if last else x
    find = builder.program.argmax if node.operator == "ArgMax" else builder.program.argmin
    keep = bool(node.get("keepdims", 1))
    shape = tuple(1 if place == axis else size for place, size in enumerate(x.shape) if keep or place != axis)
    found = builder.value(find(builder.view(turned), axis, keep), DataType.INT64, shape, x)
    if not last:
        return found
    size = x.shape[axis]
    return builder.map(lambda place: size - 1 - place, found, dtype=DataType.INT64)


@operator("Softmax", "LogSoftmax", "Hardmax", since=13)
def softmax(builder: Builder, node: Node, x: Value) -> Any:
    """Lower softmax, its logarithm, or one at the first largest element, along an axis."""
    return _along(builder, node, x, node.get("axis", -1) % x.rank)


@operator("Softmax", "LogSoftmax", "Hardmax")
def flat_softmax(builder: Builder, node: Node, x: Value) -> Any:
    """Lower softmax as of version 12 and before: over all axes from one on."""
    axis = node.get("axis", 1) % x.rank
    flat = builder.moved(x, lambda numbers: numbers.reshape(int(np.prod(x.shape[:axis])), -1))
    made = _along(builder, node, flat, 1)
    return builder.moved(made, lambda numbers: numbers.reshape(x.shape))


def _along(builder: Builder, node: Node, x: Value, axis: int) -> Value:
    if node.operator == "Softmax":
        return builder.value(
            softmax_kernel(builder.program, builder.view(x), axis, builder.held(x.dtype)), x.dtype, x.shape, x
        )
    if node.operator == "LogSoftmax":
        total = log_sum(builder, x, [axis], True)
        made: Value = builder.map(fn.subtract, x, total, dtype=x.dtype)
        return made
    view = builder.view(x)
    first = builder.value(
        builder.program.argmax(view, axis, True), DataType.INT32, (*x.shape[:axis], 1, *x.shape[axis + 1 :]), x
    )
    numbers = constant(np.arange(x.shape[axis], dtype=np.int32).reshape(-1, *(1,) * (x.rank - 1 - axis)))
    found: Value = builder.map(lambda a, b: fn.cast(fn.equal(a, b) & 1, "float32"), first, numbers, dtype=x.dtype)
    return found


@operator("CumSum", "CumProd")
def running(builder: Builder, node: Node, x: Value, axis: Value) -> Any:
    """Lower running sums or products: those of 1, 2, 4 ... terms, each of two of the step before."""
    place = int(known(axis, "axis").reshape(-1)[0]) % x.rank
    join, none = (fn.add, 0) if node.operator == "CumSum" else (fn.multiply, 1)
    back, size = bool(node.get("reverse")), x.shape[place]

    def moved(value: Value, by: int) -> Value:
        """Return a value moved along the axis; what moves in changes nothing."""
        sides = [(0, 0)] * x.rank
        sides[place] = (0, by) if back else (by, 0)
        part = slice(by, None) if back else slice(0, size)
        key = (*(slice(None),) * place, part)
        found = builder.moved(value, lambda numbers: np.pad(numbers, sides)[key])
        if not none:
            return found
        inside = np.arange(size) < size - by if back else np.arange(size) >= by
        mask = constant(inside.reshape(-1, *(1,) * (x.rank - 1 - place)))
        one: Value = builder.map(
            lambda item, is_in: fn.where(is_in, item, 1.0 if x.is_float else 1), found, mask, dtype=x.dtype
        )
        return one

    total = moved(x, 1) if node.get("exclusive") else x
    by = 1
    while by < size:
        total = builder.map(join, total, moved(total, by), dtype=x.dtype)
        by *= 2
    return total


@operator("TopK", since=10)
def top_k(builder: Builder, node: Node, x: Value, k: Value) -> Any:
    """Lower the largest or smallest elements in order: an element's place is the number of those before it."""
    axis, count = node.get("axis", -1) % x.rank, int(known(k, "k").reshape(-1)[0])
    size, rank = x.shape[axis], x.rank
    mine = builder.moved(x, lambda numbers: np.expand_dims(numbers, axis + 1))
    theirs = builder.moved(x, lambda numbers: np.expand_dims(numbers, axis))
    shape = (*(1,) * axis, size, size, *(1,) * (rank - 1 - axis))
    earlier = constant((np.arange(size)[:, None] > np.arange(size)).reshape(shape))

    def before(a: Expr, b: Expr, first: Expr) -> Expr:
        ahead = b > a if node.get("largest", 1) else b < a
        return (ahead | (fn.equal(a, b) & (first * -1))) & 1

    place = builder.reduce((mine, theirs, earlier), "add", [axis + 1], True, function=before, dtype=DataType.INT32)
    wanted = constant(np.arange(count, dtype=np.int32).reshape(1, count, *(1,) * (rank - 1 - axis)))
    numbers = constant(np.arange(size, dtype=np.int32).reshape(size, 1, *(1,) * (rank - 1 - axis)))

    def chosen(at: Expr, want: Expr, value: Expr) -> Expr:
        return fn.where(fn.equal(at, want), value, 0.0 if value.dtype.is_float else 0)

    values = builder.reduce((place, wanted, mine), "add", [axis], False, function=chosen, dtype=x.dtype)
    indices = builder.reduce((place, wanted, numbers), "add", [axis], False, function=chosen, dtype=DataType.INT64)
    return values, indices
