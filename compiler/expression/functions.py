"""The functions of expressions, beside Python's operators.

Integer functions take ``dtype`` (the result's format, by default the operands') and ``saturate`` (default: wrap).
"""

from typing import Any

from arch.isa.codes import Relation
from compiler.expression.expr import Expr, binary, choose, compare, convert, unary

__all__ = [
    "add",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "cast",
    "equal",
    "exp",
    "log",
    "maximum",
    "minimum",
    "multiply",
    "not_equal",
    "recip",
    "relu",
    "rsqrt",
    "shift_left",
    "shift_right",
    "shift_right_logical",
    "sigmoid",
    "square",
    "subtract",
    "tanh",
    "where",
]


def add(a: Any, b: Any, dtype: str | None = None, saturate: bool = False) -> Expr:
    """Return a + b."""
    return binary("ADD", a, b, dtype, saturate)


def subtract(a: Any, b: Any, dtype: str | None = None, saturate: bool = False) -> Expr:
    """Return a - b."""
    return binary("SUB", a, b, dtype, saturate)


def multiply(a: Any, b: Any, dtype: str | None = None, saturate: bool = False) -> Expr:
    """Return a * b."""
    return binary("MUL", a, b, dtype, saturate)


def square(a: Expr) -> Expr:
    """Return a * a."""
    return binary("MUL", a, a)


def maximum(a: Any, b: Any, dtype: str | None = None, saturate: bool = False) -> Expr:
    """Return the larger of both; floats: IEEE 754-2019 maximum, a NaN wins."""
    return binary("MAX", a, b, dtype, saturate)


def minimum(a: Any, b: Any, dtype: str | None = None, saturate: bool = False) -> Expr:
    """Return the smaller of both; floats: IEEE 754-2019 minimum, a NaN wins."""
    return binary("MIN", a, b, dtype, saturate)


def relu(a: Expr, dtype: str | None = None, saturate: bool = False) -> Expr:
    """Return a where it is positive, else 0; a NaN stays."""
    return unary("RELU", a, dtype, saturate)


def shift_left(a: Any, b: Any, dtype: str | None = None, saturate: bool = False) -> Expr:
    """Return ``a * 2**(b mod 32)``, exact before it is narrowed."""
    return binary("SHL", a, b, dtype, saturate)


def shift_right(a: Any, b: Any, dtype: str | None = None, saturate: bool = False) -> Expr:
    """Return ``floor(a / 2**(b mod 32))``."""
    return binary("SHR", a, b, dtype, saturate)


def shift_right_logical(a: Any, b: Any, dtype: str | None = None, saturate: bool = False) -> Expr:
    """Return a, as an unsigned number of its format, shifted right by ``b mod 32``."""
    return binary("SHRL", a, b, dtype, saturate)


def bitwise_and(a: Any, b: Any, dtype: str | None = None, saturate: bool = False) -> Expr:
    """Return a & b, bit by bit before it is narrowed."""
    return binary("AND", a, b, dtype, saturate)


def bitwise_or(a: Any, b: Any, dtype: str | None = None, saturate: bool = False) -> Expr:
    """Return a | b, bit by bit before it is narrowed."""
    return binary("OR", a, b, dtype, saturate)


def bitwise_xor(a: Any, b: Any, dtype: str | None = None, saturate: bool = False) -> Expr:
    """Return a ^ b, bit by bit before it is narrowed."""
    return binary("XOR", a, b, dtype, saturate)


def bitwise_not(a: Expr, dtype: str | None = None, saturate: bool = False) -> Expr:
    """Return ~a, bit by bit before it is narrowed."""
    return unary("NOT", a, dtype, saturate)


def equal(a: Any, b: Any) -> Expr:
    """Return the mask (int8, -1 or 0) of a == b."""
    return compare(Relation.EQ, a, b)


def not_equal(a: Any, b: Any) -> Expr:
    """Return the mask of a != b."""
    return compare(Relation.NE, a, b)


def where(mask: Expr, a: Any, b: Any, dtype: str | None = None, saturate: bool = False) -> Expr:
    """Return a where the int8 `mask` is not 0, else b."""
    return choose(mask, a, b, dtype, saturate)


def cast(a: Expr, dtype: str, saturate: bool = False) -> Expr:
    """Return a in another format.

    Integers wrap, or saturate if asked to. To a float: nearest even. A float to an integer: nearest even, always
    saturating, NaN gives 0.
    """
    return convert(a, dtype, saturate)


def exp(a: Expr) -> Expr:
    """Return e to the a, float32."""
    return unary("EXP", a)


def tanh(a: Expr) -> Expr:
    """Return the hyperbolic tangent, float32."""
    return unary("TANH", a)


def rsqrt(a: Expr) -> Expr:
    """Return 1 / sqrt(a), float32."""
    return unary("RSQRT", a)


def recip(a: Expr) -> Expr:
    """Return 1 / a, float32."""
    return unary("RECIP", a)


def log(a: Expr) -> Expr:
    """Return the natural logarithm, float32."""
    return unary("LOG", a)


def sigmoid(a: Expr) -> Expr:
    """Return 1 / (1 + exp(-a)), float32."""
    return unary("SIGMOID", a)
