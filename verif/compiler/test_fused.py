"""Epilogues fused into products: every expression that fits the mesh costs its latency, the others a pass."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from arch.presets import preset
from compiler.expression.activations import gelu, silu
from compiler.expression.expr import Expr
from compiler.expression.functions import cast, maximum, minimum, relu, sigmoid, where
from compiler.lower.mxm.plan import plans
from compiler.program import Program
from golden.reference.activations import gelu as gelu_defined
from golden.reference.activations import silu as silu_defined
from golden.reference.fp32 import apply
from golden.reference.matmul import matmul_int32
from golden.reference.matmul_fp16 import matmul_fp16
from runtime.rtl_backend import RtlBackend
from verif.bits import same_bits
from verif.compiler.layers import random_float16, random_int8, run

NANO = preset("nano", ["mem_depth=2048"])
SMALL = preset("small")
MACHINES = {
    "nano": NANO,
    "small": SMALL,
    "base": preset("base"),
    "slow memory": NANO.replace(sram_latency=2, slices_per_hop=1),
    "two columns": NANO.replace(alu_cols=2),
    "8 lanes": NANO.replace(lanes=8),
}


@dataclass(frozen=True)
class Case:
    """An epilogue: expression, definition in NumPy, formats of vectors (v) and matrices (m), format of the result."""

    function: Callable[..., Expr]
    defined: Callable[..., Any]
    operands: tuple[str, ...]
    dtype: str


INT8 = {
    "sum of all": Case(lambda a, b, r: a + b - r, lambda a, b, r: a + b - r, ("v int32", "m int32"), "int32"),
    "numbers": Case(lambda a: (a + 5) >> 3, lambda a: (a + 5) >> 3, (), "int32"),
    "clip": Case(
        lambda a, low, high: minimum(maximum(a, low), high),
        lambda a, low, high: np.minimum(np.maximum(a, low), high),
        ("v int32", "v int32"),
        "int16",
    ),
    "mask": Case(lambda a, m: where(m, a, 0 - a), lambda a, m: np.where(m != 0, a, -a), ("m int8",), "int32"),
    "residual float16": Case(
        lambda a, r: cast(a, "float32") + cast(r, "float32"),
        lambda a, r: apply("ADD", a.astype(np.float32), r.astype(np.float32)),
        ("m float16",),
        "float32",
    ),
    "twice": Case(lambda a, b: (a + b) * (a - b), lambda a, b: (a + b) * (a - b), ("v int32",), "int32"),
    "in two levels": Case(lambda a, b: (a - b) * 3 + b, lambda a, b: (a - b) * 3 + b, ("v int32",), "int32"),
}
FP16 = {
    "bias and residual": Case(
        lambda a, b, r: relu(a + b + r),
        lambda a, b, r: apply("RELU", apply("ADD", apply("ADD", a, b), r)),
        ("v float32", "m float32"),
        "float32",
    ),
    "silu": Case(lambda a, b: silu(a + b), lambda a, b: silu_defined(apply("ADD", a, b)), ("v float32",), "float32"),
    "gate": Case(
        lambda a, m: a * sigmoid(m), lambda a, m: apply("MUL", a, apply("SIGMOID", m)), ("m float32",), "float32"
    ),
    "rounded": Case(
        lambda a, r: cast(cast(r, "float32") + a, "float16"),
        lambda a, r: apply("ADD", r.astype(np.float32), a).astype(np.float16),
        ("m float16",),
        "float16",
    ),
}
SHAPES = ((1, 1, 1), (2, 9, 3), (13, 17, 19), (37, 35, 33))


def values(rng, kind, m, n):
    place, dtype = kind.split()
    shape = (n,) if place == "v" else (m, n)
    if dtype.startswith("float"):
        return rng.normal(size=shape).astype(dtype)
    return rng.integers(-90, 90, shape).astype(dtype)


def check(config, given, case, shape, rng, runner=run):
    m, k, n = shape
    program = Program(config)
    x, w = program.input("x", (m, k), given), program.input("w", (k, n), given)
    extra = {f"o{number}": values(rng, kind, m, n) for number, kind in enumerate(case.operands)}
    operands = tuple(program.input(name, array.shape, array.dtype.name) for name, array in extra.items())
    y = program.matmul(x, w, epilogue=case.function, operands=operands, dtype=case.dtype)
    program.output("y", y)
    a, b = (random_int8(rng, *s) if given == "int8" else random_float16(rng, *s) for s in ((m, k), (k, n)))
    sums = matmul_int32(a, b) if given == "int8" else matmul_fp16(a, b, config.vector_length)
    with np.errstate(all="ignore"):
        wanted = np.ascontiguousarray(case.defined(sums, *extra.values())).astype(case.dtype)
    found = runner(program.compile(), x=a, w=b, **extra)["y"]
    same_bits(found, wanted)
    return program


def run_on_rtl(image, **inputs):
    (result,) = RtlBackend("verilator").run(image, [inputs])
    assert result.cycles == image.cycles
    return result.outputs


@pytest.mark.parametrize("name", INT8)
@pytest.mark.parametrize("machine", MACHINES)
def test_int32_sums(machine, name, rng):
    for shape in SHAPES:
        check(MACHINES[machine], "int8", INT8[name], shape, rng)


@pytest.mark.parametrize("name", FP16)
@pytest.mark.parametrize("machine", MACHINES)
def test_float32_sums(machine, name, rng):
    for shape in SHAPES:
        check(MACHINES[machine], "float16", FP16[name], shape, rng)


@pytest.mark.parametrize("name", FP16)
def test_a_fused_epilogue_costs_its_latency(name, rng):
    def cycles(how):
        program = Program(SMALL)
        x, w = program.input("x", (96, 48), "float16"), program.input("w", (48, 64), "float16")
        operands = [(96, 64) if kind[0] == "m" else (64,) for kind in FP16[name].operands] if how else []
        given = tuple(
            program.input(f"o{number}", shape, kind.split()[1])
            for number, (shape, kind) in enumerate(zip(operands, FP16[name].operands, strict=False))
        )
        program.output("y", program.matmul(x, w, operands=given, **how))
        return program.compile().cycles

    plain, fused = cycles({}), cycles({"epilogue": FP16[name].function})
    assert plain <= fused <= plain + 64


def test_what_does_not_fit_the_mesh_is_a_pass(rng):
    case = Case(gelu, gelu_defined, (), "float32")
    program = check(SMALL, "float16", case, (33, 20, 18), rng)
    assert not plans(program.operations[-1])


def test_what_finds_no_slices_is_a_pass(rng):
    """Four matrices of 32 bits are all slices of nano."""

    def total(value, *terms):
        for term in terms:
            value = value + term
        return value

    case = Case(total, total, ("m int32",) * 4, "int32")
    check(NANO, "int8", case, (9, 10, 11), rng)


def test_an_epilogue_without_the_sums_is_a_pass(rng):
    case = Case(lambda a, r: r + 1, lambda a, r: r + 1, ("m int32",), "int32")
    check(SMALL, "int8", case, (5, 6, 7), rng)


@pytest.mark.parametrize("m", [1, 21])
@pytest.mark.parametrize("config", [NANO, SMALL], ids=lambda config: config.name)
def test_operands_that_are_results(config, m, rng):
    program = Program(config)
    x, v, w = (
        program.input(name, shape, "float16") for name, shape in (("x", (m, 18)), ("v", (18, 20)), ("w", (18, 20)))
    )
    shift = program.map(lambda value: value * 3.0, program.input("shift", (20,), "float32"))
    first = program.matmul(x, v, epilogue=lambda a, b: a + b, operands=(shift,))
    y = program.matmul(x, w, epilogue=lambda a, b, s: relu(a * s + b), operands=(first, shift))
    for name, tensor in (("first", first), ("y", y)):
        program.output(name, tensor)
    a, b, c = random_float16(rng, m, 18), random_float16(rng, 18, 20), random_float16(rng, 18, 20)
    d = rng.normal(size=20).astype(np.float32)
    found = run(program.compile(), x=a, v=b, w=c, shift=d)
    factor = apply("MUL", d, np.float32(3))
    middle = apply("ADD", matmul_fp16(a, b, config.vector_length), factor)
    same_bits(found["first"], middle)
    last = apply("ADD", apply("MUL", matmul_fp16(a, c, config.vector_length), factor), middle)
    same_bits(found["y"], apply("RELU", last))


@pytest.mark.parametrize("name", ["sum of all", "mask"])
def test_rtl(name, rng):
    check(preset("nano"), "int8", INT8[name], (13, 9, 19), rng, run_on_rtl)
