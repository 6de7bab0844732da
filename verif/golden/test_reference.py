"""Whole-operation references against onnxruntime, bit for bit.

On processors without a dot-product instruction onnxruntime's int8 x int8 product saturates intermediate sums when both
operands are large, which is a limit of that kernel and not ONNX's definition. So operands of the full range go to it as
uint8 with zero point 128, its exact kernel; int8 operands have a weight range of 7 bits.
"""

from typing import Any

import numpy as np
import pytest

from arch.errors import TaktError
from golden.reference.matmul import matmul_int32
from golden.reference.qlinear_matmul import qlinear_matmul
from golden.reference.requantise import requantise
from verif.golden.onnx_operator import run_operator

SHAPES = [(1, 1, 1), (1, 16, 16), (3, 5, 7), (16, 1, 33), (37, 129, 83), (64, 64, 64), (5, 640, 9)]
FILLS = {"random": (None, None), "lowest": (-128, -128), "opposite": (-128, 127), "left": (-128, None)}
SCALES = [1e-9, 0.00017, 0.0021, 1 / 3, 1.0, 0.5, 300.0]


def operands(rng, m, k, n, fill="random", low=-128, high=128):
    a, b = FILLS[fill]
    return (
        rng.integers(-128, 128, (m, k)).astype(np.int8) if a is None else np.full((m, k), a, np.int8),
        rng.integers(low, high, (k, n)).astype(np.int8) if b is None else np.full((k, n), b, np.int8),
    )


def unsigned(matrix):
    return (matrix.astype(np.int16) + 128).astype(np.uint8)


def signed(matrix):
    return (matrix.astype(np.int16) - 128).astype(np.int8)


def qlinear(a, b, a_scale, b_scale, y_scale, zero_point):
    """Run QLinearMatMul on int8 matrices as uint8 ones with zero point 128."""
    inputs: dict[str, Any] = {
        "a": unsigned(a),
        "a_scale": np.float32(a_scale),
        "a_zero_point": np.uint8(128),
        "b": unsigned(b),
    }
    inputs |= {"b_scale": np.asarray(b_scale, np.float32), "b_zero_point": np.full(np.shape(b_scale), 128, np.uint8)}
    inputs |= {"y_scale": np.float32(y_scale), "y_zero_point": np.uint8(zero_point + 128)}
    return signed(run_operator("QLinearMatMul", inputs, np.uint8))


def factor(a_scale, b_scale, y_scale):
    return np.float32(a_scale) * np.asarray(b_scale, np.float32) / np.float32(y_scale)


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("m,k,n", SHAPES)
def test_matmul_integer(rng, m, k, n, fill):
    a, b = operands(rng, m, k, n, fill)
    inputs = {"a": unsigned(a), "b": unsigned(b), "a_zero_point": np.uint8(128), "b_zero_point": np.uint8(128)}
    expected = run_operator("MatMulInteger", inputs, np.int32)
    got = matmul_int32(a, b)
    assert got.dtype == np.int32
    assert (got == expected).all()
    assert (got == a.astype(np.int32) @ b.astype(np.int32)).all()


@pytest.mark.parametrize("m,k,n", SHAPES)
def test_matmul_integer_of_int8(rng, m, k, n):
    a, b = operands(rng, m, k, n, low=-64, high=64)
    assert (matmul_int32(a, b) == run_operator("MatMulInteger", {"a": a, "b": b}, np.int32)).all()


def test_matmul_wraps():
    # No operand of a sensible size gets there, so the sum is made long: 131,072 products of 2**14 are 2**31.
    ones = np.full((1, 1 << 17), -128, np.int8)
    assert matmul_int32(ones, ones.T) == -(2**31)


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("m,k,n", SHAPES)
def test_qlinear_matmul(rng, m, k, n, fill):
    a, b = operands(rng, m, k, n, fill)
    for y_scale in SCALES:
        a_scale, b_scale = np.float32(rng.uniform(0.001, 1)), np.float32(rng.uniform(0.001, 1))
        zero_point = int(rng.integers(-128, 128))
        expected = qlinear(a, b, a_scale, b_scale, y_scale, zero_point)
        got = qlinear_matmul(a, b, scale=factor(a_scale, b_scale, y_scale), zero_point=zero_point)
        assert (got == expected).all(), (y_scale, zero_point)


@pytest.mark.parametrize("m,k,n", SHAPES)
def test_qlinear_matmul_of_int8_with_a_scale_per_column(rng, m, k, n):
    a, b = operands(rng, m, k, n, low=-64, high=64)
    a_scale, b_scale, y_scale = 0.02, rng.uniform(0.001, 0.1, n).astype(np.float32), 0.35
    for zero_point in (-128, -3, 0, 127):
        inputs: dict[str, Any] = {
            "a": a,
            "a_scale": np.float32(a_scale),
            "a_zero_point": np.int8(0),
            "b": b,
            "b_scale": b_scale,
        }
        inputs |= {"b_zero_point": np.zeros(n, np.int8)}
        inputs |= {"y_scale": np.float32(y_scale), "y_zero_point": np.int8(zero_point)}
        expected = run_operator("QLinearMatMul", inputs, np.int8)
        got = qlinear_matmul(a, b, scale=factor(a_scale, b_scale, y_scale), zero_point=zero_point)
        assert (got == expected).all(), zero_point


def test_halves_round_to_even():
    """Every sum is an odd number of halves of the result's unit."""
    a = np.arange(-127, 128, 2).astype(np.int8)[:, None]
    b = np.ones((1, 1), np.int8)
    expected = qlinear(a, b, 1.0, 1.0, 2.0, 5)
    assert (qlinear_matmul(a, b, scale=0.5, zero_point=5) == expected).all()
    assert (expected[:, 0] == [round(int(value) / 2) + 5 for value in a[:, 0]]).all()


@pytest.mark.parametrize("units", [6, 10, 14, 18, 22, 26])
def test_the_product_is_rounded_to_float32_before_it_becomes_an_integer(units):
    """3 * float32(1 / 6) is above one half, but float32 makes it one half, which rounds to 0."""
    a = np.arange(-127, 128).astype(np.int8)[:, None]
    b = np.ones((1, 1), np.int8)
    assert (qlinear_matmul(a, b, scale=factor(1, 1, units)) == qlinear(a, b, 1, 1, units, 0)).all()


@pytest.mark.parametrize("zero_point", [-128, -7, 0, 127])
def test_bias(rng, zero_point):
    """QLinearConv with a 1x1 kernel is a matrix product with a bias and a scale per column."""
    m, k, n = 13, 37, 11
    a, b = operands(rng, m, k, n, low=-64, high=64)
    bias = rng.integers(-100_000, 100_000, n).astype(np.int32)
    b_scale = rng.uniform(0.001, 0.1, n).astype(np.float32)
    inputs: dict[str, Any] = {
        "x": a.T.reshape(1, k, m, 1),
        "x_scale": np.float32(0.03),
        "x_zero_point": np.int8(0),
    }
    inputs |= {"w": np.ascontiguousarray(b.T).reshape(n, k, 1, 1), "w_scale": b_scale}
    inputs |= {"w_zero_point": np.zeros(n, np.int8), "y_scale": np.float32(0.7), "y_zero_point": np.int8(zero_point)}
    inputs |= {"B": bias}
    expected = run_operator("QLinearConv", inputs, np.int8).reshape(n, m).T
    got = qlinear_matmul(a, b, bias, factor(0.03, b_scale, 0.7), zero_point)
    assert (got == expected).all()


def test_bias_wraps():
    a = b = np.ones((1, 1), np.int8)
    assert qlinear_matmul(a, b, np.array([2**31 - 1], np.int32), scale=1e-8) == -21


@pytest.mark.parametrize("zero_point", [-128, -20, 0, 60])
def test_relu(rng, zero_point):
    """QLinearMatMul, then DequantizeLinear, Relu and QuantizeLinear."""
    a, b = operands(rng, 9, 20, 30)
    y_scale = np.float32(0.25)
    plain = qlinear(a, b, 0.05, 0.05, y_scale, zero_point)
    point: dict[str, Any] = {"scale": y_scale, "zero_point": np.int8(zero_point)}
    real = run_operator("DequantizeLinear", {"x": plain, **point}, np.float32)
    positive = run_operator("Relu", {"x": real}, np.float32)
    expected = run_operator("QuantizeLinear", {"x": positive, **point}, np.int8)
    got = qlinear_matmul(a, b, scale=factor(0.05, 0.05, y_scale), zero_point=zero_point, relu=True)
    assert (got == expected).all()
    assert (got == zero_point).any()
    assert (got > zero_point).any()


def test_requantise_extremes():
    sums = np.array([[-(2**31), 2**31 - 1, 16777217, 1, -1, 0]], np.int32)
    assert requantise(sums, np.float32(3e38)).tolist() == [[-128, 127, 127, 127, -128, 0]]
    assert requantise(sums, np.float32(1e-45), zero_point=9).tolist() == [[9] * 6]
    # 2**24 + 1 becomes 2**24 in float32, whose 2**-25th part is one half and rounds to 0.
    assert requantise(sums, np.float32(2**-25))[0, 2] == 0
    assert requantise(np.array([[3]], np.int32), np.float32(1 / 6)) == 0


@pytest.mark.parametrize(
    "change,message",
    [
        ({"a": np.zeros((2, 3), np.int16)}, r"a must be an int8 matrix, not int16 of shape \(2, 3\)"),
        ({"b": np.zeros(3, np.int8)}, r"b must be an int8 matrix, not int8 of shape \(3,\)"),
        ({"b": np.zeros((4, 5), np.int8)}, "b must have 3 rows, the columns of a, not 4"),
        ({"bias": np.zeros(4, np.int32)}, r"bias must be int32 of shape \(5,\), not int32 of shape \(4,\)"),
        ({"bias": np.zeros(5, np.int64)}, r"bias must be int32 of shape \(5,\), not int64 of shape \(5,\)"),
        ({"scale": np.ones(4)}, r"scale must be one number or have the shape \(5,\), not \(4,\)"),
        ({"zero_point": 128}, "zero_point must be -128 to 127, not 128"),
    ],
)
def test_wrong_arguments(change, message):
    with pytest.raises(TaktError, match=message):
        qlinear_matmul(**{"a": np.zeros((2, 3), np.int8), "b": np.zeros((3, 5), np.int8), **change})
