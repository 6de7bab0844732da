"""Expressions that need more ALUs or MEM slices than there are."""

import numpy as np
import pytest

from arch.formats import DType
from arch.presets import preset
from compiler.expression.expr import OPERAND, Expr
from compiler.expression.functions import bitwise_or, cast, exp, maximum, relu, sigmoid, where
from compiler.ir.vector import Pass
from compiler.lower.vxm.cut import cut
from compiler.lower.vxm.plan import ways
from compiler.mesh.graph import lower
from compiler.mesh.mapper import mappings
from compiler.program import Program
from verif.compiler.expressions import check_map, random_values

NANO = preset("nano", ["mem_depth=2048"])
SMALL = preset("small")


def long(x: Expr) -> Expr:
    for factor in range(2, 12):
        x = x * x + float(factor) * 0.125
    return x


def passes(config, function, *arrays) -> list[Pass]:
    program = Program(config)
    program.map(function, *(program.input(f"x{i}", a.shape, a.dtype.name) for i, a in enumerate(arrays)))
    return [op for op in program._operations if isinstance(op, Pass)]


@pytest.mark.parametrize("config", [NANO, SMALL], ids=lambda config: config.name)
def test_operations(config, rng):
    x = (rng.normal(size=(5, 9)) * 0.1).astype(np.float32)
    (op,) = passes(config, long, x)
    assert not mappings(config, op.graph)
    parts = cut(op, 0)
    assert len(parts) > 1
    assert sum(len(part.graph.nodes) for part in parts) == len(op.graph.nodes)
    assert all(ways(part) for part in parts)
    check_map(config, long, [x])


def test_streams(rng):
    arrays = [random_values(rng, "float32", 4, 9) for _ in range(6)]

    def total(*operands: Expr) -> Expr:
        found = operands[0]
        for operand in operands[1:]:
            found = found + operand
        return found

    assert len(cut(passes(SMALL, total, *arrays)[0], 0)) == 1
    parts = cut(passes(NANO, total, *arrays)[0], 0)
    assert len(parts) == 2
    for part in parts:
        assert sum(operand.tensor.itemsize for operand in part.operands) <= NANO.slices
    check_map(NANO, total, arrays)


def test_several_results_and_formats(rng):
    x, y = (rng.normal(size=(4, 9)).astype(np.float16) for _ in range(2))

    def function(a: Expr, b: Expr) -> Expr:
        one = sigmoid(a * b + 0.5) * a
        return cast(exp(one * b - 1.0) * one + b, "float16")

    check_map(NANO, function, [x, y])
    check_map(SMALL, function, [x, y])


def test_a_value_that_is_read_wider_crosses_as_it_is(rng):
    """Within the mesh an int16 is its own int32; from MEM it needs an ALU that widens it."""

    def function(a: Expr) -> Expr:
        floor = maximum(a, 3)
        first = where(floor > 0, where(a > 0, a, floor, dtype="int32"), floor)
        return floor + (bitwise_or(a, floor) ^ relu(first))

    x = random_values(rng, "int16", 5, 9)
    assert len(cut(passes(SMALL, function, x)[0], 0)) > 1
    check_map(SMALL, function, [x])
    check_map(NANO, function, [x])


def test_conversions_are_repeated():
    """One conversion of x, carried to its last user, would take more ALUs than there are."""
    x = Expr(OPERAND, DType.FP16)
    graph = lower([x * sigmoid(x * x + 0.25)])
    assert max(sum(cell.node.mnemonic == "CVT" for cell in group[0].cells) for group in mappings(SMALL, graph)) == 2
