"""Ranges of expressions hold whatever the ALU makes of operands within theirs."""

import numpy as np
import pytest

from compiler.declare.ranges import ANY, ZERO, range_of, range_of_values, ranges
from compiler.expression.expr import FORMATS, OPERAND, Expr
from compiler.expression.functions import cast
from compiler.mesh.graph import lower
from verif.compiler.expressions import FUNCTIONS, INTEGER_FUNCTIONS, PAIRS, apply, random_function

EDGES = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 88.0, -88.0, 65504.0, 3e38, -3e38, 1e-45, 1e-30)


def check(function, operands):
    exprs = [Expr(OPERAND, FORMATS[operand.dtype.name], index=i) for i, operand in enumerate(operands)]
    graph = lower([function(*exprs)])
    ports = [
        range_of_values(np.atleast_1d(operands[port.operand]))
        if port.operand is not None
        else range_of_values(np.array([port.value], np.uint32).view(np.uint8)[: port.dtype.size].view(port.dtype.numpy))
        for port in graph.ports
    ]
    found = ranges(graph, ports, 1)[graph.outputs[0]]
    made = apply(function, *operands)
    if found.zero:
        assert not np.ascontiguousarray(made).view(np.uint8).any(), (found, made)
    if found.finite:
        assert np.isfinite(made).all(), (found, made)
        # Bounds are of float64: the machine's rounding may step over them by a unit in the last place.
        slack = 1e-3 if made.dtype == np.float16 else 1e-6
        wide = made.astype(np.float64)
        assert wide.min() >= found.low - slack * max(1, abs(found.low)), (found, made)
        assert wide.max() <= found.high + slack * max(1, abs(found.high)), (found, made)
        if found.low > 0:
            assert not np.signbit(made).any(), (found, made)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name, dtype):
    for low in EDGES:
        for high in EDGES:
            check(lambda a: cast(FUNCTIONS[name](a), dtype), [np.array([low, high, (low + high) / 2], np.float32)])


@pytest.mark.parametrize("name", [*INTEGER_FUNCTIONS, *PAIRS])
@pytest.mark.parametrize("dtype", ["int8", "int32", "float32"])
def test_pairs_and_integers(name, dtype, rng):
    if dtype == "float32":
        if name in PAIRS:
            for first in EDGES:
                for second in EDGES:
                    pair = [np.array([value, value / 3], np.float32) for value in (first, second)]
                    check(PAIRS[name], pair)
        return
    info = np.iinfo(dtype)
    for _ in range(50):
        operands = [rng.integers(info.min, info.max + 1, 3).astype(dtype) for _ in range(2)]
        operands = [np.zeros_like(operand) if rng.random() < 0.3 else operand for operand in operands]
        check(PAIRS[name] if name in PAIRS else INTEGER_FUNCTIONS[name], operands[: 2 if name in PAIRS else 1])


@pytest.mark.parametrize("is_float", [True, False])
def test_random_expressions(is_float, rng):
    for _ in range(200):
        function = random_function(rng, 2, is_float, int(rng.integers(1, 6)))
        if is_float:
            operands = [rng.choice(EDGES, 4).astype(np.float32) for _ in range(2)]
        else:
            operands = [(rng.integers(-100, 100, 4) * rng.integers(0, 2)).astype(np.int32) for _ in range(2)]
        check(function, operands)


def test_what_is_known():
    assert ZERO.finite and not ANY.finite
    assert range_of_values(np.array([-0.0], np.float32)).zero is False
    assert range_of(FORMATS["int8"]).low == -128
