"""Rows of tables against NumPy, bit for bit on the golden machine."""

import numpy as np
import pytest

from arch.errors import TaktError
from compiler.program import Program
from verif.compiler.test_switch import MACHINES, dtypes, machines, outputs, values_for


@machines
@dtypes
@pytest.mark.parametrize("shape", [(1, 1, 1), (11, 37, 6), (30, 70, 19)])
def test_rows(config, dtype, shape, rng):
    v, n, m = shape
    table, indices = values_for(rng, dtype, v, n), rng.integers(0, v, m).astype(np.int32)
    program = Program(config)
    program.output("y", program.gather(program.input("t", table.shape, dtype), program.input("i", (m,), "int32")))
    assert np.array_equal(outputs(program, t=table, i=indices)["y"], table[indices])


@machines
def test_gathered_rows_are_operands(config, rng):
    table, indices = values_for(rng, "float32", 9, 20), rng.integers(0, 9, 7).astype(np.int32)
    program = Program(config)
    y = program.gather(table, program.input("i", (7,), "int32"))
    program.output("z", program.map(lambda a: a + 1.0, y))
    program.output("s", program.shift(y, 1))
    found = outputs(program, i=indices)
    assert np.array_equal(found["z"], table[indices] + np.float32(1))
    assert np.array_equal(
        found["s"][:, 1 : min(20, config.vector_length)], table[indices][:, : min(20, config.vector_length) - 1]
    )


def test_many_indices(rng):
    config = MACHINES["small"]
    table, indices = values_for(rng, "int8", 1000, 5), rng.integers(0, 1000, 700).astype(np.int32)
    program = Program(config)
    program.output("y", program.gather(table, program.input("i", (700,), "int32")))
    assert np.array_equal(outputs(program, i=indices)["y"], table[indices])


def test_refusals():
    program = Program(MACHINES["nano"])
    x = program.input("x", (300, 8))
    i = program.input("i", (3,), "int32")
    for call, reason in (
        (lambda: program.gather(x, i), "table must have at most mem_depth 256 rows, not 300"),
        (lambda: program.gather(x[0], i), "table must be a matrix"),
        (lambda: program.gather(x[:9], x[:, 0]), "indices must be int32"),
        (lambda: program.gather(program.map(lambda a: a, x[:9]), i), "table must be an input or a constant"),
    ):
        with pytest.raises(TaktError, match=reason):
            call()
