"""Operators that only move elements, or look at shapes alone: the standard's own evaluator moves their numbers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator
from onnx_ir import DataType

from compiler.expression.expr import Expr
from compiler.expression.functions import cast, equal, maximum, minimum, where
from models.builder import Builder
from models.node import Node
from models.registry import operator
from models.value import Array, Value, constant, known

_MOVES = (
    "CenterCropPad",
    "Compress",
    "DepthToSpace",
    "Expand",
    "Flatten",
    "GatherElements",
    "GatherND",
    "MaxUnpool",
    "Reshape",
    "ReverseSequence",
    "Slice",
    "SpaceToDepth",
    "Squeeze",
    "Tile",
    "Transpose",
    "Trilu",
    "Unsqueeze",
)


@operator(*_MOVES)
def move(builder: Builder, node: Node, x: Value, *others: Value | None) -> Any:
    """Lower an operator whose result has elements of its first operand, and zeros; the others must be known."""
    arrays = _known_operands(node, others)
    return builder.moved(x, lambda numbers: reference(node, numbers, *arrays)[0], *others)


def _known_operands(node: Node, others: Sequence[Value | None]) -> list[Array | None]:
    return [
        None if other is None else known(other, f"operand {place} of {node.operator}")
        for place, other in enumerate(others, 1)
    ]


def reference(node: Node, *arrays: Array | None, outputs: int = 1) -> list[Array]:
    """Return what the standard's reference implementation makes of arrays.

    Raises
    ------
    Refused
        For operands that do not fit the operator.
    """
    names = ["" if array is None else f"in{place}" for place, array in enumerate(arrays)]
    results = [f"out{place}" for place in range(outputs)]
    proto = onnx.helper.make_node(node.operator, names, results, domain=node.domain, **_given(node))
    graph = onnx.helper.make_graph(
        [proto],
        "move",
        [
            onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
            for name, array in zip(names, arrays, strict=True)
            if array is not None
        ],
        [onnx.helper.make_value_info(name, onnx.TypeProto()) for name in results],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid(node.domain, node.version)])
    feeds = {name: array for name, array in zip(names, arrays, strict=True) if array is not None}
    try:
        return [np.asarray(one) for one in ReferenceEvaluator(model).run(None, feeds)]
    except Exception as error:
        # The evaluator raises whatever its operators do.
        raise node.refuse(f"operands must fit it: {' '.join(str(error).split())}") from None


def _given(node: Node) -> dict[str, Any]:
    return {name: value for name, value in node.attributes.items() if value is not None}


@operator("Shape", "Size", "EyeLike")
def look_at_shape(builder: Builder, node: Node, x: Value) -> Value:
    """Return what depends on the shape alone: known, as shapes are static."""
    stand_in = np.zeros(x.shape, x.dtype.numpy())
    found = reference(node, stand_in)[0]
    return constant(found)


@operator("ConstantOfShape", "Range")
def known_only(builder: Builder, node: Node, *operands: Value) -> Value:
    """Refuse operands that are not known: they decide a shape."""
    for operand in operands:
        known(operand, f"operand of {node.operator}")
    raise AssertionError("what is known is evaluated before it is lowered")


@operator("NonMaxSuppression", "NonZero", "Unique")
def of_values(builder: Builder, node: Node, *operands: Value | None) -> Value:
    """Refuse operands that are not known: how many results there are depends on them."""
    for operand in operands:
        if operand is not None:
            known(operand, f"operand of {node.operator}, which decides the shape of its result,")
    raise AssertionError("what is known is evaluated before it is lowered")


@operator("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike")
def random(builder: Builder, node: Node, *operands: Value) -> Value:
    """Refuse what is random."""
    raise node.refuse("result must not be random: the chip has no random numbers")


@operator("Concat")
def concat(builder: Builder, node: Node, *values: Value) -> Any:
    """Lower tensors next to each other."""
    axis = node.attributes["axis"] % values[0].rank
    shape = list(values[0].shape)
    shape[axis] = sum(value.shape[axis] for value in values)
    if 0 in shape:
        return constant(np.zeros(shape, values[0].dtype.numpy()), values[0].dtype)
    return builder.join(values, axis)


@operator("Split")
def split(builder: Builder, node: Node, x: Value, sizes: Value | None = None) -> Any:
    """Lower parts along an axis, equal ones but for the last or of given sizes."""
    axis, total = node.get("axis", 0) % x.rank, x.shape[node.get("axis", 0) % x.rank]
    if sizes is not None:
        given = [int(size) for size in known(sizes, "split")]
    elif node.get("split"):
        given = [int(size) for size in node.get("split")]
    else:
        count = int(node.get("num_outputs") or node.outputs)
        each = -(-total // count)
        given = [min(each, total - place * each) for place in range(count)]
    if sum(given) != total or min(given) < 0:
        raise node.refuse(f"sizes must add up to {total}, not be {given}")
    ends = np.cumsum(given)

    def part(start: int, end: int) -> Callable[[Array], Array]:
        return lambda numbers: np.take(numbers, np.arange(start, end), axis)

    return tuple(builder.moved(x, part(end - size, end), sizes) for size, end in zip(given, ends, strict=True))


@operator("Gather")
def gather(builder: Builder, node: Node, x: Value, indices: Value) -> Any:
    """Lower slices by index: a view for known ones, else rows that the chip looks up."""
    axis = node.get("axis", 0) % x.rank
    if indices.array is not None:
        places = indices.array.astype(np.int64)
        if places.size and not -x.shape[axis] <= places.min() <= places.max() < x.shape[axis]:
            raise node.refuse(f"indices must be within {x.shape[axis]}, not {places.min()} to {places.max()}")
        return builder.moved(x, lambda numbers: np.take(numbers, places, axis), indices)
    size = x.shape[axis]
    counted = builder.map(lambda item: _from_start(item, size), indices, dtype=DataType.INT32)
    format_ = None if x.array is None else builder.held(x.dtype)
    found = builder.program.take(builder.view(x, format_), builder.view(counted), axis)
    return builder.value(found, x.dtype, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x, indices)


def _from_start(index: Expr, size: int) -> Expr:
    return where(index < 0, index + size, index)


@operator("Pad")
def pad(
    builder: Builder,
    node: Node,
    x: Value,
    pads: Value | None = None,
    fill: Value | None = None,
    axes: Value | None = None,
) -> Any:
    """Lower padding: by elements of the tensor, by zeros, or by another number."""
    given = node.get("pads") if pads is None else known(pads, "pads")
    places = [*range(x.rank)] if axes is None else [int(axis) % x.rank for axis in known(axes, "axes")]
    number = 0.0 if fill is None else float(known(fill, "constant_value"))
    if fill is None and node.get("value"):
        number = float(node.get("value"))
    mode = node.get("mode", "constant")
    count = len(places)
    sides = [(0, 0)] * x.rank
    for place, axis in enumerate(places):
        sides[axis] = int(given[place]), int(given[place + count])
    crops = tuple(
        slice(max(-before, 0), size - max(-after, 0)) for size, (before, after) in zip(x.shape, sides, strict=True)
    )
    widths = [(max(before, 0), max(after, 0)) for before, after in sides]

    def moved(numbers: Array) -> Array:
        inner = numbers[crops]
        return np.pad(inner, widths) if mode == "constant" else np.pad(inner, widths, mode=mode)

    found = builder.moved(x, moved, pads, fill, axes)
    if mode != "constant" or not number or found.array is not None:
        return found
    inside = np.pad(np.ones(x.shape, np.bool_)[crops], widths)
    return builder.map(lambda item, mask: _filled(item, mask, number), found, constant(inside), dtype=x.dtype)


def _filled(item: Expr, mask: Expr, number: float) -> Expr:
    return where(mask, item, number if item.dtype.is_float else int(number))


@operator("OneHot")
def one_hot(builder: Builder, node: Node, indices: Value, depth: Value, values: Value) -> Any:
    """Lower one value where an index says, another one elsewhere."""
    size = int(known(depth, "depth").reshape(-1)[0])
    axis = node.get("axis", -1) % (indices.rank + 1)
    shape = (*indices.shape[:axis], 1, *indices.shape[axis:])
    spread = builder.moved(indices, lambda numbers: numbers.reshape(shape))
    if indices.is_float:
        spread = builder.map(lambda item: cast(item, "int32"), spread, dtype=DataType.INT32)
    numbers = constant(np.arange(size, dtype=np.int32).reshape(size, *(1,) * (indices.rank - axis)))
    pair = known(values, "values")
    off, on = (constant(pair[place : place + 1]) for place in (0, 1))

    def chosen(index: Expr, number: Expr, no: Expr, yes: Expr) -> Expr:
        return where(equal(where(index < 0, index + size, index), number), yes, no)

    return builder.map(chosen, spread, numbers, off, on, dtype=values.dtype)


@operator("ScatterElements", "ScatterND", "Scatter", "TensorScatter")
def scatter(builder: Builder, node: Node, x: Value, indices: Value, updates: Value | None = None) -> Any:
    """Lower the replacement of elements at known places, or what becomes of them and others."""
    if node.operator == "TensorScatter":
        places = None if updates is None else known(updates, "write_indices")
        updates, arrays = indices, [places]
    else:
        arrays = [known(indices, "indices")]
    assert updates is not None
    if node.get("reduction", "none") != "none":
        return _gathered_in(builder, node, x, arrays[0], updates)
    # Numbers of both tensors, one behind the other.
    both = builder.join([builder.moved(value, lambda numbers: numbers.reshape(-1)) for value in (x, updates)], 0)
    first = np.arange(int(np.prod(x.shape)), dtype=np.int64).reshape(x.shape)
    second = np.arange(int(np.prod(updates.shape)), dtype=np.int64).reshape(updates.shape) + first.size
    if node.operator == "Scatter":
        node = replace(node, operator="ScatterElements", version=max(node.version, 11))
    operands = (first, second, *arrays) if node.operator == "TensorScatter" else (first, *arrays, second)
    places = reference(node, *operands)[0]
    return builder.moved(both, lambda numbers: numbers[places], x, indices, updates)


_REDUCTIONS: dict[str, Callable[[Expr, Expr], Expr]] = {
    "add": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "max": maximum,
    "min": minimum,
}


def _gathered_in(builder: Builder, node: Node, x: Value, indices: Array | None, updates: Value) -> Value:
    """Return a tensor with updates reduced into it: of several for one element the first ones come first."""
    assert indices is not None
    operation = _REDUCTIONS.get(node.get("reduction"))
    if operation is None:
        raise node.refuse(f"reduction must be none, {', '.join(_REDUCTIONS)}, not {node.get('reduction')}")
    numbers = np.arange(int(np.prod(x.shape))).reshape(x.shape)
    if node.operator == "ScatterND":
        targets = numbers[tuple(np.moveaxis(indices, -1, 0))].reshape(-1)
    else:
        places = [*np.indices(indices.shape)]
        places[node.get("axis", 0) % x.rank] = indices
        targets = numbers[tuple(places)].reshape(-1)
    left = np.arange(targets.size)
    total = x
    while left.size:
        _, first = np.unique(targets[left], return_index=True)
        source = np.full(numbers.size, -1)
        source[targets[left[first]]] = left[first]
        left = np.delete(left, first)
        total = _reduced_once(builder, operation, total, updates, source.reshape(x.shape))
    return total


def _reduced_once(
    builder: Builder, operation: Callable[[Expr, Expr], Expr], total: Value, updates: Value, source: Array
) -> Value:
    """Return a tensor with one update at most per element: its number, or -1."""
    taken = builder.moved(updates, lambda moved: np.where(source < 0, 0, moved.reshape(-1)[source]))
    made: Value = builder.map(
        lambda item, update, is_met: where(is_met, operation(item, update), item),
        total,
        taken,
        constant(source >= 0),
        dtype=total.dtype,
    )
    return made
