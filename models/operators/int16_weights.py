"""Products of computed floats with known matrices, in int16 and int8 (W8A16)."""

from collections.abc import Callable, Sequence
from math import prod

import numpy as np

from compiler.expression.expr import Expr
from compiler.library.int16 import Int16Rows, int16_product, quantised_rows
from models.builder import Builder
from models.value import Array, Value, constant

__all__ = ["int8_columns", "int16_by_int8"]


def int8_columns(weights: Array) -> tuple[Array, Array]:
    """Return a matrix as int8 numbers and one float32 factor per column.

    The factor is ``fp32(max(|column|)) / 127``, 1 for a column of zeros; a number ``round_half_even(weight / factor)``.
    """
    wide = weights.astype(np.float32)
    peaks = np.abs(wide).max(axis=0, initial=0)
    factor = np.where(peaks > 0, peaks / np.float32(127), np.float32(1)).astype(np.float32)
    # Of the smallest floats, quotients have no bits left: these are 0 beside what they are added to.
    factor = np.maximum(factor, np.finfo(np.float32).tiny)
    return np.clip(np.rint(wide / factor), -127, 127).astype(np.int8), factor


def int16_by_int8(
    builder: Builder,
    a: Value,
    b: Value,
    finish: Callable[..., Expr] | None = None,
    operands: Sequence[Value] = (),
) -> Value:
    """Return ``finish(a @ b, *operands)``, `a` quantised row by row as it runs and the known matrix `b` beforehand.

    See `quantised_rows`, `int16_product` and `int8_columns`.

    Parameters
    ----------
    builder : Builder
    a : Value
        Shape (..., M, K).
    b : Value
        Known, shape (K, N).
    finish : callable, optional
    operands : sequence of Value
        As of `models.operators.products.matrix_product`.
    """
    assert b.array is not None
    rows = _rows(builder, a)
    numbers, factor = int8_columns(b.array)
    count, n = prod(a.shape[:-1]), b.shape[1]
    shape = (*a.shape[:-1], n)
    views = []
    for operand in operands:
        view = builder.view(operand)
        if view.shape != (n,):
            # The program broadcasts no leading axes that rows have become one of.
            elements = np.broadcast_to(view.elements, shape).reshape(count, n)
            view = type(view)(view.tensor, elements)
        views.append(view)
    weights, factors = builder.view(constant(numbers)), builder.view(constant(factor))
    made = int16_product(builder.program, rows, weights, factors, finish, views, builder.held(a.dtype))
    return builder.value(made, a.dtype, shape, a, b, *operands)


def _rows(builder: Builder, a: Value) -> Int16Rows:
    """Return the rows of a value as int16 numbers: once, however many products they are in."""
    if id(a) not in builder.int16_rows:
        view = builder.view(a, "float16").reshape(prod(a.shape[:-1]), a.shape[-1])
        # The value is kept, for its number to stay its own.
        builder.int16_rows[id(a)] = a, quantised_rows(builder.program, view)
    return builder.int16_rows[id(a)][1]
