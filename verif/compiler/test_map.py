"""Elementwise passes against their definition, bit for bit."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.presets import preset
from compiler.expression import functions
from compiler.expression.functions import add, cast, maximum, minimum, not_equal, relu, shift_right, square, where
from compiler.program import Program
from verif.bits import same_bits
from verif.compiler.expressions import apply, check_map, random_function, random_values, run_golden

NANO = preset("nano")
MACHINES = {
    "nano": NANO,
    "small": preset("small"),
    "base": preset("base"),
    "two columns": preset("nano", ["alu_cols=2"]),
    "wide": preset("nano", ["lanes=8", "sram_latency=2"]),
}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "float32"])
def test_random_functions(machine, dtype, rng):
    config = MACHINES[machine]
    done = refused = 0
    while done < 6:
        operands = int(rng.integers(1, 3))
        function = random_function(rng, operands, dtype == "float32", int(rng.integers(1, 6)))
        shape = (int(rng.choice([1, 2, 7, 13, 64])), int(rng.choice([1, 5, 8, 16, 17, 31])))
        try:
            check_map(config, function, [random_values(rng, dtype, *shape) for _ in range(operands)])
            done += 1
        except TaktError as error:
            if not any(reason in str(error) for reason in ("must fit", "streams must be enough")):
                raise
            refused += 1
            assert refused < 30


@pytest.mark.parametrize("shapes", [[(5, 8), (8,)], [(1, 8), (7, 1)], [(3, 4, 9), (4, 1)], [(), (6, 3)], [(6,), (1,)]])
@pytest.mark.parametrize("layout", [None, "columns"])
def test_broadcasting(shapes, layout, rng):
    if layout and max(map(len, shapes)) < 2:
        return
    operands = [random_values(rng, "int32", *shape) for shape in shapes]
    check_map(NANO, lambda a, b: a - b, [operand.reshape(operand.shape or (1,)) for operand in operands], layout)


@pytest.mark.parametrize("config", MACHINES.values(), ids=MACHINES)
def test_formats(config, rng):
    x, y = random_values(rng, "int8", 9, 11), random_values(rng, "int32", 9, 11)
    check_map(config, lambda a, b: cast(maximum(cast(a, "float32") * 0.5, cast(b, "float32")), "int16"), [x, y])
    check_map(config, lambda a, b: add(a, shift_right(b, 3), dtype="int8", saturate=True), [x, y])
    check_map(config, lambda a: cast(cast(a, "int32") * 1000, "int32"), [x])
    check_map(config, lambda a: a, [x])


@pytest.mark.parametrize("config", MACHINES.values(), ids=MACHINES)
def test_masks_and_bits(config, rng):
    x, y = random_values(rng, "int16", 9, 11), random_values(rng, "int16", 9, 11)
    check_map(config, lambda a, b: where(a < b, a, b - 3), [x, y])
    check_map(config, lambda a, b: (a & b) ^ (~a | 5), [x, y])
    check_map(config, lambda a, b: where((a >= 0) & not_equal(a, b), b, 7), [x, y])
    mask = random_values(rng, "int8", 9, 1) & np.int8(1)
    check_map(config, lambda a, b, m: where(m, a, b), [x, y, mask])
    floats = random_values(rng, "float32", 9, 11)
    check_map(config, lambda a: where(a > 1.0, 1.0, a), [floats])


@pytest.mark.parametrize("config", MACHINES.values(), ids=MACHINES)
def test_float16(config, rng):
    x, y = random_values(rng, "float16", 9, 11), random_values(rng, "float16", 11)
    check_map(config, lambda a, b: cast(a * b + 1.0, "float16"), [x, y])
    check_map(config, lambda a: cast(relu(cast(a * 3.0, "float16")), "float16"), [x])
    check_map(config, lambda a: a, [x])


@pytest.mark.parametrize("config", MACHINES.values(), ids=MACHINES)
@pytest.mark.parametrize("name", ["exp", "tanh", "rsqrt", "recip", "log", "sigmoid"])
def test_functions(config, name, rng):
    function = getattr(functions, name)
    check_map(config, lambda a: function(a * 0.5), [random_values(rng, "float32", 9, 11)])
    check_map(config, lambda a: cast(function(a), "float16"), [random_values(rng, "float16", 9, 11)])


@pytest.mark.parametrize(("name", "steps"), [("nano", 64), ("small", 256), ("base", 512)])
def test_cycles_are_steps_and_latency(name, steps, rng):
    config = preset(name)
    operands = [random_values(rng, "int32", steps, config.vector_length) for _ in range(2)]
    cycles = check_map(config, lambda a, b: relu(a + b), operands)
    # READ 3, two levels 3 + 5, WRITE 2 + stagger, and at most a few hops.
    assert cycles <= steps + 22 + config.superlanes


def test_passes_that_depend_overlap(rng):
    program = Program(MACHINES["small"], "chain")
    x = program.input("x", (256, 16), "int16")
    y = program.map(lambda a: a + 1, x)
    z = program.map(lambda a: minimum(a, 99), y)
    program.output("z", program.map(lambda a: a - 7, z))
    image = program.compile()
    assert image.cycles < 256 + 70
    values = random_values(rng, "int16", 256, 16)
    got = run_golden(image, x=values)["z"]
    same_bits(got, apply(lambda a: minimum(a + 1, 99) - 7, values))


def test_independent_passes_run_together(rng):
    program = Program(NANO, "pair")
    for name in "ab":
        program.output(f"{name}2", program.map(lambda a: a + a, program.input(name, (128, 8), "int8")))
    image = program.compile()
    assert image.cycles < 128 + 30
    a, b = random_values(rng, "int8", 128, 8), random_values(rng, "int8", 128, 8)
    got = run_golden(image, a=a, b=b)
    same_bits(got["a2"], a + a)
    same_bits(got["b2"], b + b)


def test_views_of_results_and_zeros(rng):
    program = Program(NANO, "views")
    x = program.input("x", (6, 5, 8), "int8")
    y = program.map(lambda a: a + 1, x)
    padded = y.pad(((1, 1), (0, 0), (0, 0)))
    z = program.map(lambda a, b, c: maximum(maximum(a, b), c), padded[:-2], padded[1:-1], padded[2:])
    program.output("z", z[::2])
    program.output("transposed", program.map(lambda a: a, y.transpose(1, 0, 2)))
    values = random_values(rng, "int8", 6, 5, 8)
    got = run_golden(program.compile(), x=values)
    around = np.pad(values + np.int8(1), ((1, 1), (0, 0), (0, 0)))
    same_bits(got["z"], np.max([around[:-2], around[1:-1], around[2:]], axis=0)[::2])
    same_bits(got["transposed"], (values + np.int8(1)).transpose(1, 0, 2))


def test_several_results(rng):
    program = Program(NANO, "several")
    x = program.input("x", (10, 8), "int32")
    low, high = program.map(lambda a: (minimum(a, 0), maximum(a, 0)), x)
    program.output("low", low)
    program.output("high", high)
    values = random_values(rng, "int32", 10, 8)
    got = run_golden(program.compile(), x=values)
    same_bits(got["low"], np.minimum(values, 0))
    same_bits(got["high"], np.maximum(values, 0))


@pytest.mark.parametrize("dtype", ["int8", "float16", "float32"])
def test_equal_results_leave_ways_of_their_own(dtype, rng):
    program = Program(NANO, "equal")
    x = program.input("x", (10, 8), dtype)
    program.output("once", program.map(lambda a: cast(a * a, dtype), x, dtype=dtype))
    twice = program.map(lambda a: (cast(a * a, dtype), cast(square(a), dtype)), x, dtype=dtype, join=-1)
    program.output("twice", twice)
    found = run_golden(program.compile(), x=random_values(rng, dtype, 10, 8))
    same_bits(found["twice"], np.concatenate([found["once"]] * 2, axis=-1))


def test_products_and_passes(rng):
    program = Program(NANO, "mixed")
    x = program.input("x", (12, 16))
    w = random_values(rng, "int8", 16, 8)
    v = random_values(rng, "int8", 8, 5)
    ahead = program.map(lambda a: add(a, 3, saturate=True), x)
    y = program.matmul(ahead, program.constant("w", w))
    small = program.map(lambda a: cast(shift_right(a, 7), "int8", saturate=True), y)
    program.output("z", program.matmul(small, program.constant("v", v), scale=0.5))
    program.output("y", y)
    image = program.compile()
    values = random_values(rng, "int8", 12, 16)
    got = run_golden(image, x=values)
    first = np.clip(values.astype(np.int32) + 3, -128, 127)
    total = first @ w.astype(np.int32)
    same_bits(got["y"], total)
    narrow = np.clip(total >> 7, -128, 127)
    want = np.clip(np.rint((narrow @ v.astype(np.int32)) * np.float32(0.5)), -128, 127)
    same_bits(got["z"], want.astype(np.int8))


def test_refusals():
    program = Program(NANO, "wrong")
    x, y = program.input("x", (4, 8), "int32"), program.input("y", (4, 8), "float32")
    with pytest.raises(TaktError, match="operands of ADD must both be integers or both be floats"):
        program.map(lambda a, b: a + b, x, y)
    with pytest.raises(TaktError, match=r"shapes must broadcast to one, not x \(4, 8\), "):
        program.map(lambda a, b: a + b, x, np.zeros((3, 8), np.int32))
    with pytest.raises(TaktError, match="function must return expressions, not 3"):
        program.map(lambda a: 3, x)
    with pytest.raises(TaktError, match=r"number must be an integer beside int32, not 0\.5"):
        program.map(lambda a: a * 0.5, x)


def test_results_in_other_lanes(rng):
    """A layout that is not the operand's, and a column that is repeated along the lanes."""
    program = Program(NANO, "other lanes")
    values = random_values(rng, "int16", 4, 8)
    x = program.input("x", values.shape, "int16")
    z = program.map(lambda a: a + 1, x)
    program.output("turned", program.map(lambda a: a + 1, z.transpose(1, 0), layout="rows"))
    program.output("repeated", program.map(lambda a, b: a + b, z[:, :1], x))
    found = run_golden(program.compile(), x=values)
    same_bits(found["turned"], values.T + np.int16(2))
    same_bits(found["repeated"], values[:, :1] + np.int16(1) + values)


@pytest.mark.parametrize("saturate", [False, True])
def test_narrowed_bits_and_choices(saturate, rng):
    x, y = random_values(rng, "int16", 9, 11), random_values(rng, "int16", 9, 11)
    narrow = {"dtype": "int8", "saturate": saturate}
    cases = (
        (lambda a, b: functions.bitwise_and(a, b, **narrow), x & y),
        (lambda a, b: functions.bitwise_or(a, b, **narrow), x | y),
        (lambda a, b: functions.bitwise_xor(a, b, **narrow), x ^ y),
        (lambda a, b: functions.bitwise_not(a, **narrow) + cast(b * 0, "int8"), ~x),
        (lambda a, b: where(a > b, a, b, **narrow), np.maximum(x, y)),
    )
    for function, wide in cases:
        expected = (wide.clip(-128, 127) if saturate else wide).astype(np.int8)
        same_bits(apply(function, x, y), expected)
        check_map(NANO, function, [x, y])


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("read", [False, True])
@pytest.mark.parametrize("axis", [-2, -1])
def test_results_that_are_parts_of_one_tensor(axis, read, machine, rng):
    """Along lanes, parts of 11 begin within a vector."""
    shape = (4, 3, 11)
    program = Program(MACHINES[machine])
    a, b = (program.input(name, shape, "int16") for name in "ab")
    y = program.map(lambda p, q: (p + q, p - q, p * q), a, b, join=axis)
    assert y.shape == ((4, 9, 11) if axis == -2 else (4, 3, 33))
    program.output("y", program.map(lambda value: value + 1, y) if read else y)
    x, z = (rng.integers(-99, 99, shape).astype(np.int16) for _ in range(2))
    found = run_golden(program.compile(), a=x, b=z)["y"]
    same_bits(found, np.concatenate([x + z, x - z, x * z], axis) + read)


def test_parts_of_one_tensor_have_one_format():
    program = Program(NANO)
    x = program.input("x", (4, 8), "int32")
    with pytest.raises(TaktError, match="must have one dtype and an axis from -2 to -1, not int32, int8, -1"):
        program.map(lambda a: (a + 1, cast(a, "int8")), x, join=-1)
