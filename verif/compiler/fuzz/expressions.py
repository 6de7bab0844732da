"""Elementwise expressions as data: their text, their meaning by the golden ALU, and random ones.

A leaf is the name of an operand or a number; a node is a list of an operation's name, its operands and, for functions
that take them, a dict of ``dtype`` and ``saturate``: ``["add", "a", ["relu", "b"], {"dtype": "int8"}]``. The meaning is
written from what `compiler.expression` promises, without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError
from arch.formats import DType
from arch.isa.codes import Relation
from golden.vxm.alu import operate

__all__ = ["FORMATS", "FUNCTIONS", "NAMES", "Illegal", "convert", "meaning", "random_expression", "text"]

Array = npt.NDArray[Any]
Expression = Any
"""A leaf or a node, as JSON has it."""

FORMATS = {dtype.numpy.name: dtype for dtype in DType}
INTEGERS = tuple(name for name, dtype in FORMATS.items() if not dtype.is_float)
FLOATS = tuple(name for name, dtype in FORMATS.items() if dtype.is_float)
NAMES = "abcdefgh"
"""Names of operands, in order."""

_NUMBERS = {"i": (0, 1, -1, 3, -5, 7, 100, -128), "f": (0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 0.1, 88.0, 3e38)}


class Illegal(Exception):
    """What the interface does not define: no candidate for a random graph, nor for a smaller one."""


@dataclass(frozen=True)
class Function:
    """An operation of expressions.

    Attributes
    ----------
    mnemonic : str
        The ALU's instruction.
    arity : int
    kinds : str
        ``i`` and ``f``: which operands it takes.
    sign : str
        Of Python's operator; empty for a function of `compiler.expression.functions`.
    relation : Relation or None
        Of a comparison.
    narrows : bool
        Whether it takes ``dtype`` and ``saturate``.
    """

    mnemonic: str
    arity: int = 2
    kinds: str = "if"
    sign: str = ""
    relation: Relation | None = None
    narrows: bool = False


FUNCTIONS: Mapping[str, Function] = {
    **{name: Function(name.upper(), 1, "f") for name in ("exp", "tanh", "rsqrt", "recip", "log", "sigmoid")},
    "square": Function("MUL", 1),
    "relu": Function("RELU", 1, narrows=True),
    "add": Function("ADD", narrows=True),
    "subtract": Function("SUB", narrows=True),
    "multiply": Function("MUL", narrows=True),
    "maximum": Function("MAX", narrows=True),
    "minimum": Function("MIN", narrows=True),
    "shift_left": Function("SHL", 2, "i", narrows=True),
    "shift_right": Function("SHR", 2, "i", narrows=True),
    "shift_right_logical": Function("SHRL", 2, "i", narrows=True),
    "bitwise_and": Function("AND", 2, "i", narrows=True),
    "bitwise_or": Function("OR", 2, "i", narrows=True),
    "bitwise_xor": Function("XOR", 2, "i", narrows=True),
    "bitwise_not": Function("NOT", 1, "i", narrows=True),
    "plus": Function("ADD", sign="+"),
    "minus": Function("SUB", sign="-"),
    "times": Function("MUL", sign="*"),
    "and": Function("AND", 2, "i", sign="&"),
    "or": Function("OR", 2, "i", sign="|"),
    "xor": Function("XOR", 2, "i", sign="^"),
    "left": Function("SHL", 2, "i", sign="<<"),
    "right": Function("SHR", 2, "i", sign=">>"),
    "not": Function("NOT", 1, "i", sign="~"),
    "negative": Function("SUB", 1, sign="-"),
    "less": Function("CMP", sign="<", relation=Relation.LT),
    "less or equal": Function("CMP", sign="<=", relation=Relation.LE),
    "greater": Function("CMP", sign=">", relation=Relation.GT),
    "greater or equal": Function("CMP", sign=">=", relation=Relation.GE),
    "equal": Function("CMP", relation=Relation.EQ),
    "not_equal": Function("CMP", relation=Relation.NE),
    "where": Function("SEL", 3, narrows=True),
    "cast": Function("CVT", 1, narrows=True),
}


def text(expression: Expression) -> str:
    """Return an expression as Python writes it."""
    if not isinstance(expression, list):
        return str(expression)
    name, operands, options = _parts(expression)
    function = FUNCTIONS[name]
    words = [text(operand) for operand in operands]
    if function.sign:
        return f"({words[0]} {function.sign} {words[1]})" if len(words) == 2 else f"({function.sign}{words[0]})"
    words += [f"{key}={value!r}" for key, value in options.items()]
    return f"{name}({', '.join(words)})"


def meaning(expression: Expression, operands: Mapping[str, Array]) -> Array:
    """Return the value of an expression on arrays of one shape.

    Raises
    ------
    Illegal
        For formats that an operation does not take.
    """
    found = _meaning(expression, operands)
    if not isinstance(found, np.ndarray):
        raise Illegal(f"expression must have an operand, not {expression!r}")
    return found


def convert(values: Array, dtype: str, saturate: bool = False) -> Array:
    """Return values in another format: integers wrap, or saturate; floats as CVT converts them."""
    if values.dtype.name == dtype:
        return values
    integers = values.dtype.name in INTEGERS and dtype in INTEGERS
    return _alu("PASS" if integers else "CVT", dtype, values, saturate=saturate)


def _meaning(expression: Expression, operands: Mapping[str, Array]) -> Any:
    if isinstance(expression, str):
        return operands[expression]
    if not isinstance(expression, list):
        return expression
    name, given, options = _parts(expression)
    function = FUNCTIONS[name]
    values = [_meaning(operand, operands) for operand in given]
    if len(values) != function.arity:
        raise Illegal(f"{name} must have {function.arity} operands, not {len(values)}")
    dtype, saturate = options.get("dtype"), options.get("saturate", False)
    if name == "cast":
        return convert(_array(values[0]), str(dtype), saturate)
    mask = values.pop(0) if name == "where" else None
    if mask is not None and (not isinstance(mask, np.ndarray) or mask.dtype != np.int8):
        raise Illegal("mask must be an int8 expression")
    if name == "negative":
        # Integers are subtracted from 0; floats times -1, which turns the sign of a zero too.
        integer = _array(values[0]).dtype.kind == "i"
        function = FUNCTIONS["minus" if integer else "times"]
        values = [0, values[0]] if integer else [values[0], -1.0]
    if len(values) == 1:
        values *= 2
    left, right = _matched(*values)
    if function.relation is not None:
        return _alu("CMP", "int8", left, right, relation=function.relation)
    reads = left.dtype.name
    target = dtype or reads
    if reads in FLOATS:
        return convert(_alu(function.mnemonic, reads, left, right, mask), target)
    return _alu(function.mnemonic, target, left, right, mask, saturate=saturate)


def _parts(expression: list[Any]) -> tuple[str, list[Any], dict[str, Any]]:
    name, *operands = expression
    options = operands.pop() if operands and isinstance(operands[-1], dict) else {}
    if name not in FUNCTIONS:
        raise Illegal(f"operation must be one of {', '.join(FUNCTIONS)}, not {name!r}")
    return name, operands, options


def _array(value: Any) -> Array:
    if not isinstance(value, np.ndarray):
        raise Illegal(f"operand must be an expression, not {value!r}")
    return value


def _single(values: Array) -> Array:
    return convert(values, "float32") if values.dtype == np.float16 else values


def _matched(a: Any, b: Any) -> tuple[Array, Array]:
    """Return both operands in one format: numbers take the other's, narrow integers are widened."""
    if not isinstance(a, np.ndarray):
        right = _single(_array(b))
        return _constant(a, right), right
    left = _single(a)
    if not isinstance(b, np.ndarray):
        return left, _constant(b, left)
    right = _single(b)
    if left.dtype.kind != right.dtype.kind:
        raise Illegal(f"operands must both be integers or floats, not {left.dtype} and {right.dtype}")
    widest = max(left.dtype, right.dtype, key=lambda dtype: dtype.itemsize).name
    return convert(left, widest), convert(right, widest)


def _constant(value: Any, beside: Array) -> Array:
    if beside.dtype.kind == "i":
        limits = np.iinfo(beside.dtype)
        if value != int(value) or not limits.min <= value <= limits.max:
            raise Illegal(f"number must fit {beside.dtype}, not be {value!r}")
    return np.full(beside.shape, value, beside.dtype)


def _alu(
    mnemonic: str,
    out: str,
    a: Array,
    b: Array | None = None,
    mask: Array | None = None,
    saturate: bool = False,
    relation: Relation = Relation.EQ,
) -> Array:
    dtype, first, second = FORMATS[a.dtype.name], _bits(a), _bits(a if b is None else b)
    third = 0 if mask is None else _bits(mask)
    try:
        found = operate(mnemonic, dtype, FORMATS[out], saturate, first, second, third, relation=relation)
    except (TaktError, KeyError) as error:
        raise Illegal(str(error)) from None
    found = np.asarray(found, np.uint32).reshape(a.shape)
    if out in FLOATS:
        return np.ascontiguousarray(found.astype(f"u{FORMATS[out].size}")).view(out)
    return found.view(np.int32).astype(out)


def _bits(values: Array) -> Array:
    """Return the patterns that an ALU takes: integers sign-extended to 32 bits."""
    whole = np.ascontiguousarray(values).reshape(values.shape)
    if values.dtype.kind == "f":
        return whole.view(f"u{values.itemsize}").astype(np.uint32)
    return whole.astype(np.int32).view(np.uint32)


def random_expression(rng: np.random.Generator, dtypes: Sequence[str], size: int) -> tuple[Expression, str]:
    """Return an expression of about `size` operations on operands ``a``, ``b`` ... of some formats, and its format."""
    operands = {NAMES[index]: np.ones(1, dtype) for index, dtype in enumerate(dtypes)}
    pool: list[tuple[Expression, str]] = [(name, value.dtype.name) for name, value in operands.items()]
    names = list(FUNCTIONS)
    grown = 0
    for _ in range(8 * size):
        name = names[int(rng.integers(len(names)))]
        function = FUNCTIONS[name]
        fitting = [item for item in pool if np.dtype(item[1]).kind in function.kinds]
        if not fitting or grown == size:
            continue
        # The last results most, so that expressions become deep.
        first = fitting[-1 - int(len(fitting) * rng.random() ** 2)]
        kind = np.dtype(first[1]).kind
        chosen: list[Any] = [first[0]]
        for _ in range(function.arity - 1 - (name == "where")):
            alike = [item[0] for item in fitting if np.dtype(item[1]).kind == kind]
            number = _NUMBERS[kind][int(rng.integers(len(_NUMBERS[kind])))]
            chosen.append(number if rng.random() < 0.35 else alike[int(rng.integers(len(alike)))])
        if name == "where":
            masks = [item[0] for item in pool if item[1] == "int8"]
            if not masks:
                masks, grown = [["greater", first[0], _NUMBERS[kind][0]]], grown + 1
            chosen.insert(0, masks[int(rng.integers(len(masks)))])
        node = [name, *chosen]
        if name == "cast":
            node.append({"dtype": (*INTEGERS, *FLOATS)[int(rng.integers(len(FORMATS)))]})
        elif function.narrows and kind == "i" and rng.random() < 0.3:
            node.append({"dtype": INTEGERS[int(rng.integers(3))], "saturate": bool(rng.integers(2))})
        try:
            with np.errstate(all="ignore"):
                pool.append((node, meaning(node, operands).dtype.name))
        except Illegal:
            continue
        grown += 1
    return pool[-1]
