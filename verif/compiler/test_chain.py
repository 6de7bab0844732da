"""Products one after another, intermediates staying in MEM."""

from itertools import pairwise

import numpy as np
import pytest

from arch.presets import preset
from compiler.program import Program
from verif.bits import same_bits
from verif.compiler.layers import layer, random_int8, run


def network(config, rng, batch, sizes, planes=None):
    """Return program, weights and biases of a network of relu layers, the last one without requantisation."""
    program = Program(config, "network")
    value = program.input("x", (batch, sizes[0]))
    parts = []
    for number, (k, n) in enumerate(pairwise(sizes)):
        w, bias = random_int8(rng, k, n), rng.integers(-9_000, 9_000, n).astype(np.int32)
        last = number == len(sizes) - 2
        scale = None if last else 1 / (40 * k)
        value = program.matmul(value, w, bias=bias, scale=scale, relu=not last, planes=planes)
        parts.append((w, bias, scale, not last))
    program.output("y", value)
    return program, parts


def expected(x, parts):
    for w, bias, scale, relu in parts:
        x = layer(x, w, bias, scale, relu=relu)
    return x


@pytest.mark.parametrize("planes", [1, 2, 4])
@pytest.mark.parametrize(("name", "batch"), [("nano", 100), ("small", 300)])
def test_digits_network(name, batch, planes, rng):
    program, parts = network(preset(name), rng, batch, (64, 32, 10), planes)
    x = random_int8(rng, batch, 64)
    same_bits(run(program.compile(), x=x)["y"], expected(x, parts))


@pytest.mark.parametrize("batch", [1, 2, 19])
def test_four_layers(batch, rng):
    program, parts = network(preset("nano"), rng, batch, (17, 9, 24, 7, 3))
    x = random_int8(rng, batch, 17)
    same_bits(run(program.compile(), x=x)["y"], expected(x, parts))


def test_layers_overlap_in_time(rng):
    program, _ = network(preset("small"), rng, 256, (64, 32, 10), 1)
    tiles = 4 * 2 + 2 * 1
    assert program.compile().cycles < 256 * tiles + 100


def test_one_activation_feeds_two_products_and_an_intermediate_is_an_output(rng):
    program = Program(preset("small"), "fork")
    x = program.input("x", (20, 30))
    w = [random_int8(rng, 30, 40), random_int8(rng, 40, 5), random_int8(rng, 40, 33)]
    hidden = program.matmul(x, w[0], scale=0.003, relu=True)
    left, right = program.matmul(hidden, w[1]), program.matmul(hidden, w[2], scale=0.01)
    for name, tensor in (("hidden", hidden), ("left", left), ("right", right)):
        program.output(name, tensor)
    values = random_int8(rng, 20, 30)
    found = run(program.compile(), x=values)
    middle = layer(values, w[0], scale=0.003, relu=True)
    same_bits(found["hidden"], middle)
    same_bits(found["left"], layer(middle, w[1]))
    same_bits(found["right"], layer(middle, w[2], scale=0.01))


def test_bias_and_scale_may_be_inputs(rng):
    program = Program(preset("nano"), "inputs")
    x, w = program.input("x", (4, 9)), program.input("w", (9, 11))
    bias, scale = program.input("bias", (11,), "int32"), program.input("scale", (11,), "float32")
    program.output("y", program.matmul(x, w, bias=bias, scale=scale))
    values = {
        "x": random_int8(rng, 4, 9),
        "w": random_int8(rng, 9, 11),
        "bias": rng.integers(-999, 999, 11).astype(np.int32),
        "scale": rng.uniform(0.001, 0.1, 11).astype(np.float32),
    }
    same_bits(run(program.compile(), **values)["y"], layer(**values))
