"""Rows into states against NumPy, bit for bit on the golden machine, run after run."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.presets import preset
from compiler.program import Program
from golden.machine.machine import Machine
from verif.bits import same_bits
from verif.compiler.test_switch import MACHINES, dtypes, machines, values_for

NANO = preset("nano")


def runs(program, inputs):
    """Return the outputs of runs one after another."""
    image = program.compile()
    machine = Machine(image.config)
    for number, given in enumerate(inputs):
        result = machine.run_image(image, given, again=number > 0)
        assert result.cycles == image.cycles
        yield result.outputs


@machines
@dtypes
@pytest.mark.parametrize("shape", [(1, 1, 1), (11, 37, 1), (13, 19, 7)])
def test_rows(config, dtype, shape, rng):
    v, n, m = shape
    state = values_for(rng, dtype, v, n)
    program = Program(config)
    held = program.state("s", (v, n), dtype, state)
    program.output("before", program.map(lambda a: a, held, dtype=dtype))
    program.scatter(held, program.input("i", (m,), "int32"), program.input("x", (m, n), dtype))
    program.output("after", program.map(lambda a: a, held, dtype=dtype))
    program.output("s", held)
    inputs = [{"i": rng.permutation(v)[:m].astype(np.int32), "x": values_for(rng, dtype, m, n)} for _ in range(3)]
    for given, found in zip(inputs, runs(program, inputs), strict=True):
        same_bits(found["before"], state)
        state = state.copy()
        state[given["i"]] = given["x"]
        same_bits(found["after"], state)
        same_bits(found["s"], state)


@machines
def test_elements_at_computed_indices(config, rng):
    v, n, m = 9, 21, 3
    state, offset = np.zeros((v, n), np.float32), rng.integers(0, 2, (m, n)).astype(np.int16)
    program = Program(config)
    held = program.state("s", (v, n), "float32")
    x, place = program.input("x", (m, n), "float32"), program.input("p", (1,), "int16")
    indices = program.map(
        lambda a, b: a + b, program.constant("o", 2 * np.arange(m, dtype=np.int16)[:, None] + offset), place
    )
    program.scatter(held, indices, program.map(lambda a: a * 2.0, x))
    program.output("s", held)
    inputs = [{"x": values_for(rng, "float32", m, n), "p": np.array([p], np.int16)} for p in (0, 3)]
    for given, found in zip(inputs, runs(program, inputs), strict=True):
        rows = given["p"] + 2 * np.arange(m)[:, None] + offset
        np.put_along_axis(state, rows.astype(np.int64), given["x"] * np.float32(2), axis=0)
        same_bits(found["s"], state)


def test_products_read_new_rows_and_rows_come_from_products(rng):
    config = MACHINES["small"]
    state, w, x = (values_for(rng, "int8", *shape) for shape in ((20, 24), (24, 18), (2, 24)))
    program = Program(config)
    held = program.state("s", state.shape, "int8", state)
    first, weights = program.input("i", (2,), "int32"), program.constant("w", w)
    program.output("old", program.matmul(held, weights))
    given = program.input("x", x.shape)
    program.scatter(held, first, given)
    program.output("new", program.matmul(held, weights))
    sums = program.matmul(given, program.constant("v", values_for(rng, "int8", 24, 24)), scale=0.01)
    program.scatter(held, program.constant("last", np.array([19, 0], np.int32)), sums)
    program.output("sums", sums)
    program.output("s", held)
    (found,) = runs(program, [{"i": np.array([3, 19], np.int32), "x": x}])
    same_bits(found["old"], state.astype(np.int32) @ w)
    state[[3, 19]] = x
    same_bits(found["new"], state.astype(np.int32) @ w)
    state[[19, 0]] = found["sums"]
    same_bits(found["s"], state)


@machines
def test_rows_at_computed_indices(config, rng):
    width = config.vector_length + 1
    state, x = (values_for(rng, "int8", *shape) for shape in ((9, width), (2, width)))
    program = Program(config)
    held = program.state("s", state.shape, "int8", state)
    where = program.map(lambda a: a + 1, program.input("i", (2,), "int32"))
    program.scatter(held, where, program.input("x", x.shape))
    program.output("y", held)
    (found,) = runs(program, [{"i": np.array([6, 2], np.int32), "x": x}])
    state[[7, 3]] = x
    same_bits(found["y"], state)


def test_refusals():
    program = Program(NANO)
    x, i = program.input("x", (3, 8)), program.input("i", (3,), "int32")
    state = program.state("s", (9, 8), "int8")
    columns = program.state("c", (9, 8), "int8", layout="columns")
    for call, reason in (
        (lambda: program.scatter(x, i, x), "scatter must be into a state that is not updated, not 'x'"),
        (lambda: program.scatter(columns, i, x), "state must be a matrix in rows"),
        (lambda: program.scatter(state, i, x[:, :5]), r"values must be int8 of shape \(m, 8\), not int8"),
        (lambda: program.scatter(state, i[:2], x), r"indices must be int32 of shape \(3,\) or"),
        (lambda: program.scatter(program.state("t", (257, 8), "int8"), i, x), "at most mem_depth 256 of them"),
    ):
        with pytest.raises(TaktError, match=reason):
            call()
    program.scatter(state, i, x)
    with pytest.raises(TaktError, match="state must be updated once"):
        program.update(state, x)
