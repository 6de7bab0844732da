"""Definitions of kernels without MXM products against onnxruntime and float64, within each test's tolerance."""

import numpy as np
import pytest

from arch.errors import TaktError
from golden.reference.activations import ACTIVATIONS
from golden.reference.fp32 import PARTIALS, reduce_time
from golden.reference.movement import embedding, transpose
from golden.reference.normalisation import layernorm, layernorm_in_lanes, rmsnorm, rmsnorm_in_lanes
from golden.reference.pooling import maxpool
from golden.reference.rope import rope
from golden.reference.softmax import softmax
from golden.reference.windows import Window
from verif.bits import same_bits
from verif.golden.onnx_operator import run_operator

SHAPES = [(1, 1), (3, 2), (5, 7), (64, 64), (2, 3, 129)]


def values(seed, shape, dtype=np.float32, scale=3.0):
    return (np.random.default_rng(seed).normal(size=shape) * scale).astype(dtype)


@pytest.mark.parametrize("shape", SHAPES)
def test_softmax(shape):
    x = values(1, shape)
    expected = run_operator("Softmax", {"x": x}, np.float32, axis=-1)
    np.testing.assert_allclose(softmax(x), expected, rtol=2e-6, atol=1e-9)


def test_softmax_of_extremes():
    x = np.array([[1e30, 0, -1e30], [-np.inf, 5, 5], [88, 89, -200]], np.float32)
    np.testing.assert_allclose(softmax(x)[:2], np.array([[1, 0, 0], [0, 0.5, 0.5]]), rtol=1e-6)
    assert np.isnan(softmax(np.array([[np.nan, 1]], np.float32))).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_layernorm(shape):
    x, gamma, beta = values(2, shape), values(3, shape[-1:]), values(4, shape[-1:])
    expected = run_operator("LayerNormalization", {"x": x, "g": gamma, "b": beta}, np.float32, epsilon=1e-5)
    np.testing.assert_allclose(layernorm(x, gamma, beta), expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_rmsnorm(shape):
    x, gamma = values(5, shape), values(6, shape[-1:])
    wide = x.astype(np.float64)
    expected = wide / np.sqrt(np.mean(wide**2, axis=-1, keepdims=True) + 1e-5) * gamma
    np.testing.assert_allclose(rmsnorm(x, gamma), expected, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_activations(name, dtype):
    x = np.concatenate([values(7, 4096, dtype), np.array([0, -0.0, 20, -20, np.inf, 1e-7], dtype)])
    wide = x.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        expected = {
            "gelu": 0.5 * wide * (1 + np.tanh(np.sqrt(2 / np.pi) * (wide + 0.044715 * wide**3))),
            "silu": wide / (1 + np.exp(-wide)),
            "sigmoid": 1 / (1 + np.exp(-wide)),
        }[name]
    got = ACTIVATIONS[name](x)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, expected, rtol=1e-6 if dtype == np.float32 else 1e-3, atol=3e-7)


def test_rope():
    x, angles = values(10, (7, 10)), np.random.default_rng(11).uniform(0, 6, (7, 5))
    got = rope(x, np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32))
    turned = (x[:, :5] + 1j * x[:, 5:]) * np.exp(1j * angles)
    np.testing.assert_allclose(got, np.concatenate([turned.real, turned.imag], axis=1), rtol=1e-5, atol=2e-6)


def test_reduction_runs_in_interleaved_parts():
    # Only this order of summation keeps the small terms: 2**24 + 1 is no fp32.
    big = np.float32(2**24)
    x = np.array([big, 1, 1, 0, 1, 1], np.float32)
    assert PARTIALS == 3
    assert reduce_time("ADD", x, 0) == big + 4
    assert reduce_time("ADD", x[[1, 0, 3, 2]], 0) == big + 2


def test_movement():
    x = np.arange(24).reshape(2, 3, 4)
    same_bits(transpose(x), np.einsum("abc->cba", x))
    same_bits(transpose(x, (1, 0, 2)), np.einsum("abc->bac", x))
    same_bits(embedding(x[0], np.array([2, 0, 2], np.int32)), [x[0, 2], x[0, 0], x[0, 2]])


def test_mistakes():
    with pytest.raises(TaktError, match="index must be 0 to 2, not 3"):
        embedding(np.zeros((3, 2)), np.array([0, 3], np.int32))
    with pytest.raises(TaktError, match="axes must be a permutation of 0 to 1, not"):
        transpose(np.zeros((2, 2)), (0, 0))
    with pytest.raises(TaktError, match="strides must be at least 1, not 0"):
        Window(sizes=(1, 1), strides=0)
    with pytest.raises(TaktError, match="window must reach over at most 2 places along axis 1, not 3"):
        maxpool(np.zeros((4, 2, 1), np.float32), Window(sizes=(1, 3)))


@pytest.mark.parametrize("scale", [1e-5, 1e-2, 1.0, 150.0, 2e4])
@pytest.mark.parametrize("offset", [0.0, 3.0])
def test_norms_in_lanes(scale, offset):
    """Squares are rounded, which makes less than one part in 4,096 of the root; they neither overflow nor vanish."""
    x = np.random.default_rng(7).normal(offset, 1, (6, 21)) * scale
    x = np.clip(x, -65504, 65504).astype(np.float16)
    gamma, beta = np.linspace(0.5, 2, 21, dtype=np.float32), np.linspace(-1, 1, 21, dtype=np.float32)
    wide = x.astype(np.float64)
    centred = wide - wide.mean(axis=1, keepdims=True)
    for value, got, shift in (
        (centred, layernorm_in_lanes(x, gamma, beta, 8), beta),
        (wide, rmsnorm_in_lanes(x, gamma, 8), 0.0),
    ):
        exact = value / np.sqrt((value**2).mean(axis=1, keepdims=True) + 1e-5) * gamma
        # A float16 has 11 bits, and the root is known to 12.
        np.testing.assert_allclose(got - shift, exact, rtol=2**-11 + 2**-12, atol=2e-3)
