"""Words that many steps of a pass share, in ALUs, and slices with what is read now and then."""

import numpy as np
import pytest

from arch.presets import preset
from compiler import driver
from compiler.expression.expr import Expr
from compiler.expression.functions import exp, recip
from compiler.ir.vector import Pass
from compiler.library.catalogue import KERNELS
from compiler.lower.vxm.plan import pass_plans
from compiler.lower.vxm.steps import fresh_steps, stationary_ports, working_steps
from compiler.place.policy import Policy
from compiler.program import Program
from runtime.backend import GoldenBackend
from runtime.kernel import run_kernel
from runtime.kernel_samples import sample
from runtime.rtl_backend import RtlBackend
from verif.compiler.expressions import check_map, random_values
from verif.kernels.test_kernels import check

NANO = preset("nano", ["mem_depth=2048"])
HELD = 3
"""Cycles until an ALU sees its own result."""


def scaled(a: Expr, b: Expr) -> Expr:
    return a * b


def row_scaling(rows: int, steps: int) -> Pass:
    """Return the pass of a product with one factor per row, rows along the lanes."""
    program = Program(NANO)
    x, factor = program.input("x", (rows, steps), "float32"), program.input("factor", (rows, 1), "float32")
    program.map(scaled, x, factor, layout="columns")
    (op,) = [op for op in program._operations if isinstance(op, Pass)]
    return op


def test_what_is_kept():
    assert stationary_ports(row_scaling(16, 12)) == {1}
    assert stationary_ports(row_scaling(16, 2 * HELD)) == set()  # too short
    assert stationary_ports(row_scaling(1, 1)) == set()


@pytest.mark.parametrize("rows", [8, 13, 24])
def test_a_kept_word_is_read_until_the_alu_sees_it(rows):
    op = row_scaling(rows, 12)
    blocks = -(-rows // NANO.vector_length)
    mapping = pass_plans(op, latched=True)[0].mappings[0]
    _, streams = working_steps(op, mapping)
    (number,) = [number for number in range(len(mapping.streams)) if mapping.holds(number)]
    expected = np.concatenate([12 * block + np.arange(HELD) for block in range(blocks)])
    assert np.flatnonzero(streams[number]).tolist() == expected.tolist()
    (keeper,) = [cell for cell in mapping.cells if cell.node.holds]
    works = np.ones(op.steps, np.bool_)
    works[: HELD + 1] = False
    assert np.flatnonzero(fresh_steps(op, mapping, keeper, works))[0] == HELD + 1


@pytest.fixture
def only_kept(monkeypatch):
    """Let the compiler try nothing but the policy that latches words and pools slices."""
    policy = Policy(copied=True, sparse=True, latched=True)
    monkeypatch.setattr(driver, "_policies", lambda source: [policy])


@pytest.mark.parametrize("rows,steps", [(1, 16), (5, 6), (16, 20), (19, 33)])
@pytest.mark.parametrize("name", ["softmax", "rmsnorm", "layernorm"])
def test_shapes(name, rows, steps, only_kept, rng):
    kernel = KERNELS[name]
    arrays = {"x": rng.normal(size=(rows, steps)).astype(np.float32)}
    for argument in kernel.arguments[1:]:
        arrays[argument.name] = rng.normal(size=steps).astype(np.float32)
    check(run_kernel(kernel, NANO, arrays, kernel.values({}), GoldenBackend()))


@pytest.mark.parametrize("rows,steps", [(1, 16), (16, 20), (19, 33)])
def test_maps(rows, steps, only_kept, rng):
    """A factor that two levels use is kept for each of them."""
    x, factor = (random_values(rng, "float32", rows, count) for count in (steps, 1))
    check_map(NANO, lambda a, b: a * b + b, [x, factor], layout="columns")


def dependent(program: Program, x, factor):
    """Two passes, of which the second one needs a sum of the first."""
    total = program.reduce(x, "add", 1, function=exp, finish=recip, keepdims=True, layout="columns")
    return program.map(lambda a, b, c: a * b * c, x, total, factor)


def test_passes_overlap_where_slices_are_short():
    program = Program(NANO)
    x, factor = program.input("x", (64, 64), "float32"), program.input("factor", (64,), "float32")
    program.output("y", dependent(program, x, factor))
    steps = 64 * 64 // NANO.vector_length
    # The second pass begins a group behind the first one.
    assert program.compile().cycles < 1.5 * steps


@pytest.mark.parametrize("name,dtype", [("softmax", "float32"), ("rmsnorm", "float16"), ("layernorm", "float32")])
def test_rtl(name, dtype, only_kept):
    kernel = KERNELS[name]
    check(run_kernel(kernel, preset("nano"), sample(name, dtype, 32), kernel.values({}), RtlBackend("verilator")))
