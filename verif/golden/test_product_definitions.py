"""Definitions of kernels with MXM products against onnxruntime and float64, within each test's tolerance."""

import numpy as np
import pytest

from golden.reference.attention import attention, run_attention
from golden.reference.conv2d import conv2d_fp16, conv2d_int8
from golden.reference.gemm import gemm
from golden.reference.recurrent import run_gru, run_lstm
from verif.bits import same_bits
from verif.golden.onnx_operator import run_operator

VECTOR = 16


def values(seed, *shape, dtype=np.float16, scale=1.0):
    return (np.random.default_rng(seed).normal(size=shape) * scale).astype(dtype)


def wide(*arrays):
    return [array.astype(np.float64) for array in arrays]


def logistic(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("stride,padding", [(1, 0), (2, 1), (3, 2)])
@pytest.mark.parametrize("dtype", [np.float16, np.int8])
def test_conv2d(stride, padding, dtype):
    x, w = values(1, 9, 8, 19, dtype=dtype, scale=3), values(2, 3, 2, 19, 5, dtype=dtype, scale=3)
    operands = {"x": x.transpose(2, 0, 1)[None], "w": w.transpose(3, 2, 0, 1)}
    expected = run_operator(
        "Conv",
        {name: np.ascontiguousarray(array).astype(np.float32) for name, array in operands.items()},
        np.float32,
        strides=[stride] * 2,
        pads=[padding] * 4,
    )[0].transpose(1, 2, 0)
    if dtype == np.int8:
        np.testing.assert_array_equal(conv2d_int8(x, w, stride, padding), expected)
    else:
        np.testing.assert_allclose(conv2d_fp16(x, w, VECTOR, stride, padding), expected, rtol=1e-5, atol=1e-4)


def test_lstm():
    x, w_x, w_h = values(3, 7, 20), values(4, 20, 36, scale=0.3), values(5, 9, 36, scale=0.3)
    bias = values(6, 36, dtype=np.float32)
    y, cells = run_lstm(x, w_x, w_h, bias, VECTOR)
    h, c = np.zeros(9), np.zeros(9)
    for step, inputs in enumerate(wide(x)[0]):
        i, f, g, o = np.split(inputs @ wide(w_x)[0] + h @ wide(w_h)[0] + bias, 4)
        c = logistic(f) * c + logistic(i) * np.tanh(g)
        h = logistic(o) * np.tanh(c)
        np.testing.assert_allclose(y[step], h, atol=3e-3)
        np.testing.assert_allclose(cells[step], c, atol=3e-3)


def test_gru():
    x, w_x, w_h = values(7, 7, 20), values(8, 20, 27, scale=0.3), values(9, 9, 27, scale=0.3)
    bias_x, bias_h = values(10, 27, dtype=np.float32), values(11, 27, dtype=np.float32)
    y = run_gru(x, w_x, w_h, bias_x, bias_h, VECTOR)
    h = np.zeros(9)
    for step, inputs in enumerate(wide(x)[0]):
        xr, xz, xn = np.split(inputs @ wide(w_x)[0] + bias_x, 3)
        hr, hz, hn = np.split(h @ wide(w_h)[0] + bias_h, 3)
        update = logistic(xz + hz)
        h = (1 - update) * np.tanh(xn + logistic(xr + hr) * hn) + update * h
        np.testing.assert_allclose(y[step], h, atol=3e-3)


@pytest.mark.parametrize("first", [None, 0, 5])
def test_attention(first):
    q, k, v = values(12, 6, 24), values(13, 11, 24), values(14, 11, 10)
    a, b, c = wide(q, k, v)
    scores = a @ b.T / np.sqrt(24)
    if first is not None:
        scores[np.arange(11) > first + np.arange(6)[:, None]] = -np.inf
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    expected = weights / weights.sum(axis=1, keepdims=True) @ c
    np.testing.assert_allclose(attention(q, k, v, VECTOR, first), expected, atol=2e-3)


def test_attention_over_a_store():
    q, k, v = values(19, 4, 2, 16), values(20, 4, 2, 16), values(21, 4, 2, 5)
    found = run_attention(q, k, v, VECTOR, np.array([0, 2, 4, 2], np.int32), 8)
    keys, rows = (x[:3].reshape(6, -1) for x in (k, v))
    for step in range(3):
        seen = slice(2 * step + 2)
        same_bits(found[step], attention(q[step], keys[seen], rows[seen], VECTOR, 2 * step))
    again = attention(q[3], np.concatenate([keys[:2], k[3]]), np.concatenate([rows[:2], v[3]]), VECTOR, 2)
    same_bits(found[3], again)
    alone = run_attention(q, k, v, VECTOR)
    same_bits(alone[2], attention(q[2], k[2], v[2], VECTOR, 0))


@pytest.mark.parametrize("activation", range(4))
def test_gemm(activation):
    x, w = values(15, 6, 40, scale=0.4), values(16, 40, 7)
    bias, residual = values(17, 7, dtype=np.float32), values(18, 6, 7, dtype=np.float32)
    total = wide(x)[0] @ wide(w)[0] + bias + residual
    cube = np.sqrt(2 / np.pi) * (total + 0.044715 * total**3)
    expected = [total, np.maximum(total, 0), 0.5 * total * (1 + np.tanh(cube)), total * logistic(total)][activation]
    np.testing.assert_allclose(gemm(x, w, VECTOR, bias, residual, activation), expected, rtol=1e-4, atol=1e-4)
