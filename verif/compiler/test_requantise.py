"""Bias, requantisation, zero point and relu on the way through the VXM."""

import numpy as np
import pytest

from arch.presets import preset
from verif.bits import same_bits
from verif.compiler.layers import compile_layer, layer, random_int8, run

EPILOGUES = [
    {"bias": True},
    {"relu": True},
    {"bias": True, "relu": True},
    {"scale": True},
    {"scale": True, "zero_point": -128},
    {"bias": True, "scale": True},
    {"bias": True, "scale": True, "relu": True},
    {"bias": True, "scale": True, "zero_point": 7},
    {"bias": True, "scale": True, "zero_point": 7, "relu": True},
]


def options(choice, n, rng):
    found = dict(choice)
    if "bias" in found:
        found["bias"] = rng.integers(-30_000, 30_000, n).astype(np.int32)
    if "scale" in found:
        found["scale"] = rng.uniform(0.0005, 0.02, n).astype(np.float32)
    return found


@pytest.mark.parametrize("choice", EPILOGUES, ids="-".join)
@pytest.mark.parametrize("name", ["nano", "small"])
def test_epilogue(name, choice, rng):
    for m, k, n, planes in ((1, 1, 1, 1), (2, 33, 20, 2), (23, 40, 35, 1), (37, 20, 33, 4)):
        chosen = options(choice, n, rng)
        x, w = random_int8(rng, m, k), random_int8(rng, k, n)
        image = compile_layer(preset(name), m, k, n, planes=planes, **chosen)
        same_bits(run(image, x=x, w=w)["y"], layer(x, w, **chosen), f"{m}x{k}x{n}")


def test_bias_wraps_at_32_bits(rng):
    bias = np.array([2**31 - 1, -(2**31), 5], np.int32)
    x, w = np.full((2, 4), 127, np.int8), np.array([[127, -128, 1]] * 4, np.int8)
    image = compile_layer(preset("nano"), 2, 4, 3, bias=bias)
    same_bits(run(image, x=x, w=w)["y"], layer(x, w, bias=bias))


def test_ties_round_to_even():
    x = np.arange(-8, 8, dtype=np.int8).reshape(16, 1)
    image = compile_layer(preset("nano"), 16, 1, 1, scale=0.5)
    found = run(image, x=x, w=np.ones((1, 1), np.int8))["y"]
    assert found[:, 0].tolist() == [-4, -4, -3, -2, -2, -2, -1, 0, 0, 0, 1, 2, 2, 2, 3, 4]


def test_one_scale_for_all_columns_is_the_same_as_many(rng):
    x, w = random_int8(rng, 9, 12), random_int8(rng, 12, 10)
    one = run(compile_layer(preset("nano"), 9, 12, 10, scale=0.01), x=x, w=w)["y"]
    many = run(compile_layer(preset("nano"), 9, 12, 10, scale=np.full(10, 0.01, np.float32)), x=x, w=w)["y"]
    same_bits(one, many)


@pytest.mark.parametrize("mesh", [{"alu_cols": 2}, {"alu_rows": 1}], ids=str)
def test_small_mesh(mesh, rng):
    config = preset("nano").replace(**mesh)
    x, w, bias = random_int8(rng, 9, 12), random_int8(rng, 12, 10), np.arange(10, dtype=np.int32)
    image = compile_layer(config, 9, 12, 10, bias=bias, scale=0.01, relu=True)
    same_bits(run(image, x=x, w=w)["y"], layer(x, w, bias, 0.01, relu=True))
