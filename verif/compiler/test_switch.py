"""Operations of the SXM against NumPy, bit for bit on the golden machine."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.presets import preset
from compiler.program import Program
from verif.bits import same_bits
from verif.compiler.expressions import random_values, run_golden

MACHINES = {
    "nano": preset("nano"),
    "small": preset("small"),
    "base": preset("base"),
    "wide": preset("nano", ["lanes=8", "sram_latency=2"]),
}
DTYPES = ["int8", "float16", "int32"]
machines = pytest.mark.parametrize("config", MACHINES.values(), ids=MACHINES)
dtypes = pytest.mark.parametrize("dtype", DTYPES)
origins = pytest.mark.parametrize("origin", ["input", "result"])


def outputs(program, **inputs):
    return run_golden(program.compile(), **inputs)


def operand(program, name, values, origin):
    """Declare an input, or what a pass makes of it: the same bits."""
    tensor = program.input(name, values.shape, values.dtype.name)
    return tensor if origin == "input" else program.map(lambda a: a, tensor, dtype=values.dtype.name)


def upright(program, name, values):
    """Declare an input with its lanes along the first of two axes: a switch operation has to turn it."""
    return program.input(name, values.shape, values.dtype.name, layout="columns")


def values_for(rng, dtype, *shape):
    return np.nan_to_num(random_values(rng, dtype, *shape))


def in_vectors(values, config):
    """Return values with the last axis rounded up to whole vectors."""
    missing = -values.shape[-1] % config.vector_length
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)])


@machines
@dtypes
@origins
def test_shift_and_select(config, dtype, origin, rng):
    n = config.vector_length
    x, y = values_for(rng, dtype, 5, n + 3), values_for(rng, dtype, 5, n + 3)
    whole, other = (in_vectors(values, config).reshape(5, 2, n) for values in (x, y))
    program = Program(config)
    a, b = operand(program, "x", x, origin), operand(program, "y", y, origin)
    amount = int(rng.integers(1, n))
    program.output("up", program.shift(a, amount))
    program.output("down", program.shift(b, amount, down=True))
    program.output("joined", program.select(a, b, amount))
    found = outputs(program, x=x, y=y)
    up, down = np.zeros_like(whole), np.zeros_like(whole)
    up[..., amount:] = whole[..., :-amount]
    down[..., :-amount] = other[..., amount:]
    joined = np.where(np.arange(n) < amount, whole, other)
    for name, expected in (("up", up), ("down", down), ("joined", joined)):
        same_bits(found[name].reshape(5, 2, n), expected, name)


def test_select_takes_views_of_any_layout(rng):
    """Whatever the other view was cut from: here its elements stand in no vector as they are wanted."""
    config = MACHINES["nano"]
    x, y = values_for(rng, "int8", 1, 8), values_for(rng, "int8", 2, 52)
    program = Program(config)
    a, b = (operand(program, name, values, "result") for name, values in (("x", x), ("y", y)))
    joined = program.select(a, b[:1, 20:44:3], 3)
    assert joined.shape == (1, 8)
    program.output("joined", joined)
    found = outputs(program, x=x, y=y)
    same_bits(found["joined"], np.where(np.arange(8) < 3, x, y[:1, 20:44:3]), "joined")


@machines
@dtypes
@pytest.mark.parametrize("declare", [upright, lambda program, *x: program.map(lambda a: a, upright(program, *x))])
def test_vectors_run_along_the_last_axis_wherever_the_lanes_are(config, dtype, declare, rng):
    """What layout the compiler chose for a result must not be seen in what is made of it."""
    n, lanes, size = config.vector_length, config.lanes, 2
    x = values_for(rng, dtype, 3, n - 1)
    program = Program(config)
    a = declare(program, "x", x)
    within, lane_map = (rng.permutation(count) for count in (lanes, n))
    program.output("shifted", program.shift(a, 1))
    program.output("selected", program.select(a, a[::-1], 2))
    program.output("permuted", program.permute(a, lane_map.astype(np.int16)))
    program.output("distributed", program.distribute(a, within.astype(np.int8)))
    program.output("rotated", program.rotate(a, size))
    program.output("turned", program.switch_transpose(a))
    found = outputs(program, x=x)
    whole = in_vectors(x, config)
    same_bits(found["shifted"], np.pad(whole, ((0, 0), (1, 0)))[:, :-1])
    same_bits(found["selected"], np.where(np.arange(n) < 2, whole, whole[::-1]))
    same_bits(found["permuted"], whole[:, lane_map])
    same_bits(found["distributed"], whole.reshape(3, -1, lanes)[..., within].reshape(3, n))
    window = whole.reshape(3, -1, lanes)[..., : size * size].reshape(3, -1, size, size)
    turned = found["rotated"].reshape(size, size, 3, -1, lanes)[..., : size * size]
    for shift in np.ndindex(size, size):
        moved = np.roll(window, [-step for step in shift], (2, 3))
        same_bits(turned[shift], moved.reshape(turned[shift].shape))
    tiles = np.pad(whole, ((0, -3 % lanes), (0, 0))).reshape(-1, lanes, config.superlanes, lanes)
    same_bits(found["turned"].reshape(tiles.shape), tiles.transpose(0, 3, 2, 1))


@machines
@dtypes
@pytest.mark.parametrize("register", [False, True])
@origins
def test_maps(config, dtype, register, origin, rng):
    n, lanes = config.vector_length, config.lanes
    x = values_for(rng, dtype, 6, n)
    lane_map = rng.integers(-1, n, n).astype(np.int16)
    within = rng.integers(-1, lanes, n).astype(np.int8)
    program = Program(config)
    a = operand(program, "x", x, origin)
    program.output("permuted", program.permute(a, lane_map, register))
    program.output("again", program.permute(a, program.input("m", (n,), "int16"), register))
    program.output("distributed", program.distribute(a, within, register))
    found = outputs(program, x=x, m=lane_map[::-1].copy())
    same_bits(found["permuted"], np.where(lane_map < 0, 0, x[:, lane_map]).astype(dtype))
    same_bits(found["again"], np.where(lane_map < 0, 0, x[:, lane_map]).astype(dtype)[:, ::-1])
    lane = np.arange(n) // lanes * lanes + within
    same_bits(found["distributed"], np.where(within < 0, 0, x[:, lane]).astype(dtype))


@machines
@dtypes
def test_rotate(config, dtype, rng):
    lanes, size = config.lanes, int(config.lanes**0.5)
    x = values_for(rng, dtype, 3, config.vector_length)
    program = Program(config)
    program.output("y", program.rotate(program.input("x", x.shape, dtype), size))
    found = outputs(program, x=x)["y"].reshape(size, size, 3, config.superlanes, lanes)
    window = x.reshape(3, -1, lanes)[..., : size * size].reshape(3, -1, size, size)
    for a in range(size):
        for b in range(size):
            moved = np.roll(window, (-a, -b), (2, 3)).reshape(3, -1, size * size)
            same_bits(found[a, b, ..., : size * size], moved)
            assert not found[a, b, ..., size * size :].any()


@machines
@dtypes
def test_tiles(config, dtype, rng):
    lanes, vectors = config.lanes, config.lanes + 3
    x = values_for(rng, dtype, vectors, config.vector_length)
    program = Program(config)
    program.output("y", program.switch_transpose(program.input("x", x.shape, dtype)))
    padded = np.zeros((2 * lanes, config.vector_length), dtype)
    padded[:vectors] = x
    tiles = padded.reshape(2, lanes, config.superlanes, lanes)
    same_bits(outputs(program, x=x)["y"].reshape(2, lanes, config.superlanes, lanes), tiles.transpose(0, 3, 2, 1))


@machines
@dtypes
@pytest.mark.parametrize("shape", [(1, 1), (3, 21), (37, 6)])
@origins
def test_matrices(config, dtype, shape, origin, rng):
    x = values_for(rng, dtype, *shape)
    program = Program(config)
    # Results that are in the SXM's order come from the SXM.
    a = program.shift(operand(program, "x", x, origin), 0) if origin == "result" else operand(program, "x", x, origin)
    program.output("y", program.transpose2d(a[:, : shape[1]]))
    same_bits(outputs(program, x=x)["y"], x.T)


def test_results_are_operands(rng):
    config = MACHINES["small"]
    x = values_for(rng, "float32", 9, 16)
    program = Program(config)
    y = program.shift(program.map(lambda a: a + 1.0, program.input("x", x.shape, "float32")), 3)
    program.output("y", program.map(lambda a: a * 2.0, y))
    expected = np.zeros_like(x)
    expected[:, 3:] = ((x + np.float32(1)) * np.float32(2))[:, :-3]
    same_bits(outputs(program, x=x)["y"], expected)


@machines
def test_vectors_that_nobody_reads_meet_no_others(config, rng):
    """The SXM drives them all the same, inward, where sums of products pass."""
    n = config.vector_length
    program = Program(config)
    weights = rng.integers(-9, 9, (n, n), dtype=np.int8)
    inputs = {f"x{number}": rng.integers(-9, 9, (24, n), dtype=np.int8) for number in range(8)}
    for number, (name, x) in enumerate(inputs.items()):
        a = program.input(name, x.shape, "int8")
        program.output(f"shifted{number}", program.map(lambda e: e + 1, program.shift(a, 1)[20:], dtype="int32"))
        program.output(f"column{number}", program.map(lambda e: e + 1, program.transpose2d(a[:, :1]), dtype="int32"))
        program.output(f"product{number}", program.matmul(a, weights))
    found = outputs(program, **inputs)
    for number, x in enumerate(inputs.values()):
        shifted = np.pad(x[20:, :-1], ((0, 0), (1, 0))).astype(np.int32) + 1
        same_bits(found[f"shifted{number}"].reshape(4, n), shifted)
        same_bits(found[f"column{number}"], x[:, :1].T.astype(np.int32) + 1)
        same_bits(found[f"product{number}"], x.astype(np.int32) @ weights.astype(np.int32))


def test_refusals():
    program = Program(MACHINES["nano"])
    x = program.input("x", (3, 8))
    for call, reason in (
        (lambda: program.shift(x, 9), "amount must be 0 to 8, not 9"),
        (lambda: program.rotate(x, 3), "size must be 2, 3 or 4"),
        (lambda: program.permute(x, np.zeros(3, np.int16)), "lane_map must be int16"),
        (lambda: program.distribute(x, np.full(8, 300)), "lane_map must be integers of int8"),
        (lambda: program.select(x, x[1:], 3), "sources must have one shape"),
        (lambda: program.transpose2d(x[0]), "x must be a matrix"),
    ):
        with pytest.raises(TaktError, match=reason):
            call()


@machines
@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 0, 2), (0, 2, 1), (2, 0, 1), (1, 2, 0), (2, 1, 0)])
@origins
def test_axes(config, axes, origin, rng):
    x = values_for(rng, "int16", 3, 5, 7)
    program = Program(config)
    a = operand(program, "x", x, "input")
    program.output("y", program.transpose(program.shift(a, 0)[..., :7] if origin == "result" else a, axes))
    same_bits(outputs(program, x=x)["y"], x.transpose(axes))
