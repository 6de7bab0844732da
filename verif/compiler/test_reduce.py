"""Reductions over time."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.presets import preset
from compiler.expression.functions import cast, maximum, square
from compiler.program import Program
from verif.bits import same_bits
from verif.compiler.expressions import random_values, run_golden

MACHINES = {"nano": preset("nano"), "small": preset("small"), "two columns": preset("nano", ["alu_cols=2"])}


def sum_of_three(terms):
    """Return the sums over the first axis in the order of the machine."""
    parts = []
    for first in range(min(3, len(terms))):
        part = terms[first]
        for term in terms[first + 3 :: 3]:
            part = part + term
        parts.append(part)
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


@pytest.mark.parametrize("config", MACHINES.values(), ids=MACHINES)
@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 17])
def test_float_sums_over_rows(config, length, rng):
    program = Program(config, "sum")
    x = program.input("x", (4, length, config.vector_length + 3), "float32")
    program.output("y", program.reduce(x, "add", 1, function=square))
    values = random_values(rng, "float32", 4, length, config.vector_length + 3)
    got = run_golden(program.compile(), x=values)["y"]
    want = sum_of_three(np.moveaxis(values * values, 1, 0))
    same_bits(got, want)


@pytest.mark.parametrize("config", MACHINES.values(), ids=MACHINES)
@pytest.mark.parametrize("operation", ["add", "max", "min"])
@pytest.mark.parametrize("groups", [1, 2, 3, 7, 12])
def test_integers(config, operation, groups, rng):
    program = Program(config, "reduce")
    x = program.input("x", (groups, 5, 9), "int8")
    y = program.reduce(x, operation, axis=1, finish=lambda total: maximum(total, -3), keepdims=True)
    program.output("y", y)
    values = random_values(rng, "int8", groups, 5, 9)
    got = run_golden(program.compile(), x=values)["y"]
    function = {"add": np.sum, "max": np.max, "min": np.min}[operation]
    wide = values.astype(np.int32) if operation == "add" else values
    want = np.maximum(function(wide, axis=1, keepdims=True), -3).astype(wide.dtype)
    assert got.dtype == want.dtype
    same_bits(got, want)


@pytest.mark.parametrize("config", [*MACHINES.values(), preset("base")], ids=[*MACHINES, "base"])
@pytest.mark.parametrize("operation", ["add", "max", "min"])
@pytest.mark.parametrize("length", [16, 53, 60])
@pytest.mark.parametrize("groups", [1, 4])
def test_several_elements_at_a_time(config, operation, length, groups, rng):
    """Of any order: shares that are even and not, of results and of what the host writes, with a term and without."""
    program = Program(config, "reduce")
    x = program.input("x", (length, groups, 5), "int8")
    made = program.map(lambda value: value, x, dtype="int8")
    largest = {"add": np.sum, "max": np.max, "min": np.min}[operation]
    program.output("of input", program.reduce(x, operation, 0))
    program.output("of result", program.reduce(made, operation, 0))
    program.output("of term", program.reduce(made, operation, 0, function=lambda value: value ^ 1))
    values = random_values(rng, "int8", length, groups, 5)
    got = run_golden(program.compile(), x=values)
    wide = values.astype(np.int32) if operation == "add" else values
    for name, term in (("of input", wide), ("of result", wide), ("of term", wide ^ 1)):
        same_bits(got[name], largest(term, axis=0).astype(wide.dtype))


def test_cycles_of_several_elements_at_a_time():
    """A sum of 196 vectors takes 25 steps of eight, and the latency of two passes; so does a maximum."""
    for operation, dtype in (("add", "int8"), ("max", "int8"), ("max", "float16"), ("min", "int32")):
        program = Program(preset("base"), "reduce")
        program.output("y", program.reduce(program.input("x", (196, 64), dtype), operation, 0))
        assert program.compile().cycles <= 196 // (8 // np.dtype(dtype).itemsize) + 70, (operation, dtype)


def test_windows(rng):
    program = Program(MACHINES["nano"], "pool")
    x = program.input("x", (8, 6, 8), "int8")
    windows = x.reshape(4, 2, 3, 2, 8)
    program.output("y", program.reduce(windows, "max", (1, 3)))
    values = random_values(rng, "int8", 8, 6, 8)
    got = run_golden(program.compile(), x=values)["y"]
    same_bits(got, values.reshape(4, 2, 3, 2, 8).max(axis=(1, 3)))


def test_a_chain_of_reductions_and_maps(rng):
    config = MACHINES["small"]
    program = Program(config, "centre")
    x = program.input("x", (20, 37), "float32", layout="columns")
    mean = program.reduce(x, "add", -1, finish=lambda total: total * (1 / 37), keepdims=True)
    y = program.map(lambda a, b: a - b, x, mean)
    program.output("y", y)
    values = random_values(rng, "float32", 20, 37)
    got = run_golden(program.compile(), x=values)["y"]
    want = values - (sum_of_three(values.T) * np.float32(1 / 37))[:, None]
    same_bits(got, want)


def test_cycles(rng):
    config = MACHINES["small"]
    program = Program(config, "sum")
    x = program.input("x", (256, 16), "float32")
    program.output("y", program.reduce(x, "add", 0))
    assert program.compile().cycles <= 256 + 50
    program = Program(config, "max")
    x = program.input("x", (30, 10, 16), "int8")
    program.output("y", program.reduce(x, "max", 1))
    assert program.compile().cycles <= 300 + 20


def test_refusals():
    program = Program(MACHINES["nano"], "wrong")
    x = program.input("x", (4, 8), "int32")
    with pytest.raises(TaktError, match="reduction must be one of add, max, min, not 'mul'"):
        program.reduce(x, "mul", 0)
    with pytest.raises(TaktError, match=r"axis must be one of the 2 of shape \(4, 8\), not \(2,\)"):
        program.reduce(x, "add", 2)
    with pytest.raises(TaktError, match=r"layout must be an axis of \(4, 8\) that is not reduced, not 'rows'"):
        program.reduce(x, "add", 1, layout="rows")
    with pytest.raises(TaktError, match="reduce without a function must have one tensor"):
        program.reduce((x, x), "add", 0)
    program.output("y", program.reduce((x, x), "add", 0, function=lambda a, b: cast(a, "int16") + cast(b, "int16")))
    program.compile()


@pytest.mark.parametrize("config", MACHINES.values(), ids=MACHINES)
@pytest.mark.parametrize("groups", [1, 3, 4])
def test_reductions_side_by_side(config, groups, rng):
    """Several terms, each added up in plain order, next to each other in one result."""
    program = Program(config, "side by side")
    shape = (5, groups, config.vector_length + 1)
    x, y = (program.input(name, shape, "float32") for name in "xy")
    made = program.reduce((x, y), "add", 0, function=lambda a, b: (a, b * b), join=-2)
    assert made.shape == (2 * groups, shape[-1])
    program.output("z", made)
    a, b = (random_values(rng, "float32", *shape) for _ in range(2))
    image = program.compile()
    assert sum("reduce" in op.name for op in program.operations) == 1
    want = []
    for terms in (a, b * b):
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        want.append(total)
    same_bits(run_golden(image, x=a, y=b)["z"], np.concatenate(want))
