"""Matrix products of floats: float16 by float16 in float32, and float32 by float32 in three of them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from onnx_ir import DataType

from compiler.expression import functions as fn
from compiler.expression.expr import Expr
from compiler.ir.tensor import View
from models.builder import Builder
from models.node import Node
from models.operators.int16_weights import int16_by_int8
from models.registry import operator
from models.value import Value, constant

REST = 2048.0
"""By which what float16 loses of a float32 is multiplied, for small numbers to keep their bits."""


def factors(builder: Builder, value: Value) -> list[View]:
    """Return what planes multiply for a float value: itself in float16, and what that loses of float32, times `REST`.

    Only the former with precision float16. A number beyond float16's range is infinite, and one below
    2**-24 / 2048 is 0.
    """
    if value.array is not None:
        with np.errstate(over="ignore", invalid="ignore"):
            high = value.array.astype(np.float16)
            wide = high.astype(np.float32)
            rest = np.where(np.isinf(wide), 0, (value.array - wide) * np.float32(REST)).astype(np.float16)
        arrays = [high, rest] if _is_wide(builder, value) else [high]
        return [builder.view(constant(array)) for array in arrays]
    if not _is_wide(builder, value):
        return [builder.view(value, "float16")]

    def apart(item: Expr) -> tuple[Expr, Expr]:
        high = fn.cast(item, "float16")
        wide = fn.cast(high, "float32")
        rest = fn.where(fn.maximum(wide, -wide) < float("inf"), item - wide, 0.0)
        return high, fn.cast(rest * REST, "float16")

    made = builder.program.map(apart, builder.view(value))
    return [one.view() for one in made]


def _is_wide(builder: Builder, value: Value) -> bool:
    return value.dtype is DataType.DOUBLE or (value.dtype is DataType.FLOAT and builder.precision == "float32")


def matrix_product(
    builder: Builder,
    a: Value,
    b: Value,
    finish: Callable[..., Expr] | None = None,
    operands: Sequence[Value] = (),
) -> Value:
    """Return ``finish(a @ b, *operands)`` of values with at least two axes, of the type of `a`.

    With int8 weights, and a matrix `b` that is known: see `int16_by_int8`.

    Of float32 it is ``ah bh + (ah bl + al bh) / 2048`` of the `factors`, in float32; what is left out is below 2**-22
    of the terms.

    Parameters
    ----------
    builder : Builder
    a, b : Value
        Shapes (..., M, K) and (..., K, N).
    finish : callable, optional
        From expressions to one.
    operands : sequence of Value
        What it takes beside the sum: of shape (N,) or of the result's.
    """
    if builder.int8_weights and b.array is not None and a.array is None and b.rank == 2 and a.is_float:
        return int16_by_int8(builder, a, b, finish, operands)
    program, target = builder.program, builder.held(a.dtype)
    left, right = factors(builder, a), factors(builder, b)
    shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
    views = tuple(builder.view(operand) for operand in operands)
    last = finish or (lambda total: total)
    if len(left) == len(right) == 1:
        made = program.matmul(left[0], right[0], epilogue=last, operands=views, dtype=target)
    else:
        low = program.matmul(left[1], right[0])
        low = program.matmul(left[0], right[1], epilogue=fn.add, operands=(low,))
        made = program.matmul(
            left[0],
            right[0],
            epilogue=lambda total, rest, *others: last(total + rest * (1 / REST), *others),
            operands=(low, *views),
            dtype=target,
        )
    return builder.value(made, a.dtype, shape, a, b, *operands)


def shaped(builder: Builder, value: Value, shape: tuple[int, ...]) -> Value:
    """Return a value in another shape, with as many elements or broadcast to it."""
    size = int(np.prod(shape))
    return builder.moved(
        value, lambda numbers: numbers.reshape(shape) if numbers.size == size else np.broadcast_to(numbers, shape)
    )


def turned(builder: Builder, value: Value, axes: Sequence[int]) -> Value:
    """Return a value with its axes in another order."""
    return builder.moved(value, lambda numbers: numbers.transpose(axes))


def matrices(builder: Builder, a: Value, b: Value) -> tuple[Value, Value, tuple[int, ...]]:
    """Return operands with two axes or more, and the shape of the product, by the rules of ``np.matmul``."""
    left = a if a.rank > 1 else shaped(builder, a, (1, *a.shape))
    right = b if b.rank > 1 else shaped(builder, b, (*b.shape, 1))
    shape = [*np.broadcast_shapes(left.shape[:-2], right.shape[:-2])]
    shape += ([left.shape[-2]] if a.rank > 1 else []) + ([right.shape[-1]] if b.rank > 1 else [])
    return left, right, tuple(shape)


@operator("MatMul")
def matmul(builder: Builder, node: Node, a: Value, b: Value) -> Any:
    """Lower a product of matrices, or of stacks of them."""
    if not a.is_float:
        raise node.refuse(f"element type must be float or float16, not {a.dtype.name.lower()}")
    left, right, shape = matrices(builder, a, b)
    return shaped(builder, matrix_product(builder, left, right), shape)


@operator("Gemm")
def gemm(builder: Builder, node: Node, a: Value, b: Value, c: Value | None = None) -> Any:
    """Lower ``alpha a b + beta c``."""
    if not a.is_float:
        raise node.refuse(f"element type must be float or float16, not {a.dtype.name.lower()}")
    alpha, beta = float(node.get("alpha", 1.0)), float(node.get("beta", 1.0))
    left = turned(builder, a, (1, 0)) if node.get("transA") else a
    right = turned(builder, b, (1, 0)) if node.get("transB") else b
    operands = []
    if c is not None and beta:
        n = right.shape[1]
        operands = [shaped(builder, c, (n,) if c.shape in ((n,), (1, n)) else (left.shape[0], n))]

    def finish(total: Expr, *terms: Expr) -> Expr:
        if alpha != 1:
            total = total * alpha
        for term in terms:
            total = total + (term * beta if beta != 1 else term)
        return total

    return matrix_product(builder, left, right, finish, operands)
