"""The program that docs/compiler.md follows: a dense layer and a residual add."""

import numpy as np

from arch.presets import preset
from compiler.expression.functions import cast
from compiler.program import Program


def residual_layer() -> Program:
    """Return ``z = x + relu(x @ w + b)`` in int8, the sums rescaled, for `small`."""
    rng = np.random.default_rng(0)
    program = Program(preset("small"), "a dense layer with a residual")
    x = program.input("x", (24, 32), "int8")
    w = program.constant("w", rng.integers(-128, 128, (32, 32), dtype=np.int8))
    b = program.constant("b", rng.integers(-999, 1000, 32, dtype=np.int32))
    y = program.matmul(x, w, bias=b, scale=0.01, relu=True)
    z = program.map(lambda y, x: cast(cast(y, "int32") + x, "int8"), y, x)
    program.output("z", z)
    return program


def score_chain() -> Program:
    """Return two products in a row; the right operand of both is one result, read by rows once and by columns once."""
    program = Program(preset("nano"), "q @ k.T @ k")
    x = program.input("x", (16, 16), "int8")
    k = program.map(lambda x: cast(x + 1, "int8"), x)
    q = program.map(lambda x: cast(x + 2, "int8"), x)
    scores = program.matmul(q, k.transpose(), scale=0.01)
    program.output("y", program.matmul(scores, k, scale=0.01))
    return program


def residual_chain(rows: int, width: int, mem_depth: int) -> Program:
    """Return several residual layers on a `nano` with little MEM."""
    rng = np.random.default_rng(0)
    program = Program(
        preset("nano").replace(mem_depth=mem_depth), f"3 residual layers of {width} x {width}, {rows} rows"
    )
    y = program.input("x", (rows, width), "int8")
    for number in range(3):
        w = program.constant(f"w{number}", rng.integers(-9, 10, (width, width), dtype=np.int8))
        s = program.matmul(y, w, scale=0.01)
        y = program.map(lambda s, y: cast(cast(s, "int32") + y, "int8"), s, y)
    program.output("y", y)
    return program
