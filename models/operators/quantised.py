"""Quantised operators: exact integer products, and scales in float32."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from onnx_ir import DataType

from compiler.expression import functions as fn
from compiler.expression.expr import Expr
from models.builder import Builder
from models.node import Node
from models.operators.products import matrices, shaped
from models.registry import operator
from models.value import Refused, Value, constant

_LIMITS = {
    DataType.INT2: (-2, 1),
    DataType.UINT2: (0, 3),
    DataType.INT4: (-8, 7),
    DataType.UINT4: (0, 15),
    DataType.INT8: (-128, 127),
    DataType.UINT8: (0, 255),
    DataType.INT16: (-(1 << 15), (1 << 15) - 1),
    DataType.UINT16: (0, (1 << 16) - 1),
}


def digits(builder: Builder, value: Value, zero: Value | None) -> list[tuple[int, Value]]:
    """Return int8 values, times factors, whose sum is a value of 8 bits without its zero point, -255 to 255.

    One, or where that is too narrow the last bit, and twice the others; the first factor is 1. Products of them, added
    up, are exact; padding is 0 in all of them.
    """
    if value.dtype not in (DataType.INT8, DataType.UINT8):
        raise Refused(f"operand of an integer product must be int8 or uint8, not {value.dtype.name.lower()}")
    low, high = _LIMITS[value.dtype]
    if zero is None:
        zero = constant(np.zeros((), value.dtype.numpy()))
    if value.array is not None and zero.array is not None:
        whole = value.array.astype(np.int32) - zero.array.astype(np.int32)
        if whole.min(initial=0) >= -128 and whole.max(initial=0) <= 127:
            return [(1, constant(whole.astype(np.int8)))]
        return [(1, constant((whole & 1).astype(np.int8))), (2, constant((whole >> 1).astype(np.int8)))]
    if zero.array is not None and low - int(zero.array.max()) >= -128 and high - int(zero.array.min()) <= 127:
        if not zero.array.any():
            return [(1, value)]
        return [(1, builder.map(_less, value, zero, dtype=DataType.INT8))]

    def apart(x: Expr, z: Expr) -> tuple[Expr, Expr]:
        whole = _less(x, z)
        return whole & 1, whole >> 1

    odd, half = builder.map(apart, value, zero, dtype=DataType.INT8)
    return [(1, odd), (2, half)]


def _less(x: Expr, zero: Expr) -> Expr:
    return fn.cast(x, "int32") - fn.cast(zero, "int32")


def integer_product(builder: Builder, a: Value, b: Value, a_zero: Value | None, b_zero: Value | None) -> Value:
    """Return the int32 product of matrices of 8 bits without their zero points."""
    a_zero, b_zero = _per_row(builder, a, a_zero), _per_column(builder, b, b_zero)
    left, right, shape = matrices(builder, a, b)
    if a.rank == 1 and a_zero is not None and a_zero.rank:
        a_zero = shaped(builder, a_zero, ())
    total: Any = None
    others = digits(builder, right, b_zero)
    for times, first in digits(builder, left, a_zero):
        for more, second in others:
            views = builder.view(first), builder.view(second)
            if total is None:
                total = builder.program.matmul(*views)
            else:
                total = builder.program.matmul(*views, epilogue=_added(times * more), operands=(total,))
    return builder.value(total, DataType.INT32, shape, a, b, a_zero, b_zero)


def _added(factor: int) -> Callable[[Expr, Expr], Expr]:
    """Return an epilogue that adds a sum, times a factor, to one before."""
    return lambda total, before: (total * factor if factor > 1 else total) + before


def _per_row(builder: Builder, a: Value, zero: Value | None) -> Value | None:
    if zero is None or not zero.rank or zero.shape == (1,):
        return zero if zero is None else shaped(builder, zero, ())
    return shaped(builder, zero, (*zero.shape, 1)) if zero.rank == 1 else zero


def _per_column(builder: Builder, b: Value, zero: Value | None) -> Value | None:
    return shaped(builder, zero, ()) if zero is not None and zero.shape == (1,) else zero


def requantised(builder: Builder, sums: Value, scales: Sequence[Value], zero: Value) -> Value:
    """Return ``saturate(round_half_even(float32(sums) * (a * b / y)) + zero)``, of the type of `zero`.

    Parameters
    ----------
    builder : Builder
    sums : Value
        int32.
    scales : sequence of Value
        Of both operands and of the result; those of operands may be one per row or column.
    zero : Value
    """
    low, high = _LIMITS[zero.dtype]
    a, b, y = scales
    if a.array is not None and b.array is not None and y.array is not None:
        factor = a.array.astype(np.float32) * b.array.astype(np.float32) / y.array.astype(np.float32)
        scales = [constant(factor.astype(np.float32))]

    def function(total: Expr, offset: Expr, *factors: Expr) -> Expr:
        share = factors[0] if len(factors) == 1 else factors[0] * factors[1] * fn.recip(factors[2])
        moved = fn.cast(fn.cast(total, "float32") * share, "int32") + fn.cast(offset, "int32")
        return fn.minimum(fn.maximum(moved, low), high)

    found: Value = builder.map(function, sums, zero, *scales, dtype=zero.dtype)
    return found


@operator("MatMulInteger")
def matmul_integer(
    builder: Builder, node: Node, a: Value, b: Value, a_zero: Value | None = None, b_zero: Value | None = None
) -> Any:
    """Lower a product of integers to int32."""
    return integer_product(builder, a, b, a_zero, b_zero)


@operator("QLinearMatMul")
def quantised_matmul(
    builder: Builder,
    node: Node,
    a: Value,
    a_scale: Value,
    a_zero: Value,
    b: Value,
    b_scale: Value,
    b_zero: Value,
    y_scale: Value,
    y_zero: Value,
) -> Any:
    """Lower a product of quantised matrices."""
    sums = integer_product(builder, a, b, a_zero, b_zero)
    row_scale = shaped(builder, a_scale, (*a_scale.shape, 1)) if a_scale.rank == 1 and a_scale.shape[0] > 1 else a_scale
    scales = [_scalar(builder, row_scale), _scalar(builder, b_scale), _scalar(builder, y_scale)]
    return requantised(builder, sums, scales, _scalar(builder, y_zero))


def _scalar(builder: Builder, value: Value) -> Value:
    return shaped(builder, value, ()) if value.shape == (1,) else value


def _along(builder: Builder, node: Node, x: Value, value: Value, axis: int) -> Value:
    """Return scales or zero points in a shape that broadcasts to that of `x`: one, per axis, or per block of it."""
    if not value.rank or value.shape == (1,):
        return shaped(builder, value, ())
    if value.rank == 1:
        return shaped(builder, value, (*value.shape, *(1,) * (x.rank - 1 - axis)))
    block = int(node.get("block_size", 0)) or -(-x.shape[axis] // value.shape[axis])

    def repeated(numbers: Any) -> Any:
        key = (*(slice(None),) * axis, slice(0, x.shape[axis]))
        return np.repeat(numbers, block, axis)[key]

    return builder.moved(value, repeated)


@operator("QuantizeLinear")
def quantize(builder: Builder, node: Node, x: Value, scale: Value, zero: Value | None = None) -> Any:
    """Lower ``saturate(round_half_even(x / scale) + zero)``; of the division see `Builder.quotient`."""
    axis = node.get("axis", 1) % x.rank if x.rank else 0
    given = node.get("output_dtype", 0)
    dtype = zero.dtype if zero is not None else DataType(given) if given else DataType.UINT8
    if dtype not in _LIMITS:
        raise node.refuse(
            f"result must be one of {', '.join(one.name.lower() for one in _LIMITS)}, not {dtype.name.lower()}"
        )
    low, high = _LIMITS[dtype]
    offset = constant(np.zeros((), dtype.numpy())) if zero is None else _along(builder, node, x, zero, axis)
    step = _along(builder, node, x, scale, axis)

    def function(item: Expr, share: Expr, at: Expr) -> Expr:
        if x.is_float:
            value = fn.cast(item, "float32")
        else:
            value = fn.cast(fn.cast(item, "int32"), "float32")
        moved = fn.cast(builder.quotient(value, fn.cast(share, "float32")), "int32")
        # Beyond int32 the nearest value stands for the quotient, to which no zero point may be added.
        whole = fn.minimum(fn.maximum(moved, -(1 << 20)), 1 << 20) + fn.cast(at, "int32")
        return fn.minimum(fn.maximum(whole, low), high)

    return builder.map(function, x, step, offset, dtype=dtype)


@operator("DequantizeLinear")
def dequantize(builder: Builder, node: Node, x: Value, scale: Value, zero: Value | None = None) -> Any:
    """Lower ``(x - zero) * scale``."""
    axis = node.get("axis", 1) % x.rank if x.rank else 0
    given = node.get("output_dtype", 0)
    dtype = DataType(given) if given else scale.dtype
    step = _along(builder, node, x, scale, axis)
    operands = [] if zero is None else [_along(builder, node, x, zero, axis)]

    def function(item: Expr, share: Expr, *offset: Expr) -> Expr:
        whole = fn.cast(item, "int32")
        for one in offset:
            whole = whole - fn.cast(one, "int32")
        return fn.cast(whole, "float32") * share

    return builder.map(function, x, step, *operands, dtype=dtype)
