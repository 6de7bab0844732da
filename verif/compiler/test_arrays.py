"""NumPy's functions on results, against NumPy and the stated order of float sums."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.presets import preset
from compiler.expression.functions import cast
from compiler.program import Program
from golden.reference.matmul_fp16 import matmul_fp16
from runtime.backend import make_backend
from verif.bits import same_bits
from verif.compiler.expressions import apply, run_golden

MACHINES = {"nano": preset("nano", ["mem_depth=2048"]), "small": preset("small"), "base": preset("base")}
machines = pytest.mark.parametrize("config", MACHINES.values(), ids=MACHINES)


def in_order(terms):
    """Return float32 sums over the first axis, in the order that `Program.reduce` states."""
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


def float_sum(values, axis):
    values = values.astype(np.float32)
    if axis is None:
        return in_order(in_order(values.reshape(-1, values.shape[-1])) if values.ndim > 1 else values)
    return in_order(np.moveaxis(values, axis, 0))


def declared(program, name, values):
    """Return a result: one more than an input."""
    dtype = values.dtype.name
    return program.map(lambda a: a + 1, program.input(name, values.shape, dtype), dtype=dtype)


def value(values):
    return apply(lambda a: cast(a + 1, values.dtype.name), values)


def random(rng, dtype, *shape):
    values = rng.integers(-9, 9, shape)
    return (values / 7 if dtype.startswith("float") else values).astype(dtype)


def shapes(config):
    vector = config.vector_length
    return [(1,), (vector + 1,), (3, vector - 1), (2, vector + 1), (2, 3, 5)]


@machines
@pytest.mark.parametrize("dtype", ["int8", "float16"])
@pytest.mark.parametrize("number", range(5))
def test_sums_and_maxima_over_every_axis(config, dtype, number, rng):
    shape = shapes(config)[number]
    x = random(rng, dtype, *shape)
    y = value(x)
    for axis in (None, *range(len(shape))):
        for name in ("sum", "max"):
            program = Program(config)
            program.output("y", getattr(program, name)(declared(program, "x", x), axis, keepdims=name == "max"))
            if name == "max":
                wanted = y.max(axis, keepdims=True)
            else:
                wanted = y.sum(axis, dtype=np.int32) if dtype == "int8" else float_sum(y, axis)
            same_bits(run_golden(program.compile(), x=x)["y"], np.asarray(wanted))


@pytest.mark.parametrize("size", [49, 64, 67])
@pytest.mark.parametrize("dtype", ["int8", "float16"])
def test_long_lines_meet_in_lanes_first(size, dtype, rng):
    """Where order does not matter: the last vector is filled up with zeros, or with what comes before it."""
    x = random(rng, dtype, size) - np.asarray(20, dtype)
    program = Program(MACHINES["small"])
    made = declared(program, "x", x)
    program.output("max", program.max(made))
    if dtype == "int8":
        program.output("sum", program.sum(made))
    found = run_golden(program.compile(), x=x)
    same_bits(found["max"], np.asarray(value(x).max()))
    if dtype == "int8":
        same_bits(found["sum"], np.asarray(value(x).sum(dtype=np.int32)))


@pytest.mark.parametrize("dtype", ["int8", "float32"])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_where_the_first_extreme_is(dtype, axis, rng):
    x = rng.integers(-3, 3, (3, 17)).astype(dtype)
    if dtype == "float32":
        x[1, 5:7] = np.nan
    program = Program(MACHINES["base"])
    made = declared(program, "x", x)
    program.output("greatest", program.argmax(made, axis))
    program.output("least", program.argmin(made, axis, keepdims=True))
    found = run_golden(program.compile(), x=x)
    same_bits(found["greatest"], np.asarray(np.argmax(x, axis), np.int32))
    same_bits(found["least"], np.asarray(np.argmin(x, axis, keepdims=True), np.int32))


@machines
def test_means(config, rng):
    x = random(rng, "float16", 4, config.vector_length + 1)
    program = Program(config)
    program.output("rows", program.mean(declared(program, "x", x), 1))
    program.output("whole", program.mean(program.input("n", (2, 3), "int8"), dtype="float16"))
    n = rng.integers(-9, 9, (2, 3)).astype(np.int8)
    found = run_golden(program.compile(), x=x, n=n)
    share = np.float32(1 / x.shape[1])
    same_bits(found["rows"], (float_sum(value(x), 1) * share).astype(np.float16))
    same_bits(found["whole"], np.asarray((np.float32(n.sum()) * np.float32(1 / 6)).astype(np.float16)))


PRODUCTS = {
    "stack by stack": ((2, 3, 7), (2, 7, 5)),
    "stack by matrix": ((2, 3, 7), (7, 5)),
    "matrix by stack": ((3, 7), (2, 7, 5)),
    "heads that share": ((2, 2, 3, 7), (2, 1, 7, 5)),
    "row by matrix": ((7,), (7, 5)),
    "matrix by column": ((3, 7), (7,)),
    "row by column": ((7,), (7,)),
}


@machines
@pytest.mark.parametrize("name", PRODUCTS)
@pytest.mark.parametrize("dtype", ["int8", "float16"])
def test_products_of_any_ranks(config, name, dtype, rng):
    x, w = (rng.integers(-3, 3, shape).astype(dtype) for shape in PRODUCTS[name])
    program = Program(config, name)
    program.output("y", program.matmul(program.input("x", x.shape, dtype), program.input("w", w.shape, dtype)))
    program.output("z", program.matmul(declared(program, "a", x), w))
    found = run_golden(program.compile(), x=x, w=w, a=x)
    kind = np.int32 if dtype == "int8" else np.float32
    for output, left in {"y": x, "z": value(x)}.items():
        same_bits(found[output], np.asarray(np.matmul(left.astype(np.float64), w.astype(np.float64)).astype(kind)))


@machines
def test_epilogues_of_stacks(config, rng):
    """A vector per column and a residual, which belongs to each matrix."""
    x, w, r = (random(rng, "float16", *shape) for shape in ((2, 3, 7), (2, 7, 5), (2, 3, 5)))
    bias = rng.standard_normal(5).astype(np.float32)
    program = Program(config)
    made = program.matmul(
        program.input("x", x.shape, "float16"), w, epilogue=lambda s, b, r: s + b + r, operands=(bias, r)
    )
    program.output("y", made)
    wanted = [matmul_fp16(x[n], w[n], config.vector_length) + bias + r[n].astype(np.float32) for n in range(2)]
    same_bits(run_golden(program.compile(), x=x)["y"], np.stack(wanted))


@pytest.mark.parametrize("name", ["small", "base"])
def test_attention_of_heads(name, rng):
    """Heads cut out of one result, and their scores: both operands are computed, at a width that is no vector."""
    config = MACHINES[name]
    x = rng.integers(-2, 3, (5, 12)).astype(np.float16)
    w = rng.integers(-1, 2, (12, 36)).astype(np.float16)
    program = Program(config)
    qkv = program.matmul(program.input("x", x.shape, "float16"), w, epilogue=lambda s: s, dtype="float16")
    q, k, v = (part.reshape(5, 2, 6).transpose(1, 0, 2) for part in program.split(qkv, 3, 1))
    scores = program.matmul(q, k.transpose(0, 2, 1), epilogue=lambda s: s, dtype="float16")
    program.output("y", program.matmul(scores[0], v[0]))
    exact = x.astype(np.float64) @ w
    a, b, c = (part.reshape(5, 2, 6).transpose(1, 0, 2) for part in np.split(exact, 3, 1))
    same_bits(run_golden(program.compile(), x=x)["y"], (a[0] @ b[0].T @ c[0]).astype(np.float32))


@machines
@pytest.mark.parametrize("dtype", ["int8", "float16"])
def test_rows_of_results_by_computed_indices(config, dtype, rng):
    table, indices = random(rng, dtype, 5, config.vector_length + 1), np.array([3, 0, 4, 4], np.int16)
    program = Program(config)
    made = program.map(lambda a: a + 1, program.input("i", indices.shape, "int16"))
    program.output("y", program.gather(declared(program, "t", table), program.input("j", indices.shape, "int16")))
    program.output("z", program.take(program.constant("c", table), made, 0))
    found = run_golden(program.compile(), t=table, i=indices - np.int16(1), j=indices)
    same_bits(found["y"], value(table)[indices])
    same_bits(found["z"], table[indices])


def test_tables_of_more_rows_than_a_bank_has(rng):
    config = preset("nano")
    table = rng.integers(0, 256, (600, 3, 2), dtype=np.uint8).view(np.int16)[..., 0].view(np.float16)
    indices = np.array([0, 255, 256, 511, 512, 599, 300], np.int32)
    program = Program(config)
    program.output("y", program.gather(program.input("t", table.shape, "float16"), program.input("i", (7,), "int32")))
    found = run_golden(program.compile(), t=table, i=indices)["y"]
    same_bits(found.view(np.uint16), table[indices].view(np.uint16))


def test_take_and_its_axes(rng):
    x, indices = rng.integers(-9, 9, (3, 4, 5)).astype(np.int8), np.array([[1, 3], [0, 2]])
    program = Program(MACHINES["small"])
    made = declared(program, "x", x)
    program.output("constant", program.take(made, indices, 1))
    looked = program.take(program.input("t", x.shape), program.input("i", indices.shape, "int32"), 1)
    program.output("looked", looked)
    found = run_golden(program.compile(), x=x, t=x, i=indices.astype(np.int32))
    same_bits(found["constant"], np.take(value(x), indices, 1))
    same_bits(found["looked"], np.take(x, indices, 1))


@pytest.mark.parametrize(
    "dtype,values",
    [("bool", [True, False, True]), ("uint8", [0, 255, 128]), ("int64", [-(2**31), 2**31 - 1, 7])],
)
def test_formats_of_the_host(dtype, values):
    program = Program(MACHINES["small"])
    x = program.input("x", (3,), dtype)
    program.output("y", program.map(lambda a, b: a + b, x, np.zeros(3, dtype), dtype="int32"))
    image, given = program.compile(), np.array(values, dtype)
    (found,) = make_backend("golden").run(image, [{"x": given}])
    same_bits(found.outputs["y"], given.astype(np.int32))
    if dtype == "int64":
        message = "input x must have int64 values that fit int32, not 2147483648"
        with pytest.raises(TaktError, match=message):
            make_backend("golden").run(image, [{"x": given + 1}])


WRONG = {
    "parts of other formats": (
        lambda p, x: p.concatenate([x, np.zeros((3, 5), np.int16)]),
        "tensors must have one dtype",
    ),
    "parts of other shapes": (lambda p, x: p.concatenate([x, x[:, 1:]]), "tensors must have one dtype, and one shape"),
    "no parts": (lambda p, x: p.concatenate([]), "tensors must be at least one, not none"),
    "an axis too many": (lambda p, x: p.stack([x, x], 3), "axis must be -3 to 2, not 3"),
    "an axis twice": (lambda p, x: p.sum(x, (0, -2)), r"axis must be one of 2, or different ones, not \(0, -2\)"),
    "unequal sections": (lambda p, x: p.split(x, 2), "sections must divide 3, not be 2"),
    "sections that descend": (lambda p, x: p.split(x, [2, 1]), r"sections must ascend, not be \(2, 1\)"),
    "no broadcast": (lambda p, x: p.broadcast_to(x, (3, 4)), r"shape must be one that \(3, 5\) broadcasts to"),
    "an index outside": (lambda p, x: p.take(x, [5], 1), "indices of x must fit the shape"),
    "an index of floats": (lambda p, x: p.take(x, [0.5]), "indices must be integers, not float64"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_calls(case):
    call, message = WRONG[case]
    program = Program(MACHINES["nano"])
    with pytest.raises(TaktError, match=message):
        call(program, program.input("x", (3, 5)))
