"""Operators of one element of each operand: arithmetic, functions, comparisons, casts."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
from onnx_ir import DataType

from compiler.expression import functions as fn
from compiler.expression.expr import Expr
from models.builder import Builder
from models.node import Node
from models.operators import functions as more
from models.registry import operator
from models.value import Value, constant, known

Binary = Callable[[Expr, Expr], Expr]

_FLOAT_FUNCTIONS: dict[str, Callable[[Expr], Expr]] = {
    "Acos": more.arccosine,
    "Acosh": more.area_cosine,
    "Asin": more.arcsine,
    "Asinh": more.area_sine,
    "Atan": more.arctangent,
    "Atanh": more.area_tangent,
    "Ceil": more.ceiling,
    "Cos": more.cosine,
    "Cosh": more.hyperbolic_cosine,
    "Erf": more.error_function,
    "Exp": fn.exp,
    "Floor": more.floor,
    "Log": fn.log,
    "Reciprocal": fn.recip,
    "Round": more.nearest,
    "Sigmoid": fn.sigmoid,
    "Sin": more.sine,
    "Sinh": more.hyperbolic_sine,
    "Softplus": more.softplus,
    "Softsign": lambda x: x * fn.recip(more.absolute(x) + 1.0),
    "Sqrt": more.root,
    "Tan": lambda x: more.sine(x) * fn.recip(more.cosine(x)),
    "Tanh": fn.tanh,
}

_ANY_FUNCTIONS: dict[str, Callable[[Expr], Expr]] = {
    "Abs": more.absolute,
    "BitwiseNot": lambda x: ~x,
    "Neg": lambda x: -x,
    "Not": lambda x: x ^ 1,
    "Relu": fn.relu,
    "Sign": more.sign,
}


def _unary(function: Callable[[Expr], Expr]) -> Callable[[Builder, Node, Value], Any]:
    return lambda builder, node, x: builder.map(function, x, dtype=x.dtype)


for _name, _function in (_FLOAT_FUNCTIONS | _ANY_FUNCTIONS).items():
    operator(_name)(_unary(_function))


def _parameters(node: Node) -> dict[str, float]:
    return {name: float(value) for name, value in node.attributes.items() if isinstance(value, float | int)}


def _elu(x: Expr, alpha: float, gamma: float = 1.0) -> Expr:
    return fn.where(x > 0.0, x * gamma, (fn.exp(fn.minimum(x, 0.0)) - 1.0) * (alpha * gamma))


def _shrink(x: Expr, lambd: float, bias: float) -> Expr:
    value = fn.cast(x, "float32")
    return fn.where(value < -lambd, value + bias, fn.where(value > lambd, value - bias, value * 0.0))


def _hard_sigmoid(x: Expr, alpha: float, beta: float) -> Expr:
    return fn.minimum(fn.maximum(x * alpha + beta, 0.0), 1.0)


_WITH_PARAMETERS: dict[str, Callable[..., Expr]] = {
    "Celu": lambda x, alpha: fn.relu(x) + (fn.exp(fn.minimum(x, 0.0) * (1 / alpha)) - 1.0) * alpha,
    "Elu": _elu,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": lambda x: x * _hard_sigmoid(x, 1 / 6, 0.5),
    "LeakyRelu": lambda x, alpha: fn.where(x < 0.0, x * alpha, fn.cast(x, "float32")),
    "Mish": lambda x: x * fn.tanh(more.softplus(x)),
    "Selu": _elu,
    "Shrink": _shrink,
    "Swish": lambda x, alpha=1.0: x * fn.sigmoid(x * alpha),
    "ThresholdedRelu": lambda x, alpha: fn.where(x > alpha, fn.cast(x, "float32"), x * 0.0),
}


@operator(*_WITH_PARAMETERS)
def with_parameters(builder: Builder, node: Node, x: Value) -> Any:
    """Lower a function whose attributes are numbers."""
    function, given = _WITH_PARAMETERS[node.operator], _parameters(node)
    return builder.map(lambda item: function(item, **given), x, dtype=x.dtype)


@operator("Gelu")
def gelu(builder: Builder, node: Node, x: Value) -> Any:
    """Lower GELU, exact or by tanh."""
    function = more.gelu_of_tanh if node.get("approximate") == "tanh" else more.gelu
    return builder.map(function, x, dtype=x.dtype)


_ARITHMETIC: dict[str, Binary] = {
    "Add": lambda a, b: a + b,
    "Sub": lambda a, b: a - b,
    "Mul": lambda a, b: a * b,
    "BitwiseAnd": lambda a, b: a & b,
    "BitwiseOr": lambda a, b: a | b,
    "BitwiseXor": lambda a, b: a ^ b,
    "And": lambda a, b: a & b,
    "Or": lambda a, b: a | b,
    "Xor": lambda a, b: a ^ b,
    "PRelu": lambda a, b: fn.where(a < (a - a), a * b, a + (a - a)),
}


@operator(*_ARITHMETIC)
def arithmetic(builder: Builder, node: Node, a: Value, b: Value) -> Any:
    """Lower an operation on two operands of one type, which is the result's."""
    return builder.map(_ARITHMETIC[node.operator], a, b, dtype=a.dtype)


@operator("Div")
def div(builder: Builder, node: Node, a: Value, b: Value) -> Any:
    """Lower a division: of integers towards 0."""
    function = builder.quotient if a.is_float else lambda x, y: more.divided(x, y)[0]
    return builder.map(function, a, b, dtype=a.dtype)


@operator("Mod")
def mod(builder: Builder, node: Node, a: Value, b: Value) -> Any:
    """Lower a remainder: of the sign of the divisor, or (``fmod``) of the dividend."""

    def floored(x: Expr, y: Expr) -> Expr:
        divisor, rest = fn.cast(y, "int32"), more.divided(x, y)[1]
        return fn.where(fn.not_equal(rest, 0) & ((rest ^ divisor) < 0), rest + divisor, rest)

    def float_floored(x: Expr, y: Expr) -> Expr:
        rest = more.float_remainder(x, y)
        apart = fn.where(y < 0.0, rest, -rest) > 0.0
        return fn.where(apart, rest + y, rest)

    if a.is_float:
        return builder.map(more.float_remainder if node.get("fmod") else float_floored, a, b, dtype=a.dtype)
    return builder.map((lambda x, y: more.divided(x, y)[1]) if node.get("fmod") else floored, a, b, dtype=a.dtype)


_LARGEST_POWER = 16
"""Constant exponents to which products are taken."""


@operator("Pow")
def pow_(builder: Builder, node: Node, a: Value, b: Value) -> Any:
    """Lower a power: products for a small constant exponent, else by exp and log; exact of integers by integers."""
    if b.array is not None and b.array.size == 1 and a.view is not None and b.rank <= a.rank:
        exponent = float(b.array.reshape(-1)[0])
        if exponent.is_integer() and 1 <= exponent <= _LARGEST_POWER:
            return builder.map(lambda x: more.whole_power(x, int(exponent)), a, dtype=a.dtype)
        if exponent == 0.5 and a.is_float:
            return builder.map(more.root, a, dtype=a.dtype)
    if not a.is_float and not b.is_float:
        return builder.map(more.integer_power, a, b, dtype=a.dtype)

    def function(x: Expr, y: Expr) -> Expr:
        made = more.power(fn.cast(x, "float32"), fn.cast(y, "float32"))
        return made if a.is_float else more.truncated(more.nearest(made))

    return builder.map(function, a, b, dtype=a.dtype)


_FOLDS: dict[str, Binary] = {"Max": fn.maximum, "Min": fn.minimum, "Sum": fn.add, "Mean": fn.add}


@operator(*_FOLDS)
def fold(builder: Builder, node: Node, *values: Value) -> Any:
    """Lower an operation on any number of operands."""
    share = 1 / len(values)

    def function(*items: Expr) -> Expr:
        total = reduce(_FOLDS[node.operator], items)
        return total * share if node.operator == "Mean" else total

    if len(values) == 1:
        return values[0]
    return builder.map(function, *values, dtype=values[0].dtype)


_COMPARISONS: dict[str, Binary] = {
    "Equal": fn.equal,
    "Greater": lambda a, b: a > b,
    "GreaterOrEqual": lambda a, b: a >= b,
    "Less": lambda a, b: a < b,
    "LessOrEqual": lambda a, b: a <= b,
}


@operator(*_COMPARISONS)
def comparison(builder: Builder, node: Node, a: Value, b: Value) -> Any:
    """Lower a comparison."""
    function = _COMPARISONS[node.operator]
    return builder.map(lambda x, y: more.boolean(function(x, y)), a, b, dtype=DataType.BOOL)


@operator("IsNaN")
def is_nan(builder: Builder, node: Node, x: Value) -> Any:
    """Lower the test for NaN, which is equal to nothing."""
    return builder.map(lambda item: more.boolean(fn.not_equal(item, item)), x, dtype=DataType.BOOL)


@operator("IsInf")
def is_infinite(builder: Builder, node: Node, x: Value) -> Any:
    """Lower the test for infinities, of both signs or of one."""
    signs = [sign for sign, name in ((1, "detect_positive"), (-1, "detect_negative")) if node.get(name)]
    if not signs:
        return constant(np.zeros(x.shape, np.bool_))

    def function(item: Expr) -> Expr:
        return more.boolean(reduce(lambda a, b: a | b, [fn.equal(item, sign * float("inf")) for sign in signs]))

    return builder.map(function, x, dtype=DataType.BOOL)


@operator("BitShift")
def bit_shift(builder: Builder, node: Node, a: Value, b: Value) -> Any:
    """Lower a shift, of signed integers with their sign; by as many bits as there are or more nothing else is left."""
    if a.dtype in (DataType.INT64, DataType.UINT64):
        raise node.refuse(f"element type must have at most 32 bits, not be {a.dtype.name.lower()}")
    bits, left = 8 * int(a.dtype.itemsize), node.get("direction") == "LEFT"
    shift = fn.shift_left if left else fn.shift_right if a.dtype.is_signed() else fn.shift_right_logical

    def function(x: Expr, y: Expr) -> Expr:
        value, count = fn.cast(x, "int32"), fn.cast(y, "int32")
        beyond = value >> 31 if a.dtype.is_signed() and not left else value - value
        return fn.where((count < 0) | (count >= bits), beyond, shift(value, count))

    return builder.map(function, a, b, dtype=a.dtype)


@operator("Where")
def where(builder: Builder, node: Node, condition: Value, a: Value, b: Value) -> Any:
    """Lower a choice between two operands, element by element."""
    if condition.array is not None and condition.array.size == 1:
        # One of them, in the shape of all.
        chosen = a if condition.array.reshape(-1)[0] else b
        shape = np.broadcast_shapes(condition.shape, a.shape, b.shape)
        return builder.moved(chosen, lambda numbers: np.broadcast_to(numbers, shape))
    return builder.map(fn.where, condition, a, b, dtype=a.dtype)


@operator("Clip", since=11)
def clip(builder: Builder, node: Node, x: Value, low: Value | None = None, high: Value | None = None) -> Any:
    """Lower the limits of a value; the upper one counts where they cross."""
    if low is None and high is None:
        return x
    limits = [value for value in (low, high) if value is not None]

    def function(item: Expr, *bounds: Expr) -> Expr:
        following = iter(bounds)
        if low is not None:
            item = fn.maximum(item, next(following))
        return item if high is None else fn.minimum(item, next(following))

    return builder.map(function, x, *limits, dtype=x.dtype)


def cast_value(builder: Builder, x: Value, target: DataType) -> Any:
    """Return a value in another type: floats to integers towards 0, integers to fewer bits modulo their number."""
    if target is x.dtype:
        return x
    if target is DataType.BOOL:
        return builder.map(
            lambda item: more.boolean(fn.not_equal(item, 0.0 if x.is_float else 0)), x, dtype=DataType.BOOL
        )
    if x.is_float and not target.is_floating_point():
        return builder.map(more.truncated, x, dtype=target)
    return builder.map(lambda item: item, x, dtype=target)


@operator("Cast")
def cast(builder: Builder, node: Node, x: Value) -> Any:
    """Lower a change of type."""
    return cast_value(builder, x, DataType(node.attributes["to"]))


@operator("BitCast")
def bit_cast(builder: Builder, node: Node, x: Value) -> Any:
    """Lower another reading of the bits of integers."""
    target = DataType(node.attributes["to"])
    if x.is_float or target.is_floating_point() or target.itemsize != x.dtype.itemsize:
        raise node.refuse(
            f"types must be integers of one size, not {x.dtype.name.lower()} and {target.name.lower()}: "
            "no unit reads a float's bits as an integer"
        )
    return builder.map(lambda item: item, x, dtype=target)


@operator("CastLike")
def cast_like(builder: Builder, node: Node, x: Value, like: Value) -> Any:
    """Lower a change to another value's type."""
    return cast_value(builder, x, like.dtype)


@operator("Identity")
def identity(builder: Builder, node: Node, x: Value) -> Value:
    """Return the value itself."""
    return x


@operator("Dropout", since=12)
def dropout(builder: Builder, node: Node, x: Value, ratio: Value | None = None, training: Value | None = None) -> Any:
    """Lower dropout, which does nothing but in training."""
    rate = 0.5 if ratio is None else float(known(ratio, "ratio"))
    if training is not None and bool(known(training, "training_mode")) and rate:
        raise node.refuse("training_mode must be false: the chip has no random numbers")
    return x, constant(np.ones(x.shape, np.bool_))
