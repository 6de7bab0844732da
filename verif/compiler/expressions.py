"""Expressions evaluated by the golden ALU, and random ones."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.formats import DType
from arch.image import Image
from compiler.expression import functions
from compiler.expression.expr import CONSTANT, FORMATS, OPERAND, Expr
from compiler.expression.functions import (
    cast,
    exp,
    log,
    maximum,
    minimum,
    recip,
    relu,
    rsqrt,
    sigmoid,
    tanh,
    where,
)
from compiler.program import Program
from golden.machine.machine import Machine
from golden.vxm.alu import operate
from verif.bits import same_bits

Array = npt.NDArray[Any]

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "recip": recip,
    "log": log,
    "rsqrt": rsqrt,
    "exp": exp,
    "tanh": tanh,
    "sigmoid": sigmoid,
    "relu": relu,
    "sign": lambda a: a * rsqrt(a * a),
    "negative": lambda a: -a,
    "huge": lambda a: a * 3e38,
    "plus one": lambda a: a + 1.0,
    "minus two": lambda a: a - 2.0,
    "one over one minus": lambda a: recip(1.0 - a),
    "masked": lambda a: where(a > 0.0, 1.0 - a, recip(a)),
}
"""Functions of a float operand; of zero, some are infinite or NaN."""

INTEGER_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "plus three": lambda a: a + 3,
    "not": lambda a: ~a,
    "times minus five": lambda a: a * -5,
    "relu": relu,
    "equal": lambda a: cast(a < 1, "int32"),
}
PAIRS: dict[str, Callable[..., Any]] = {
    "sum": lambda a, b: a + b,
    "difference": lambda a, b: a - b,
    "product": lambda a, b: a * b,
    "larger": maximum,
    "smaller": minimum,
}


def bits_of(values: Array) -> Array:
    """Return values as the 32-bit patterns of the ALU: integers sign-extended."""
    if values.dtype.kind == "f":
        return values.view(f"u{values.itemsize}").astype(np.uint32)
    return values.astype(np.int32).view(np.uint32)


def values_of(bits: Array, dtype: DType) -> Array:
    """Return patterns of the ALU as values."""
    if dtype.is_float:
        return bits.astype(f"u{dtype.size}").view(dtype.numpy)
    return bits.view(np.int32).astype(dtype.numpy)


def evaluate(expr: Expr, operands: Sequence[Array]) -> Array:
    """Return the value of an expression on arrays that broadcast."""
    arrays = np.broadcast_arrays(*(bits_of(operand) for operand in operands))
    shape = arrays[0].shape
    found: dict[int, Array] = {}
    for node in expr.walk():
        if node.mnemonic == OPERAND:
            bits = arrays[node.index]
        elif node.mnemonic == CONSTANT:
            bits = np.full(shape, node.value, np.uint32)
        else:
            a, b = (found[id(arg)] for arg in (node.args * 2)[:2])
            c = found[id(node.args[2])] if len(node.args) == 3 else 0
            bits = operate(node.mnemonic, node.reads, node.dtype, node.saturate, a, b, c, relation=node.relation)
        found[id(node)] = np.asarray(bits)
    return values_of(found[id(expr)], expr.dtype)


def apply(function: Callable[..., Any], *operands: Array) -> Array:
    """Return ``function(*operands)`` of a function that builds one expression."""
    exprs = [Expr(OPERAND, FORMATS[operand.dtype.name], index=i) for i, operand in enumerate(operands)]
    return evaluate(function(*exprs), operands)


def random_values(rng: np.random.Generator, dtype: str, *shape: int) -> Array:
    """Return random values of a format: integers of all bits, floats of all magnitudes."""
    kind = np.dtype(dtype)
    if kind.kind == "i":
        info = np.iinfo(kind)
        return rng.integers(info.min, info.max + 1, shape).astype(kind)
    return (rng.standard_normal(shape) * 2.0 ** rng.integers(-8, 9, shape)).astype(kind)


def random_function(rng: np.random.Generator, operands: int, is_float: bool, size: int) -> Callable[..., Expr]:
    """Return a function of expressions with `size` random operations that uses the last results most."""
    both = ["add", "subtract", "multiply", "maximum", "minimum"]
    names = both if is_float else [*both, "shift_right", "shift_left"]
    plan = [(str(rng.choice([*names, "relu"])), rng.random(2), rng.integers(-100, 100)) for _ in range(size)]

    def function(*exprs: Expr) -> Expr:
        values = list(exprs)
        for name, (first, second), number in plan:
            a = values[-1 - int(first**3 * len(values))]
            if name == "relu":
                values.append(functions.relu(a))
                continue
            b: Any = values[-1 - int(second * len(values))] if second < 0.8 else int(number)
            values.append(getattr(functions, name)(a, b))
        return values[-1]

    return function


def run_golden(image: Image, **inputs: Array) -> dict[str, Array]:
    """Return the outputs of the golden machine, having checked that it takes the predicted cycles.

    Inputs that the program does not use are left out.
    """
    machine = Machine(image.config)
    used = {tensor.name for tensor in image.inputs}
    result = machine.run_image(image, {name: values for name, values in inputs.items() if name in used})
    assert result.cycles == image.cycles
    return dict(result.outputs)


def compile_map(
    config: Config, function: Callable[..., Any], operands: Sequence[Array], layout: str | int | None = None
) -> Image:
    """Return the image of one map with the inputs ``x0``, ``x1``... and the output ``y``."""
    program = Program(config, "map")
    tensors = [program.input(f"x{i}", operand.shape, operand.dtype.name) for i, operand in enumerate(operands)]
    program.output("y", program.map(function, *tensors, layout=layout))
    return program.compile()


def check_map(
    config: Config, function: Callable[..., Any], operands: Sequence[Array], layout: str | int | None = None
) -> int:
    """Compare a map on the golden machine with its definition; return its cycles."""
    image = compile_map(config, function, operands, layout)
    got = run_golden(image, **{f"x{i}": operand for i, operand in enumerate(operands)})["y"]
    want = apply(function, *operands)
    assert got.dtype == want.dtype
    same_bits(got, want)
    return image.cycles
