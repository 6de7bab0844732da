"""Epilogues of matrix products: right bits, beside the product."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.presets import preset
from compiler.expression.activations import gelu, silu
from compiler.expression.functions import cast, relu, sigmoid, tanh
from compiler.program import Program
from golden.reference.activations import gelu as gelu_defined
from golden.reference.activations import silu as silu_defined
from golden.reference.fp32 import apply
from golden.reference.matmul import matmul_int32
from golden.reference.matmul_fp16 import matmul_fp16
from verif.bits import same_bits
from verif.compiler.layers import random_float16, random_int8, run

NANO = preset("nano", ["mem_depth=2048"])
SMALL = preset("small")
MACHINES = {
    "nano": NANO,
    "small": SMALL,
    "slow memory": NANO.replace(sram_latency=2, slices_per_hop=1),
    "8 lanes": NANO.replace(lanes=8),
}
FUNCTIONS = {
    "relu": (relu, lambda value: apply("RELU", value)),
    "gelu": (gelu, gelu_defined),
    "silu": (silu, silu_defined),
    "sigmoid": (sigmoid, lambda value: apply("SIGMOID", value)),
    "tanh": (tanh, lambda value: apply("TANH", value)),
}


def product(config, m, k, n, given, **how):
    """Return a program's x, w and product, an output of it."""
    program = Program(config)
    x, w = program.input("x", (m, k), given), program.input("w", (k, n), given)
    operands = tuple(program.input(name, shape, kind) for name, shape, kind in how.pop("inputs", ()))
    program.output("y", program.matmul(x, w, operands=operands, **how))
    return program.compile()


def same(found, wanted):
    assert found.dtype == wanted.dtype
    same_bits(found, np.ascontiguousarray(wanted))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("machine", MACHINES)
def test_functions_of_float16_products(name, machine, rng):
    config = MACHINES[machine]
    function, defined = FUNCTIONS[name]
    for m, k, n in ((5, config.vector_length + 1, 3), (40, 2, config.vector_length + 2), (1, 1, 1)):
        bias = rng.normal(size=n).astype(np.float32)
        image = product(
            config, m, k, n, "float16", epilogue=lambda a, b: function(a + b), inputs=[("bias", (n,), "float32")]
        )
        x, w = random_float16(rng, m, k), random_float16(rng, k, n)
        with np.errstate(all="ignore"):
            wanted = defined(apply("ADD", matmul_fp16(x, w, config.vector_length), bias))
        same(run(image, x=x, w=w, bias=bias)["y"], wanted)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "float16", "float32"])
def test_formats_of_int8_products(dtype, rng):
    for m, k, n in ((9, 35, 21), (70, 16, 17)):
        bias = rng.integers(-1000, 1000, n).astype(np.int32)
        residual = rng.integers(-1000, 1000, (m, n)).astype(np.int32)
        image = product(
            SMALL,
            m,
            k,
            n,
            "int8",
            epilogue=lambda a, b, r: a + b - r,
            dtype=dtype,
            inputs=[("bias", (n,), "int32"), ("residual", (m, n), "int32")],
        )
        x, w = random_int8(rng, m, k), random_int8(rng, k, n)
        with np.errstate(over="ignore"):
            wanted = (matmul_int32(x, w) + bias - residual).astype(dtype)
        same(run(image, x=x, w=w, bias=bias, residual=residual)["y"], wanted)


def test_a_result_goes_on_to_the_next_product(rng):
    program = Program(SMALL)
    x, v, w = (program.input(name, (24, 24), "float16") for name in "xvw")
    hidden = program.matmul(x, v, epilogue=relu, dtype="float16")
    program.output("y", program.matmul(hidden, w, epilogue=lambda a, b: a + cast(b, "float32"), operands=(hidden,)))
    a, b, c = (rng.normal(size=(24, 24)).astype(np.float16) for _ in range(3))
    middle = apply("RELU", matmul_fp16(a, b, SMALL.vector_length)).astype(np.float16)
    wanted = apply("ADD", matmul_fp16(middle, c, SMALL.vector_length), middle.astype(np.float32))
    same(run(program.compile(), x=a, v=b, w=c)["y"], wanted)


@pytest.mark.parametrize(
    "how,words",
    [
        ({"epilogue": relu, "relu": True}, "relu must be left out beside an epilogue"),
        ({"dtype": "float32"}, "without an epilogue"),
        ({"epilogue": lambda a: (a, a)}, "one expression, not 2"),
        ({"epilogue": lambda a, b: a + b, "inputs": [("b", (4, 1), "int32")]}, r"shape \(6,\) or \(4, 6\)"),
    ],
)
def test_refusals(how, words):
    with pytest.raises(TaktError, match=words):
        product(NANO, 4, 5, 6, "int8", **how)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("rows", [196, 37])
def test_a_residual_is_converted_before(dtype, rows, rng):
    """Where ALUs that convert a residual keep planes idle, while the product still waits for others; bits stay."""
    config = preset("base")
    for depth, hidden in ((9 * 64, True), (64, False)):
        program = Program(config)
        x, w, v = (
            program.input(name, shape) for name, shape in (("x", (rows, depth)), ("w", (depth, 64)), ("v", (64, 64)))
        )
        skip = program.input("skip", (rows, 64), dtype)
        y = program.matmul(x, w, scale=0.001)
        z = program.matmul(
            y,
            v,
            epilogue=lambda total, other: cast(total, "float32") * 0.003 + cast(other, "float32"),
            operands=(skip,),
            dtype="int8",
        )
        program.output("z", z)
        conversions = [op for op in program.operations if op.as_pass is not None]
        assert len(conversions) == hidden
        given = {"x": random_int8(rng, rows, depth), "w": random_int8(rng, depth, 64), "v": random_int8(rng, 64, 64)}
        given["skip"] = rng.integers(-99, 100, (rows, 64)).astype(dtype)
        first = np.clip(np.rint(matmul_int32(given["x"], given["w"]).astype(np.float32) * np.float32(0.001)), -128, 127)
        sums = matmul_int32(first.astype(np.int8), given["v"]).astype(np.float32) * np.float32(0.003)
        same(run(program.compile(), **given)["z"], np.clip(np.rint(sums + given["skip"]), -128, 127).astype(np.int8))
