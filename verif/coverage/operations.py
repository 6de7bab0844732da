"""A small program for every operation of the compiler's interface, in all the forms that it has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from arch.config import Config
from arch.image import Image
from arch.presets import preset
from compiler.expression import functions as f
from compiler.expression.expr import Expr
from compiler.program import Program

__all__ = ["NANO", "OPERATIONS", "SHORT_QUEUES", "SMALL", "Operation", "sample_inputs"]

NANO, SMALL = preset("nano"), preset("small")
SHORT_QUEUES = preset("nano", ["queue_depth=16"])


@dataclass(frozen=True)
class Operation:
    """What a kernel author writes.

    Attributes
    ----------
    config : Config
    write : callable
        ``write(program)`` adds inputs, the operation and its outputs to an empty program.
    """

    config: Config
    write: Callable[[Program], None]

    def compile(self) -> Image:
        """Return the program."""
        program = Program(self.config, "operation")
        self.write(program)
        return program.compile()


def sample_inputs(image: Image, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return random inputs of a program: small numbers, which are also indices and lanes."""
    return {tensor.name: rng.integers(0, 4, tensor.shape).astype(tensor.dtype) for tensor in image.inputs}


def _map(function: Callable[..., Any], *dtypes: str, config: Config = NANO) -> Operation:
    def write(program: Program) -> None:
        shape = (3, config.vector_length)
        tensors = [program.input(f"x{index}", shape, dtype) for index, dtype in enumerate(dtypes)]
        results = program.map(function, *tensors)
        for index, result in enumerate(results if isinstance(results, tuple) else (results,)):
            program.output(f"y{index}", result)

    return Operation(config, write)


def _integers(function: Callable[..., Expr], operands: int = 2) -> Operation:
    """Return a function of integers, its results narrowed in both ways."""
    return _map(
        lambda *x: (function(*x), function(*x, dtype="int8", saturate=True)),
        *["int32"] * operands,
    )


def _numbers(function: Callable[..., Expr], operands: int = 2) -> Operation:
    """Return a function of integers, narrowed in both ways, and of floats."""
    return _map(
        lambda *x: (
            function(*x[:operands]),
            function(*x[:operands], dtype="int8", saturate=True),
            function(*x[operands:]),
        ),
        *["int32"] * operands,
        *["float32"] * operands,
    )


def _choice(mask: Expr, a: Expr, b: Expr, x: Expr, y: Expr) -> tuple[Expr, ...]:
    return f.where(mask, a, b), f.where(mask, a, b, dtype="int8", saturate=True), f.where(mask, x, y)


def _casts(integer: Expr, half: Expr, single: Expr) -> tuple[Expr, ...]:
    return (
        *(f.cast(integer, dtype) for dtype in ("int16", "float16", "float32")),
        *(f.cast(half, dtype) for dtype in ("int32", "float32")),
        *(f.cast(single, dtype) for dtype in ("int8", "float16")),
        f.cast(integer, "int8", saturate=True),
    )


def _relations(a: Expr, b: Expr) -> tuple[Expr, ...]:
    return a < b, a <= b, a > b, a >= b


def _product(dtype: str) -> Operation:
    def write(program: Program) -> None:
        k = 2 * NANO.vector_length
        x, w = program.input("x", (5, k), dtype), program.input("w", (k, 7), dtype)
        program.output("y", program.matmul(x, w))

    return Operation(NANO, write)


def _reduction(operation: str) -> Operation:
    def write(program: Program) -> None:
        program.output("y", program.reduce(program.input("x", (9, 8), "int32"), operation, axis=0))

    return Operation(NANO, write)


def _moved(move: Callable[[Program, Any], Any], config: Config = NANO, dtype: str = "int8") -> Operation:
    def write(program: Program) -> None:
        x = program.input("x", (config.lanes, config.vector_length), dtype)
        program.output("y", move(program, x))

    return Operation(config, write)


def _counter(program: Program) -> None:
    count = program.state("count", (8,), "int32")
    following = program.map(lambda a: a + 1, count)
    program.update(count, following)
    program.output("y", following)


def _gather(program: Program) -> None:
    table, indices = program.input("table", (9, 8), "int8"), program.input("indices", (5,), "int32")
    program.output("y", program.gather(table, indices))


def _arranged(program: Program) -> None:
    x, w = program.input("x", (3, 5), "int8"), program.input("w", (3, 4), "int8")
    made = program.map(lambda a: a + 1, x)
    _, rest = program.split(program.concatenate([made, w], 1), [2], 1)
    program.output("y", program.stack([program.take(rest, [2, 0], 0), program.broadcast_to(w[:1, 1:2], (2, 7))]))
    program.output("z", program.reshape(made, (5, 3)))


def _reduced(*names: str) -> Operation:
    def write(program: Program) -> None:
        for name in names:
            # Lanes run along the axis that is reduced: they have to move.
            made = program.map(lambda a: a + 1, program.input(f"x of {name}", (2, 5), "int8"))
            program.output(name, getattr(program, name)(made, -1))

    return Operation(SMALL, write)


def _barrier(program: Program) -> None:
    y = program.map(lambda a: a + 1, program.input("x", (3, 8), "int32"))
    program.barrier()
    program.output("y", program.map(lambda a: a + 1, y))


def _scatter(program: Program) -> None:
    state = program.state("rows", (9, 8), "int8")
    program.scatter(state, program.input("indices", (5,), "int32"), program.input("values", (5, 8), "int8"))
    program.output("y", program.map(lambda a: a + 1, state))


def _configure(program: Program) -> None:
    program.configure(1)
    program.output("y", program.map(lambda a: a + 1, program.input("x", (3, program.config.lanes), "int32")))


def _long(program: Program) -> None:
    value: Any = program.input("x", (40, 30), "int32")
    for _ in range(4):
        value = program.map(lambda a: a + 1, value)
        program.barrier()
    program.output("y", value)


OPERATIONS: Mapping[str, Operation] = {
    "matmul, int8": _product("int8"),
    "matmul, float16": _product("float16"),
    "map, add": _numbers(f.add),
    "map, subtract": _numbers(f.subtract),
    "map, multiply": _numbers(f.multiply),
    "map, square": _map(lambda a, x: (f.square(a), f.square(x)), "int32", "float32"),
    "map, maximum": _numbers(f.maximum),
    "map, minimum": _numbers(f.minimum),
    "map, relu": _numbers(f.relu, 1),
    "map, where": _map(_choice, "int8", "int32", "int32", "float32", "float32"),
    "map, cast": _map(_casts, "int32", "float16", "float32"),
    "map, shift_left": _integers(f.shift_left),
    "map, shift_right": _integers(f.shift_right),
    "map, shift_right_logical": _integers(f.shift_right_logical),
    "map, bitwise_and": _integers(f.bitwise_and),
    "map, bitwise_or": _integers(f.bitwise_or),
    "map, bitwise_xor": _integers(f.bitwise_xor),
    "map, bitwise_not": _integers(f.bitwise_not, 1),
    "map, equal": _map(f.equal, "int32", "int32"),
    "map, not_equal": _map(f.not_equal, "float32", "float32"),
    "map, < <= > >=": _map(_relations, "int32", "int32"),
    **{
        f"map, {function.__name__}": _map(function, "float32")
        for function in (f.exp, f.tanh, f.rsqrt, f.recip, f.log, f.sigmoid)
    },
    "map, a copy": _map(lambda a, x: (a, x), "int32", "float32"),
    **{f"reduce, {operation}": _reduction(operation) for operation in ("add", "max", "min")},
    "state, update": Operation(NANO, _counter),
    "shift, up": _moved(lambda program, x: program.shift(x, 3)),
    "shift, down": _moved(lambda program, x: program.shift(x, 3, down=True)),
    "select": _moved(lambda program, x: program.select(x, x[::-1], 3)),
    "permute": _moved(lambda program, x: program.permute(x, np.arange(8, dtype=np.int16)[::-1])),
    "permute, register": _moved(lambda program, x: program.permute(x, np.arange(8, dtype=np.int16)[::-1], True)),
    "distribute": _moved(lambda program, x: program.distribute(x, np.arange(4, dtype=np.int8)[::-1])),
    "distribute, register": _moved(lambda program, x: program.distribute(x, np.arange(4, dtype=np.int8)[::-1], True)),
    "rotate, 2 x 2": _moved(lambda program, x: program.rotate(x, 2)),
    "rotate, 3 x 3": _moved(lambda program, x: program.rotate(x, 3), SMALL),
    "rotate, 4 x 4": _moved(lambda program, x: program.rotate(x, 4), SMALL),
    "switch_transpose": _moved(lambda program, x: program.switch_transpose(x), SMALL),
    "transpose": _moved(lambda program, x: program.transpose(x, (1, 0)), dtype="int16"),
    "transpose2d": _moved(lambda program, x: program.transpose2d(x)),
    "gather": Operation(NANO, _gather),
    "scatter": Operation(NANO, _scatter),
    "concatenate, stack, split, reshape, broadcast_to, take": Operation(SMALL, _arranged),
    "sum, mean, max, argmin": _reduced("sum", "mean", "max", "argmin"),
    "min, argmax": _reduced("min", "argmax"),
    "barrier": Operation(NANO, _barrier),
    "configure": Operation(NANO, _configure),
    "any, with text longer than its queues": Operation(SHORT_QUEUES, _long),
}
"""By name: the method of `Program`, and what tells it from others of the same method."""
