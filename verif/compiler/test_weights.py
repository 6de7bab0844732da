"""Products whose weights are results or states, bit for bit on the golden machine."""

import numpy as np
import pytest

from arch.presets import preset
from compiler.expression.functions import exp, recip
from compiler.program import Program
from golden.machine.machine import Machine
from golden.reference.matmul_fp16 import matmul_fp16
from golden.reference.qlinear_matmul import qlinear_matmul
from verif.bits import same_bits
from verif.compiler.test_switch import machines, operand, outputs, values_for

SHAPES = [(1, 1, 1), (1, 5, 17), (11, 64, 16), (19, 37, 41)]
formats = pytest.mark.parametrize("dtype", ["int8", "float16"])


def values(rng, dtype, *shape):
    return values_for(rng, "int8", *shape) if dtype == "int8" else rng.normal(size=shape).astype(np.float16)


def product(x, w, config):
    if x.dtype == np.int8:
        return x.astype(np.int32) @ w.astype(np.int32)
    return matmul_fp16(x, np.ascontiguousarray(w), config.vector_length)


def same(found, wanted):
    assert found.dtype == wanted.dtype
    same_bits(found, wanted)


@machines
@formats
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("origin", ["input", "result"])
def test_weights_of_a_pass(config, dtype, shape, origin, rng):
    """Weights may be constants, inputs or results, in every shape and format."""
    m, k, n = shape
    x, columns = values(rng, dtype, m, k), values(rng, dtype, n, k)
    program = Program(config)
    w = operand(program, "w", columns, "result")
    program.output("y", program.matmul(operand(program, "x", x, origin), w.transpose()))
    same(outputs(program, x=x, w=columns)["y"], product(x, columns.T, config))


@machines
@formats
def test_weights_of_the_switch(config, dtype, rng):
    x, w = values(rng, dtype, 9, 37), values(rng, dtype, 37, 21)
    vector = config.vector_length
    moved = values(rng, dtype, 11, vector)
    program = Program(config)
    a, b = program.input("x", x.shape, dtype), program.input("w", w.shape, dtype)
    c, d = program.input("a", (5, vector), dtype), operand(program, "b", moved, "result")
    program.output("y", program.matmul(a, program.transpose2d(b).transpose()))
    program.output("z", program.matmul(c, program.shift(d, 2).transpose()))
    other = values(rng, dtype, 5, vector)
    found = outputs(program, x=x, w=w, a=other, b=moved)
    same(found["y"], product(x, w, config))
    shifted = np.zeros_like(moved)
    shifted[:, 2:] = moved[:, :-2]
    same(found["z"], product(other, shifted.T, config))


@machines
def test_weights_of_a_product(config, rng):
    x, w, z = (values(rng, "int8", *shape) for shape in ((43, 19), (19, 35), (6, 35)))
    program = Program(config)
    y = program.matmul(program.input("x", x.shape), program.constant("w", w), scale=0.01)
    program.output("y", y)
    program.output("p", program.matmul(program.input("z", z.shape), y.transpose()))
    found = outputs(program, x=x, z=z)
    same(found["p"], product(z, found["y"].T, program.config))


@machines
@formats
def test_states_gathered_rows_and_repeated_columns(config, dtype, rng):
    initial, table, x = (values(rng, dtype, rows, 18) for rows in (7, 12, 3))
    indices = rng.integers(0, 12, 10).astype(np.int32)
    program = Program(config)
    a = program.input("x", x.shape, dtype)
    state = program.state("s", (7, 18), dtype, initial)
    rows = program.gather(table, program.input("i", (10,), "int32"))
    program.update(state, program.map(lambda s: s, rows[:7], dtype=dtype))
    program.output("y", program.matmul(a, state.transpose()))
    program.output("z", program.matmul(a, rows[[0, 1, 0, 5, 5]].transpose()))
    image = program.compile()
    machine = Machine(config)
    for run in range(2):
        found = machine.run_image(image, {"x": x, "i": indices}, again=run > 0)
        assert found.cycles == image.cycles
        same(found.outputs["y"], product(x, initial.T, config))
        same(found.outputs["z"], product(x, table[indices][[0, 1, 0, 5, 5]].T, config))
        initial = table[indices[:7]]


@formats
def test_gram_matrix_and_constant_activations(dtype, rng):
    """One tensor as both operands of a product, and a constant on its left."""
    config = preset("small")
    x, rows = values(rng, dtype, 33, 29), values(rng, dtype, 4, 29)
    program = Program(config)
    y = operand(program, "x", x, "result")
    program.output("g", program.matmul(y, y.transpose()))
    program.output("c", program.matmul(program.constant("rows", rows), y.transpose()))
    found = outputs(program, x=x)
    same(found["g"], product(x, x.T, config))
    same(found["c"], product(rows, x.T, config))


def test_lanes_beyond_the_end_do_not_count(rng):
    # exp(0) = 1 and 1 / 0 = infinity stand there.
    config = preset("nano")
    x = rng.uniform(1, 2, (5, 11)).astype(np.float16)
    program = Program(config)
    a, b = program.input("a", x.shape, "float16"), program.input("b", x.shape, "float16")
    left = program.map(exp, a, dtype="float16")
    program.output("y", program.matmul(left, program.map(exp, b, dtype="float16").transpose()))
    program.output("z", program.matmul(a, program.map(recip, b, dtype="float16").transpose()))
    program.output("left", left)
    found = outputs(program, a=x, b=x)
    same(found["y"], product(found["left"], found["left"].T, config))
    assert np.isfinite(found["z"]).all()


@pytest.mark.parametrize("name", ["nano", "small"])
def test_weights_with_lanes_along_n(name, rng):
    """A result whose lanes run along its columns is brought to those of its rows, once for both products."""
    config = preset(name)
    x, w = values(rng, "int8", 4, 9), values(rng, "int8", 9, 8)
    program = Program(config)
    made = program.map(lambda a: a + 1, program.input("w", w.shape))
    program.output("y", program.matmul(program.input("x", x.shape), made))
    before = len(program.operations)
    program.output("z", program.matmul(program.input("a", x.shape), made))
    assert len(program.operations) == before + 1
    found = outputs(program, x=x, w=w, a=x[::-1])
    wanted = product(x, w + np.int8(1), config)
    same(found["y"], wanted)
    same(found["z"], wanted[::-1])


@pytest.mark.parametrize("n", [2, 3, 7])
def test_equal_columns(n, rng):
    """Columns that are one vector are loaded in the same cycle, for which each needs words of its own."""
    config = preset("nano")
    x, w = values(rng, "int8", 2, 13), values(rng, "int8", 1, 8)
    program = Program(config)
    made = program.map(lambda a: a + 1, program.input("w", w.shape)).pad(((0, n - 1), (3, 2)))
    program.output("y", program.matmul(program.input("x", x.shape), made.transpose(1, 0)))
    found = outputs(program, x=x, w=w)
    same(found["y"], product(x, np.pad(w + np.int8(1), ((0, n - 1), (3, 2))).T, config))


def test_rows_that_nobody_reads(rng):
    config = preset("nano")
    x, w, z = (values(rng, "int8", *shape) for shape in ((17, 9), (9, 8), (8, 8)))
    program = Program(config)
    y = program.matmul(program.input("x", x.shape), program.constant("w", w), scale=0.01)
    program.output("y", program.matmul(y[3:9], program.constant("z", z)))
    program.output("p", program.matmul(program.input("a", (2, 8)), y[1:6].transpose()))
    given = values(rng, "int8", 2, 8)
    found = outputs(program, x=x, a=given)
    made = qlinear_matmul(x, w, scale=0.01)
    same(found["y"], product(made[3:9], z, config))
    same(found["p"], product(given, made[1:6].T, config))
