"""Products whose planes share out K: an ALU adds the sums of two planes before the epilogue."""

import numpy as np
import pytest

from arch.presets import preset
from compiler.lower.mxm.plan import plans
from compiler.place import lowerings
from compiler.program import Program
from verif.bits import same_bits
from verif.compiler.layers import compile_layer, layer, product, random_int8, run
from verif.compiler.test_requantise import EPILOGUES, options


@pytest.fixture
def in_parts(monkeypatch):
    """Let products have no other plans, however good they are."""
    monkeypatch.setattr(
        lowerings, "plans", lambda op: [plan for plan in plans(op) if all(feeder.parts > 1 for feeder in plan.feeders)]
    )


@pytest.mark.parametrize("choice", EPILOGUES, ids="-".join)
@pytest.mark.parametrize(
    ("name", "shape"), [("nano", (1, 16, 8)), ("nano", (1, 29, 13)), ("nano", (2, 48, 5)), ("small", (1, 64, 31))]
)
def test_results(name, shape, choice, rng, in_parts):
    m, k, n = shape
    chosen = options(choice, n, rng)
    x, w = random_int8(rng, m, k), random_int8(rng, k, n)
    image = compile_layer(preset(name), m, k, n, **chosen)
    assert image.notes["planes"] > 1
    same_bits(run(image, x=x, w=w)["y"], layer(x, w, **chosen))


def test_sums_wrap_at_32_bits_as_those_of_one_plane_do(in_parts):
    x, w = np.full((1, 16), -128, np.int8), np.full((16, 3), -128, np.int8)
    bias = np.array([2**31 - 1, -(2**31), 5], np.int32)
    same_bits(run(compile_layer(preset("nano"), 1, 16, 3, bias=bias), x=x, w=w)["y"], layer(x, w, bias=bias))


def test_an_even_number_of_blocks_and_idle_planes_are_needed():
    nano = preset("nano")

    def parts(m, k, n, planes=4, **extras):
        op = product(nano, m, k, n, planes, **extras)
        return {feeder.parts for plan in plans(op) for feeder in plan.feeders}

    assert parts(1, 16, 8, scale=True) == {1, 2}
    assert parts(1, 16, 8) == {1}, "float sums would depend on the order, and raw ones would take a way through the VXM"
    assert parts(1, 24, 8, scale=True) == {1}
    assert parts(3, 16, 8, scale=True) == {1}
    assert parts(1, 16, 24, scale=True) == {1}
    assert parts(1, 16, 8, planes=1, scale=True) == {1}


def test_dependent_layers_start_sooner(rng, monkeypatch):
    """Tiles of both halves of K are in planes before the activations are there."""
    weights = [random_int8(rng, 256, 256) for _ in range(3)]
    given = expected = random_int8(rng, 1, 256)
    for w in weights:
        expected = layer(expected, w, scale=0.001, relu=True)
    assert expected.any()
    image = compile_layers(weights)
    same_bits(run(image, x=given)["y"], expected)
    monkeypatch.setattr(lowerings, "plans", lambda op: [plan for plan in plans(op) if plan.feeders[0].parts == 1])
    assert compile_layers(weights).cycles > image.cycles


def compile_layers(weights):
    # A tile of this width takes eight steps to load.
    program = Program(preset("base", ["superlanes=8"]), "layers")
    value = program.input("x", (1, len(weights[0])))
    for number, w in enumerate(weights):
        value = program.matmul(value, program.constant(f"w{number}", w), scale=0.001, relu=True)
    program.output("y", value)
    return program.compile()
