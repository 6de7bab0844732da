"""Pools: lanes are channels, and the batch is one more axis that windows move along."""

from typing import Any

import numpy as np

from compiler.expression import functions as fn
from compiler.expression.expr import Expr
from compiler.library.pooling import avgpool, maxpool
from compiler.library.windows import Windows
from models.builder import Builder
from models.node import Node
from models.operators import functions as more
from models.operators.convolutions import channels_first, channels_last
from models.operators.windows import Window, window_of
from models.registry import operator
from models.value import Value


def _window(node: Node, x: Value) -> Window:
    return window_of(node, x.shape[2:], tuple(node.attributes["kernel_shape"]))


@operator("MaxPool")
def max_pool(builder: Builder, node: Node, x: Value) -> Any:
    """Lower the largest element of every window."""
    if node.outputs > 1:
        raise node.refuse("output Indices must not be used: only the largest elements have a lowering")
    window = _window(node, x)
    found = maxpool(
        builder.program,
        builder.view(channels_last(builder, x)),
        (1, *window.sizes),
        **window.batched,  # type: ignore[arg-type]
        ceil=window.ceil,
    )
    return channels_first(builder, builder.value(found, x.dtype, found.shape, x))


@operator("AveragePool")
def average_pool(builder: Builder, node: Node, x: Value) -> Any:
    """Lower the mean of every window, with the places of the padding or without."""
    window = _window(node, x)
    found = avgpool(
        builder.program,
        builder.view(channels_last(builder, x)),
        (1, *window.sizes),
        **window.batched,  # type: ignore[arg-type]
        ceil=window.ceil,
        count_include_pad=bool(node.get("count_include_pad", 0)),
    )
    return channels_first(builder, builder.value(found, x.dtype, found.shape, x))


@operator("GlobalAveragePool", "GlobalMaxPool")
def global_pool(builder: Builder, node: Node, x: Value) -> Any:
    """Lower the mean or the largest of every channel."""
    places = [*range(2, x.rank)]
    if node.operator == "GlobalMaxPool":
        return builder.reduce(x, "max", places, True)
    share = 1 / int(np.prod(x.shape[2:]))
    return builder.reduce(x, "add", places, True, finish=lambda total: total * share)


@operator("LpPool", "GlobalLpPool")
def lp_pool(builder: Builder, node: Node, x: Value) -> Any:
    """Lower the root of the sum of powers of every window, for p of 1 or 2."""
    p = int(node.get("p", 2))
    if p not in (1, 2):
        raise node.refuse(f"p must be 1 or 2, not {p}")

    def power(item: Expr) -> Expr:
        return fn.square(item) if p == 2 else more.absolute(item)

    def finish(total: Expr) -> Expr:
        return more.root(total) if p == 2 else total

    if node.operator == "GlobalLpPool":
        return builder.reduce(x, "add", [*range(2, x.rank)], True, function=power, finish=finish)
    window = _window(node, x)
    image = channels_last(builder, x)
    windows = Windows.over(image.shape[:-1], (1, *window.sizes), **window.batched, ceil=window.ceil)  # type: ignore[arg-type]
    sides = [
        (0, 0),
        *((before, after + size) for (before, after), size in zip(window.padding, window.extents, strict=True)),
    ]
    along = [windows.taps_along(axis) + before for axis, (before, _) in enumerate(sides)]

    def taken(numbers: Any) -> Any:
        found = np.pad(numbers, [*sides, (0, 0)])[windows.index(*along)]
        return found.reshape(windows.taps, *windows.places, image.shape[-1])

    made = builder.reduce(builder.moved(image, taken), "add", [0], False, function=power, finish=finish)
    return channels_first(builder, made)
