"""Normalisations, in float32 within each."""

from typing import Any

import numpy as np

from compiler.expression import functions as fn
from compiler.expression.expr import Expr
from compiler.library.normalisation import layernorm, rmsnorm
from models.builder import Builder
from models.node import Node
from models.operators import functions as more
from models.operators.products import shaped
from models.registry import operator
from models.value import Value
from models.walk import NoLowering


@operator("BatchNormalization", since=9)
def batch_normalization(
    builder: Builder, node: Node, x: Value, scale: Value, shift: Value, mean: Value, variance: Value
) -> Any:
    """Lower batch normalisation with known or computed statistics, as in inference."""
    if node.get("training_mode") or node.outputs > 1:
        raise node.refuse("training_mode must be 0, not 1: the chip does not train")
    epsilon = float(node.get("epsilon", 1e-5))
    shape = (-1, *(1,) * (x.rank - 2)) if x.rank > 1 else (-1,)
    operands = [shaped(builder, value, (value.shape[0], *shape[1:])) for value in (scale, shift, mean, variance)]

    def function(item: Expr, factor: Expr, offset: Expr, centre: Expr, spread: Expr) -> Expr:
        return (item - centre) * (fn.rsqrt(spread + epsilon) * factor) + offset

    return builder.map(function, x, *operands, dtype=x.dtype)


@operator("InstanceNormalization")
def instance_normalization(builder: Builder, node: Node, x: Value, scale: Value, shift: Value) -> Any:
    """Lower the normalisation of every channel of every element of the batch."""
    epsilon, places = float(node.get("epsilon", 1e-5)), [*range(2, x.rank)]
    share = 1 / int(np.prod(x.shape[2:]))
    factor, offset = (shaped(builder, value, (value.shape[0], *(1,) * (x.rank - 2))) for value in (scale, shift))
    mean = _wide(builder, x, places, share)
    spread = builder.program.reduce(
        (builder.view(x), mean),
        "add",
        tuple(places),
        function=lambda item, centre: fn.square(item - centre),
        finish=lambda total: fn.rsqrt(total * share + epsilon),
        keepdims=True,
    )
    made = builder.program.map(
        lambda item, centre, width, a, b: (item - centre) * (width * a) + b,
        builder.view(x),
        mean,
        spread,
        builder.view(factor),
        builder.view(offset),
        dtype=builder.held(x.dtype),
    )
    return builder.value(made, x.dtype, x.shape, x, scale, shift)


def _wide(builder: Builder, x: Value, places: list[int], share: float) -> Any:
    """Return means in float32, whatever the precision."""
    return builder.program.reduce(
        builder.view(x), "add", tuple(places), finish=lambda total: total * share, keepdims=True
    )


@operator("LayerNormalization", "RMSNormalization")
def layer_normalization(builder: Builder, node: Node, x: Value, scale: Value, shift: Value | None = None) -> Any:
    """Lower the normalisation of the last axes by the library's kernels, where no statistics are asked for."""
    axis = node.get("axis", -1) % x.rank
    inner = int(np.prod(x.shape[axis:]))
    if node.outputs > 1 or int(np.prod(scale.shape)) != inner:
        raise NoLowering
    epsilon = float(node.get("epsilon", 1e-5))
    rows = builder.view(shaped(builder, x, (int(np.prod(x.shape[:axis])), inner)))
    gamma = builder.view(shaped(builder, scale, (inner,)), "float32")
    target = builder.held(x.dtype)
    if node.operator == "RMSNormalization":
        made = rmsnorm(builder.program, rows, gamma, epsilon, target)
    else:
        if shift is None:
            beta = builder.program.constant(builder.program.fresh_name("zeros"), np.zeros(inner, np.float32)).view()
        else:
            beta = builder.view(shaped(builder, shift, (inner,)), "float32")
        made = layernorm(builder.program, rows, gamma, beta, epsilon, target)
    return builder.value(made, x.dtype, x.shape, x, scale, shift)


@operator("LpNormalization")
def lp_normalization(builder: Builder, node: Node, x: Value) -> Any:
    """Lower the division by a norm along an axis; of zeros zeros."""
    p, axis = int(node.get("p", 2)), node.get("axis", -1) % x.rank
    if p not in (1, 2):
        raise node.refuse(f"p must be 1 or 2, not {p}")
    function = fn.square if p == 2 else more.absolute

    def finish(total: Expr) -> Expr:
        return fn.where(fn.equal(total, 0.0), 0.0, fn.rsqrt(total) if p == 2 else fn.recip(total))

    share = builder.program.reduce(builder.view(x), "add", (axis,), function=function, finish=finish, keepdims=True)
    made = builder.program.map(fn.multiply, builder.view(x), share, dtype=builder.held(x.dtype))
    return builder.value(made, x.dtype, x.shape, x)


@operator("LRN")
def local_response(builder: Builder, node: Node, x: Value) -> Any:
    """Lower the division by a power of the sum of squares of channels nearby."""
    size, alpha = int(node.attributes["size"]), float(node.get("alpha", 1e-4))
    beta, bias = float(node.get("beta", 0.75)), float(node.get("bias", 1.0))
    before = (size - 1) // 2
    sides = [(0, 0), (before, size - 1 - before), *((0, 0),) * (x.rank - 2)]
    channels = x.shape[1]
    near = builder.moved(
        x,
        lambda numbers: np.stack([np.pad(numbers, sides)[:, place : place + channels] for place in range(size)]),
    )
    total = builder.program.reduce(builder.view(near), "add", (0,), function=fn.square)
    made = builder.program.map(
        lambda item, squares: item * fn.exp(fn.log(squares * (alpha / size) + bias) * -beta),
        builder.view(x),
        total,
        dtype=builder.held(x.dtype),
    )
    return builder.value(made, x.dtype, x.shape, x)
