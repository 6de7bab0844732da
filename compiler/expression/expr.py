"""A node of an expression."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from arch.errors import TaktError
from arch.formats import DType
from arch.isa.codes import Relation

OPERAND = "OPERAND"
CONSTANT = "CONSTANT"
FORMATS = {dtype.numpy.name: dtype for dtype in DType}
"""Formats by NumPy name."""
BITS = {1: DType.INT8, 2: DType.INT16, 4: DType.INT32}
"""Formats that leave bits alone, by size."""


@dataclass(frozen=True, eq=False)
class Expr:
    """A value of every lane and step: an operand, a constant, or the result of an ALU operation.

    Python's operators build further nodes: ``+ - * & | ^ ~ << >>``, comparisons ``< <= > >=`` (masks, int8 -1 or 0;
    for equality see `compiler.expression.functions.equal`) and unary minus. Integer results wrap. Operands of one
    operation have one format: numbers take the other's, narrow integers are widened, float16 becomes float32; integers
    do not become floats by themselves.

    Attributes
    ----------
    mnemonic : str
        ``OPERAND``, ``CONSTANT`` or an instruction of the VXM.
    dtype : DType
        Format of the value.
    args : tuple of Expr
        Operands a, b and (SEL) c.
    reads : DType
        Format that the operation takes its operands in.
    saturate : bool
    relation : Relation
        Of CMP.
    index : int
        Number of the operand.
    value : int
        Bits of the constant.
    accumulates : bool
        Operand b is this node's own result of three steps before; the first steps of a group pass operand a instead.
    """

    mnemonic: str
    dtype: DType
    args: tuple["Expr", ...] = ()
    reads: DType = DType.INT32
    saturate: bool = False
    relation: Relation = Relation.EQ
    index: int = 0
    value: int = 0
    accumulates: bool = field(default=False)

    def walk(self) -> Iterator["Expr"]:
        """Yield every node that this one needs, once, operands first, this one last."""
        seen: set[int] = set()
        stack = [(self, False)]
        while stack:
            node, ready = stack.pop()
            if ready:
                yield node
            elif id(node) not in seen:
                seen.add(id(node))
                stack.append((node, True))
                stack.extend((arg, False) for arg in reversed(node.args))

    def __add__(self, other: Any) -> "Expr":
        return binary("ADD", self, other)

    def __radd__(self, other: Any) -> "Expr":
        return binary("ADD", other, self)

    def __sub__(self, other: Any) -> "Expr":
        return binary("SUB", self, other)

    def __rsub__(self, other: Any) -> "Expr":
        return binary("SUB", other, self)

    def __mul__(self, other: Any) -> "Expr":
        return binary("MUL", self, other)

    def __rmul__(self, other: Any) -> "Expr":
        return binary("MUL", other, self)

    def __neg__(self) -> "Expr":
        return binary("SUB", 0, self) if not self.dtype.is_float else binary("MUL", self, -1.0)

    def __and__(self, other: Any) -> "Expr":
        return binary("AND", self, other)

    def __rand__(self, other: Any) -> "Expr":
        return binary("AND", other, self)

    def __or__(self, other: Any) -> "Expr":
        return binary("OR", self, other)

    def __ror__(self, other: Any) -> "Expr":
        return binary("OR", other, self)

    def __xor__(self, other: Any) -> "Expr":
        return binary("XOR", self, other)

    def __rxor__(self, other: Any) -> "Expr":
        return binary("XOR", other, self)

    def __invert__(self) -> "Expr":
        return unary("NOT", self)

    def __lshift__(self, other: Any) -> "Expr":
        return binary("SHL", self, other)

    def __rshift__(self, other: Any) -> "Expr":
        return binary("SHR", self, other)

    def __lt__(self, other: Any) -> "Expr":
        return compare(Relation.LT, self, other)

    def __le__(self, other: Any) -> "Expr":
        return compare(Relation.LE, self, other)

    def __gt__(self, other: Any) -> "Expr":
        return compare(Relation.GT, self, other)

    def __ge__(self, other: Any) -> "Expr":
        return compare(Relation.GE, self, other)

    def __bool__(self) -> bool:
        raise TaktError("an expression has no truth value while it is built: use where(mask, a, b)")


def binary(mnemonic: str, a: Any, b: Any, dtype: str | None = None, saturate: bool = False) -> Expr:
    """Return the node of an operation on two operands; `dtype` and `saturate` as of an integer result."""
    first, second = _matched(mnemonic, a, b)
    return _result(mnemonic, (first, second), dtype, saturate)


def unary(mnemonic: str, a: Any, dtype: str | None = None, saturate: bool = False) -> Expr:
    """Return the node of an operation on one operand."""
    if not isinstance(a, Expr):
        raise TaktError(f"operand of {mnemonic} must be an expression, not {a!r}")
    return _result(mnemonic, (single(a),), dtype, saturate)


def compare(relation: Relation, a: Any, b: Any) -> Expr:
    """Return the mask of a comparison."""
    first, second = _matched("CMP", a, b)
    return Expr("CMP", DType.INT8, (first, second), first.dtype, relation=relation)


def choose(mask: Any, a: Any, b: Any, dtype: str | None = None, saturate: bool = False) -> Expr:
    """Return a where the mask is not 0, else b; `dtype` and `saturate` as of an integer result."""
    if not isinstance(mask, Expr) or mask.dtype is not DType.INT8:
        raise TaktError(f"mask must be an int8 expression, not {describe(mask)}")
    return _result("SEL", (*_matched("SEL", a, b), mask), dtype, saturate)


def convert(a: Any, dtype: str, saturate: bool = False) -> Expr:
    """Return a value in another format; see `compiler.expression.functions.cast`."""
    target = format_of(dtype)
    if not isinstance(a, Expr):
        raise TaktError(f"operand of cast must be an expression, not {a!r}")
    if a.dtype is target:
        return a
    if not (a.dtype.is_float or target.is_float):
        return Expr("PASS", target, (a,), a.dtype, saturate=saturate)
    return Expr("CVT", target, (a,), a.dtype)


def single(a: Expr) -> Expr:
    """Return a float16 value as float32, another one as it is."""
    return convert(a, "float32") if a.dtype is DType.FP16 else a


def constant(value: Any, dtype: DType) -> Expr:
    """Return a number as a constant of a format."""
    if not isinstance(value, bool | int | float | np.integer | np.floating):
        raise TaktError(f"operand must be an expression or a number, not {value!r}")
    if dtype.is_float:
        with np.errstate(over="ignore"):
            found = np.float32(value)
        if np.isinf(found) and abs(value) != math.inf:
            raise TaktError(f"number must fit float32, not be {value!r}")
        return Expr(CONSTANT, dtype, value=int(found.view(np.uint32)))
    if isinstance(value, float | np.floating) and not float(value).is_integer():
        raise TaktError(f"number must be an integer beside {dtype.numpy.name}, not {value!r}")
    limits = np.iinfo(dtype.numpy)
    if not limits.min <= value <= limits.max:
        raise TaktError(f"number must fit {dtype.numpy.name}, not be {value!r}")
    return Expr(CONSTANT, dtype, value=int(value) & 0xFFFFFFFF)


def format_of(dtype: str) -> DType:
    """Return the format of a NumPy name.

    Raises
    ------
    TaktError
        For a name that is no format of the machine.
    """
    if str(dtype) not in FORMATS:
        raise TaktError(f"dtype must be one of {', '.join(FORMATS)}, not {str(dtype)!r}")
    return FORMATS[str(dtype)]


def describe(value: Any) -> str:
    """Return what an error message says of an operand."""
    return f"{value.dtype.numpy.name} {value.mnemonic}" if isinstance(value, Expr) else repr(value)


def _matched(mnemonic: str, a: Any, b: Any) -> tuple[Expr, Expr]:
    """Return both operands in one format."""
    if not isinstance(a, Expr) and not isinstance(b, Expr):
        raise TaktError(f"operands of {mnemonic} must include an expression, not {a!r} and {b!r}")
    if not isinstance(a, Expr):
        second = single(b)
        return constant(a, second.dtype), second
    first = single(a)
    if not isinstance(b, Expr):
        return first, constant(b, first.dtype)
    second = single(b)
    if first.dtype.is_float != second.dtype.is_float:
        raise TaktError(
            f"operands of {mnemonic} must both be integers or both be floats (use cast), "
            f"not {first.dtype.numpy.name} and {second.dtype.numpy.name}"
        )
    widest = max(first.dtype, second.dtype).numpy.name
    return convert(first, widest), convert(second, widest)


def _result(mnemonic: str, args: tuple[Expr, ...], dtype: str | None, saturate: bool) -> Expr:
    reads = args[0].dtype
    target = reads if dtype is None else format_of(dtype)
    if reads.is_float and target is not reads:
        return convert(Expr(mnemonic, reads, args, reads), target.numpy.name)
    if target.is_float and not reads.is_float:
        raise TaktError(f"result of {mnemonic} on {reads.numpy.name} must be an integer, not {target.numpy.name}")
    return Expr(mnemonic, target, args, reads, saturate and not reads.is_float)
