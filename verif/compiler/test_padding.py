"""Lanes beyond the last element, and zeros that views promise: neither ever shows in a result.

Random programs of all widths are those of `verif.compiler.fuzz`.
"""

import numpy as np
import pytest

from arch.isa.encoding import row_of
from arch.presets import preset
from compiler.expression.functions import cast, exp, log, recip, rsqrt, where
from compiler.ir.tensor import join
from compiler.program import Program
from golden.reference.matmul_fp16 import matmul_fp16
from runtime.backend import make_backend
from verif.bits import same_bits
from verif.compiler.expressions import FUNCTIONS, apply, run_golden

MACHINES = {"nano": preset("nano", ["mem_depth=2048"]), "small": preset("small"), "base": preset("base")}
machines = pytest.mark.parametrize("config", MACHINES.values(), ids=MACHINES)


def widths(config):
    vector = config.vector_length
    return [1, 3, vector - 3, vector - 1, vector, vector + 1, 2 * vector - 3]


@machines
@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_functions_make_of_zeros_reaches_no_sum(config, name, rng):
    """Every function that can make infinity or NaN of a zero, before a product over K of every kind of width."""
    program = Program(config, name)
    inputs, weights = {}, {}
    for k in widths(config):
        x = program.input(f"x{k}", (4, k), "float16")
        inputs[x.name] = (rng.integers(-4, 5, (4, k)) / 2).astype(np.float16)
        made = program.map(FUNCTIONS[name], x, dtype="float16")
        weights[k] = rng.standard_normal((k, 5)).astype(np.float16)
        program.output(f"h{k}", made)
        program.output(f"y{k}", program.matmul(made, weights[k]))
    found = run_golden(program.compile(), **inputs)
    for k, w in weights.items():
        x = inputs[f"x{k}"]
        same_bits(found[f"h{k}"], apply(lambda a: cast(FUNCTIONS[name](a), "float16"), x))
        same_bits(found[f"y{k}"], matmul_fp16(found[f"h{k}"], w, config.vector_length))


@machines
def test_padding_of_a_product_reaches_no_sum(config, rng):
    """Columns beyond N of an fp16 product are NaN where a row has an infinity, and 1 / 0 where it has none."""
    k, n = config.vector_length - 3, config.vector_length + 2
    x = rng.standard_normal((5, k)).astype(np.float16)
    x[2, 1] = np.inf
    v, w = (rng.standard_normal(shape).astype(np.float16) for shape in ((k, n), (n, 7)))
    v[1] = np.abs(v[1]) + np.float16(0.5)
    program = Program(config)
    hidden = program.matmul(program.input("x", x.shape, "float16"), v, epilogue=recip, dtype="float16")
    program.output("y", program.matmul(hidden, w))
    sums = matmul_fp16(x, v, config.vector_length)
    wanted = matmul_fp16(apply(lambda a: cast(recip(a), "float16"), sums), w, config.vector_length)
    assert np.isfinite(wanted).any()
    same_bits(run_golden(program.compile(), x=x)["y"], wanted)


@machines
def test_a_negative_lane_beyond_k_does_not_turn_the_sign_of_a_zero(config):
    """Products of K < V terms have +0 products beside them: a sum of -0 products is +0 there."""
    k = config.vector_length - 1
    program = Program(config)
    made = program.map(lambda a: a - 2.0, program.input("x", (2, k), "float16"), dtype="float16")
    program.output("y", program.matmul(made, np.full((k, 3), -0.0, np.float16)))
    found = run_golden(program.compile(), x=np.full((2, k), 5, np.float16))["y"]
    same_bits(found, np.zeros((2, 3), np.float32))


@machines
@pytest.mark.parametrize("dtype", ["int8", "int32", "float16", "float32"])
@pytest.mark.parametrize("name", ["to the end", "beyond", "cut"])
def test_padded_views_of_results_are_zeros(config, dtype, name, rng):
    """To the end of a vector and beyond, after a cut, for maps, reductions, products, the SXM and copies."""
    vector = config.vector_length
    width = vector - 3
    widths, kept = {
        "to the end": (((0, 0), (0, 3)), width),
        "beyond": (((1, 1), (0, 5)), width),
        "cut": (((0, 1), (0, 4)), max(1, vector - 5)),
    }[name]
    x = rng.integers(1, 5, (3, width)).astype(dtype)
    value = np.pad((x + x.dtype.type(1))[:, :kept], widths)
    whole = np.pad(value, ((0, 0), (0, -value.shape[1] % vector))).reshape(len(value), -1, vector)
    shifted = np.zeros_like(whole)
    shifted[..., 1:] = whole[..., :-1]

    def result(program):
        made = program.map(lambda a: a + 1, program.input("x", x.shape, dtype), dtype=dtype)
        return made[:, :kept].pad(widths)

    program = Program(config)
    view = result(program)
    program.output("map", program.map(lambda a: a + 1, view, dtype=dtype))
    program.output("greatest", program.reduce(view, "max", axis=0, function=lambda a: 1 - a))
    found = run_golden(program.compile(), x=x)
    same_bits(found["map"], apply(lambda a: cast(a + 1, dtype), value))
    same_bits(found["greatest"], apply(lambda a: 1 - a, value).max(axis=0))

    program = Program(config)
    view = result(program)
    program.output("turned", program.transpose2d(view))
    program.output("shifted", program.shift(view, 1))
    found = run_golden(program.compile(), x=x)
    same_bits(found["turned"], value.T)
    same_bits(found["shifted"], shifted.reshape(len(value), -1))

    if dtype in ("int8", "float16"):
        w, ones = rng.integers(-3, 4, (value.shape[1], 5)).astype(dtype), np.ones((2, value.shape[1]), dtype)
        program = Program(config)
        view = result(program)
        program.output("product", program.matmul(view, w))
        program.output("weights", program.matmul(program.constant("ones", ones), view.transpose()))
        found = run_golden(program.compile(), x=x)
        for output, (a, b) in {"product": (value, w), "weights": (ones, value.T)}.items():
            exact = a.astype(np.float64) @ b.astype(np.float64)
            same_bits(found[output], exact.astype(np.int32 if dtype == "int8" else np.float32))


@machines
def test_sums_and_switched_results_padded(config, rng):
    """Results that no pass of the VXM makes: sums that go to MEM as they are, and transposes."""
    vector = config.vector_length
    x, w = (rng.integers(-3, 4, shape).astype(np.int8) for shape in ((4, vector + 1), (vector + 1, vector - 2)))
    program = Program(config)
    sums = program.matmul(program.input("x", x.shape), w)
    turned = program.transpose2d(program.map(lambda a: a + 1, sums, dtype="int8"))
    program.output("sums", program.map(lambda a: a + 7, sums.pad(((0, 0), (0, 2)))))
    program.output("turned", program.map(lambda a: a + 7, turned.pad(((0, 0), (0, 2)))))
    found = run_golden(program.compile(), x=x)
    exact = x.astype(np.int32) @ w.astype(np.int32)
    same_bits(found["sums"], np.pad(exact, ((0, 0), (0, 2))) + np.int32(7))
    same_bits(found["turned"], np.pad((exact + 1).astype(np.int8).T, ((0, 0), (0, 2))) + np.int8(7))


@machines
def test_states_keep_no_padding(config):
    """A state whose next value is NaN beyond its end, read by a product and as a padded view, run after run."""
    width = config.vector_length - 3
    w = np.ones((width, 3), np.float16)
    program = Program(config)
    state = program.state("s", (2, width), "float16")
    x = program.input("x", (2, width), "float16")
    program.output("sum", program.matmul(state, w))
    program.output("padded", program.map(lambda a: a + 1.0, state.pad(((0, 0), (0, 3))), dtype="float16"))
    program.update(state, program.map(lambda a, b: a + recip(b), state, x, dtype="float16"))
    image = program.compile()
    runs = make_backend("golden").run(image, [{"x": np.full((2, width), 0.5, np.float16)}] * 3)
    for number, run in enumerate(runs):
        assert run.fault is None and run.cycles == image.cycles
        value = np.full((2, width), 2 * number, np.float16)
        same_bits(run.outputs["sum"], matmul_fp16(value, w, config.vector_length))
        same_bits(run.outputs["padded"], np.pad(value, ((0, 0), (0, 3))) + np.float16(1))


@machines
@pytest.mark.parametrize("rows", [8, 33])
def test_stored_keys(config, rows):
    """Rows that SCATTER puts into a state, which is then the weights of a product: a store of keys."""
    vector = config.vector_length
    program = Program(config)
    keys = program.state("keys", (rows, vector - 1), "float16")
    query, key = program.input("q", (2, vector - 1), "float16"), program.input("k", (1, vector - 1), "float16")
    program.scatter(keys, program.input("at", (1,), "int32"), program.map(recip, key, dtype="float16"))
    program.output("scores", program.matmul(query, keys.transpose()))
    image = program.compile()
    q = np.ones((2, vector - 1), np.float16)
    steps = [{"q": q, "k": q[:1] / 4, "at": np.array([at], np.int32)} for at in (3, 5)]
    wanted = np.zeros((2, rows), np.float32)
    for at, run in zip((3, 5), make_backend("golden").run(image, steps), strict=True):
        wanted[:, at] = 4 * (vector - 1)
        assert run.fault is None and run.cycles == image.cycles
        same_bits(run.outputs["scores"], wanted)


@machines
@pytest.mark.parametrize("dtype", ["int8", "float16"])
@pytest.mark.parametrize("rows", [3, 40, 120])
def test_products_of_rows_of_zeros(config, rows, dtype):
    """Whole feeders that read nothing but zeros, after and before the rows that are there."""
    x = np.array([[1, 2, 3]], dtype)
    w = np.arange(57).reshape(3, 19).astype(dtype)
    program = Program(config)
    made = program.map(lambda a: a + 1, program.input("x", x.shape, dtype), dtype=dtype)
    program.output("after", program.matmul(made.pad(((0, rows), (0, 0))), w))
    program.output("before", program.matmul(made.pad(((rows, 0), (0, 0))), w))
    program.output("only", program.matmul(made.pad(((0, rows), (0, 0)))[1:], w))
    found = run_golden(program.compile(), x=x)
    row = ((x + x.dtype.type(1)).astype(np.float64) @ w.astype(np.float64)).astype(found["after"].dtype)
    same_bits(found["after"], np.pad(row, ((0, rows), (0, 0))))
    same_bits(found["before"], np.pad(row, ((rows, 0), (0, 0))))
    same_bits(found["only"], np.zeros((rows, 19), row.dtype))


@machines
@pytest.mark.parametrize("name", ["input", "constant", "result"])
def test_views_of_zeros_only(config, name):
    """For every kind of operation."""
    x = np.ones((4, config.vector_length + 1), np.float32)
    program = Program(config)
    given = program.input("x", x.shape, "float32")
    tensor = {"input": given, "constant": program.constant("c", x), "result": program.map(lambda a: a + 1.0, given)}[
        name
    ]
    value = x + 1 if name == "result" else x
    zeros = tensor.pad(((1, 2), (0, 0)))[:1]
    program.output("map", program.map(exp, zeros))
    program.output("joined", program.map(lambda a, b: a + b, zeros, tensor))
    program.output("reduced", program.reduce(join([zeros, zeros]), "add", axis=0))
    program.output("turned", program.transpose2d(zeros))
    # Of several shapes and formats, in one operation.
    others = given.pad(((3, 0), (0, 0)))[:1, :1] if name != "result" else zeros[:, :1]
    program.output("several", program.map(lambda a, b, c: a + b + c, zeros, others, tensor))
    found = run_golden(program.compile(), x=x)
    same_bits(found["map"], np.ones((1, x.shape[1]), np.float32))
    same_bits(found["joined"], value)
    same_bits(found["reduced"], np.zeros(x.shape[1], np.float32))
    same_bits(found["turned"], np.zeros((x.shape[1], 1), np.float32))
    same_bits(found["several"], value)


def test_what_cannot_matter_costs_nothing():
    """No mask where padding is zero, or a positive number that weights of zero meet."""

    def masks(function, dtype="float16"):
        program = Program(MACHINES["nano"])
        made = program.map(function, program.input("x", (4, 5), dtype), dtype=dtype)
        program.output("y", program.matmul(made, np.ones((5, 3), dtype)))
        image = program.compile()
        words = [row_of(int(word)) for words in image.queues.values() for word in words]
        return sum(word is not None and word.mnemonic == "AND" for word in words)

    assert masks(lambda a: a * 3.0) == masks(exp) == masks(lambda a: where(a > 0.0, a, 0.0)) == 0
    assert masks(lambda a: recip(a + 1.0)) == masks(lambda a: a - 1, "int8") == 0
    assert masks(recip) and masks(log) and masks(rsqrt) and masks(lambda a: -exp(a))
