"""The critical path against programs in which nothing is in the way of anything."""

import numpy as np
import pytest

from compiler.library.operands import product
from compiler.program import Program
from verif.kernels.composed import BASE, SMALL
from verif.kernels.critical_path import critical_path

RETIRED = 8
"""Cycles from the first in which a result could be read to the last in which something of it is under way."""


def doubled(program, value):
    return program.map(lambda a: a + a, value, dtype="float16")


def multiplied(program, value):
    n = program.config.vector_length
    weights = program.constant(program.fresh_name("w"), np.ones((n, n), np.float16))
    return product(program, value, weights, epilogue=lambda total: total, dtype="float16")


@pytest.mark.parametrize("config", [SMALL, BASE])
@pytest.mark.parametrize("steps", [[doubled] * 3, [doubled, multiplied], [doubled, multiplied, multiplied, doubled]])
def test_chains_of_one_vector(config, steps):
    program = Program(config)
    value = program.input("x", (1, config.vector_length), "float16")
    for step in steps:
        value = step(program, value)
    program.output("y", value)
    bound, cycles = critical_path(program), program.compile().cycles
    # Slices are not all next to the unit, and each product's first LW waits for its slices' turn: some cycles a step.
    assert bound <= cycles <= bound + 12 * len(steps) + RETIRED, (bound, cycles)


def test_a_sum_waits_for_all_of_its_terms():
    program = Program(SMALL)
    made = doubled(program, program.input("x", (90, 16), "float16"))
    before = critical_path(program)
    program.reduce(made, "add", -2, keepdims=True)
    # Three partial sums of thirty terms each: an ALU adds to one of them every third cycle.
    assert critical_path(program) >= before + 3 * 29
