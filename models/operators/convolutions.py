"""Convolutions: lanes are channels, and the batch is one more axis that windows move along."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from onnx_ir import DataType

from compiler.expression import functions as fn
from compiler.expression.expr import Expr
from compiler.ir.tensor import View
from compiler.library.conv2d import conv
from compiler.library.depthwise import depthwise
from models.builder import Builder
from models.node import Node
from models.operators.products import REST, factors, shaped, turned
from models.operators.quantised import digits, requantised
from models.operators.windows import Window, window_of
from models.registry import operator
from models.value import Array, Value


def channels_last(builder: Builder, x: Value) -> Value:
    """Return (N, C, ...) as (N, ..., C)."""
    return turned(builder, x, (0, *range(2, x.rank), 1))


def channels_first(builder: Builder, x: Value) -> Value:
    """Return (N, ..., C) as (N, C, ...)."""
    return turned(builder, x, (0, x.rank - 1, *range(1, x.rank - 1)))


def filters(builder: Builder, w: Value) -> Value:
    """Return (F, C, ...) as (1, ..., C, F), the form of the library's kernels."""
    moved = turned(builder, w, (*range(2, w.rank), 1, 0))
    return shaped(builder, moved, (1, *moved.shape))


def _float_convolution(
    builder: Builder, node: Node, x: Value, w: Value, bias: Value | None, window: Window, groups: int
) -> Value:
    """Return the convolution of (N, ..., C) with filters (1, ..., C / groups, F), of the type of `x`."""
    program, target = builder.program, builder.held(x.dtype)
    terms = [] if bias is None else [builder.view(bias)]
    if groups == w.shape[-1] == x.shape[-1] > 1:
        # A filter per channel: products of the VXM, which are float32 anyway.
        taps = builder.part(w, (..., 0, slice(None)))
        sums = depthwise(program, builder.view(x), builder.view(taps), **window.batched)  # type: ignore[arg-type]
        found = program.map(_sum, sums, *terms, dtype=target)
        return builder.value(found, x.dtype, found.shape, x, w, bias)
    left, right = factors(builder, x), factors(builder, w)

    def made(a: View, b: View, **finish: Any) -> View:
        return conv(program, a, b, groups=groups, **window.batched, **finish)  # type: ignore[arg-type]

    def rows(sums: View) -> View:
        return sums.reshape(-1, sums.shape[-1])

    narrow = len(left) == len(right) == 1
    if groups > 1:
        parts = [made(left[0], right[0])]
        if not narrow:
            parts += [made(left[0], right[1]), made(left[1], right[0])]
        found = program.map(lambda *sums: _whole(len(parts), *sums), *parts, *terms, dtype=target)
    elif narrow:
        found = made(left[0], right[0], epilogue=_sum, operands=tuple(terms), dtype=target)
    else:
        low = made(left[0], right[1], epilogue=fn.add, operands=(rows(made(left[1], right[0])),))
        finish = partial(_whole, 2)
        found = made(left[0], right[0], epilogue=finish, operands=(rows(low), *terms), dtype=target)
    return builder.value(found, x.dtype, found.shape, x, w, bias)


def _whole(parts: int, high: Expr, *others: Expr) -> Expr:
    """Return a sum of products of float32 factors, and further terms; the first parts are those of `factors`."""
    low, terms = others[: parts - 1], others[parts - 1 :]
    return _sum(high + _sum(*low) * (1 / REST) if low else high, *terms)


def _sum(total: Expr, *terms: Expr) -> Expr:
    for term in terms:
        total = total + term
    return total


@operator("Conv")
def conv_(builder: Builder, node: Node, x: Value, w: Value, bias: Value | None = None) -> Any:
    """Lower a convolution of floats, in any number of axes and groups."""
    window = window_of(node, x.shape[2:], tuple(node.get("kernel_shape") or w.shape[2:]))
    made = _float_convolution(
        builder, node, channels_last(builder, x), filters(builder, w), bias, window, int(node.get("group", 1))
    )
    return channels_first(builder, made)


@operator("ConvTranspose")
def conv_transpose(builder: Builder, node: Node, x: Value, w: Value, bias: Value | None = None) -> Any:
    """Lower a transposed convolution: one of the input with zeros between its elements, filters turned round."""
    rank, groups = x.rank - 2, int(node.get("group", 1))
    sizes = tuple(node.get("kernel_shape") or w.shape[2:])
    strides = tuple(node.get("strides") or (1,) * rank)
    dilations = tuple(node.get("dilations") or (1,) * rank)
    extra = tuple(node.get("output_padding") or (0,) * rank)
    extents = tuple(step * (size - 1) + 1 for size, step in zip(sizes, dilations, strict=True))
    sides = _transposed_padding(node, x.shape[2:], extents, strides, extra)
    # Where the padding of the result is more than the window reaches, the input is cut instead.
    around = [
        (extent - 1 - before, extent - 1 - after + more)
        for extent, (before, after), more in zip(extents, sides, extra, strict=True)
    ]

    def stuffed(numbers: Array) -> Array:
        spread = [(size - 1) * step + 1 for size, step in zip(numbers.shape[2:], strides, strict=True)]
        found = np.zeros((*numbers.shape[:2], *spread), numbers.dtype)
        found[(slice(None), slice(None), *(slice(None, None, step) for step in strides))] = numbers
        found = np.pad(found, [(0, 0), (0, 0), *((max(a, 0), max(b, 0)) for a, b in around)])
        cut = (slice(max(-a, 0), size - max(-b, 0)) for (a, b), size in zip(around, found.shape[2:], strict=True))
        return found[(slice(None), slice(None), *cut)]

    def swapped(numbers: Array) -> Array:
        channels, each = numbers.shape[:2]
        parts = numbers.reshape(groups, channels // groups, each, *numbers.shape[2:]).swapaxes(1, 2)
        return np.flip(parts.reshape(groups * each, channels // groups, *numbers.shape[2:]), tuple(range(2, 2 + rank)))

    image, weights = builder.moved(x, stuffed), builder.moved(w, swapped)
    window = Window(sizes, (1,) * rank, dilations, ((0, 0),) * rank)
    made = _float_convolution(
        builder, node, channels_last(builder, image), filters(builder, weights), bias, window, groups
    )
    return channels_first(builder, made)


def _transposed_padding(
    node: Node, shape: Sequence[int], extents: Sequence[int], strides: Sequence[int], extra: Sequence[int]
) -> list[tuple[int, int]]:
    """Return what is cut off the result of a transposed convolution, per axis."""
    rank, wanted, mode = len(shape), node.get("output_shape"), node.get("auto_pad", "NOTSET")
    whole = [
        (size - 1) * stride + extent + more
        for size, stride, extent, more in zip(shape, strides, extents, extra, strict=True)
    ]
    if not wanted and mode in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [size * stride for size, stride in zip(shape, strides, strict=True)]
    if wanted:
        totals = [size - other for size, other in zip(whole, wanted[-rank:], strict=True)]
        less = [total // 2 for total in totals]
        rest = [total - part for total, part in zip(totals, less, strict=True)]
        # Of an odd total the end has the more with SAME_UPPER, else the start.
        pairs = zip(less, rest, strict=True) if mode == "SAME_UPPER" else zip(rest, less, strict=True)
        return [(before, after) for before, after in pairs]
    pads = () if mode == "VALID" else node.get("pads") or ()
    return [*zip(pads[:rank], pads[rank:], strict=True)] if pads else [(0, 0)] * rank


def integer_convolution(
    builder: Builder, node: Node, x: Value, w: Value, x_zero: Value | None, w_zero: Value | None
) -> tuple[Any, tuple[int, ...]]:
    """Return the int32 convolution of what integers stand for without their zero points, (N, ..., F), and its shape."""
    window = window_of(node, x.shape[2:], tuple(node.get("kernel_shape") or w.shape[2:]))
    groups = int(node.get("group", 1))
    if w_zero is not None and w_zero.rank and w_zero.shape[0] > 1:
        w_zero = shaped(builder, w_zero, (w_zero.shape[0], *(1,) * (w.rank - 1)))
    images = [(times, channels_last(builder, part)) for times, part in digits(builder, x, x_zero)]
    weights = [(times, filters(builder, part)) for times, part in digits(builder, w, w_zero)]
    factors = [times * more for times, _ in images for more, _ in weights]
    parts = [
        conv(builder.program, builder.view(a), builder.view(b), groups=groups, **window.batched)  # type: ignore[arg-type]
        for _, a in images
        for _, b in weights
    ]

    def whole(*sums: Expr) -> Expr:
        return _sum(*(one * factor if factor > 1 else one for factor, one in zip(factors, sums, strict=True)))

    total = parts[0] if len(parts) == 1 else builder.program.map(whole, *parts)
    return total, total.shape


@operator("ConvInteger")
def conv_integer(
    builder: Builder, node: Node, x: Value, w: Value, x_zero: Value | None = None, w_zero: Value | None = None
) -> Any:
    """Lower a convolution of integers to int32."""
    total, shape = integer_convolution(builder, node, x, w, x_zero, w_zero)
    return channels_first(builder, builder.value(total, DataType.INT32, shape, x, w, x_zero, w_zero))


@operator("QLinearConv")
def quantised_convolution(
    builder: Builder,
    node: Node,
    x: Value,
    x_scale: Value,
    x_zero: Value,
    w: Value,
    w_scale: Value,
    w_zero: Value,
    y_scale: Value,
    y_zero: Value,
    bias: Value | None = None,
) -> Any:
    """Lower a convolution of quantised values."""
    total, shape = integer_convolution(builder, node, x, w, x_zero, w_zero)
    sums = builder.value(total, DataType.INT32, shape, x, w, x_zero, w_zero)
    if bias is not None:
        sums = builder.map(fn.add, sums, bias, dtype=DataType.INT32)
    return channels_first(builder, requantised(builder, sums, (x_scale, w_scale, y_scale), y_zero))
