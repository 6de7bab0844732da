"""Layer normalisation and root-mean-square normalisation along the last axis."""

import numpy as np

from golden.reference.fp32 import Float16, Float32, Floats, apply, narrowed, reduce_time, widened
from golden.reference.matmul_fp16 import matmul_fp16

_LIMIT, _FAR, _UNIT = np.float32(2**15), np.float32(2**-19), np.float32(2**-4)
"""Largest square that is one float16; factor of what squares have above it; unit of sums of squares."""


def layernorm(x: Floats, gamma: Float32, beta: Float32, epsilon: float = 1e-5) -> Floats:
    """Return ``(x - mean) / sqrt(variance + epsilon) * gamma + beta`` along the last axis.

    In fp32: the mean is the sum times fp32(1 / n), the variance that of the squared differences; the division is a
    product with rsqrt. Sums as in `reduce_time`.

    Parameters
    ----------
    x : ndarray of float16 or float32, shape (..., n)
    gamma, beta : ndarray of float32, shape (n,)
    epsilon : float
        Rounded to fp32.

    Returns
    -------
    ndarray
        Shape and dtype of `x`.
    """
    values = widened(x)
    share = np.float32(1 / x.shape[-1])
    mean = apply("MUL", reduce_time("ADD", values, -1), share)
    centred = apply("SUB", values, mean[..., None])
    variance = apply("MUL", reduce_time("ADD", apply("MUL", centred, centred), -1), share)
    scale = apply("RSQRT", apply("ADD", variance, np.float32(epsilon)))
    normal = apply("MUL", centred, scale[..., None])
    return narrowed(apply("ADD", apply("MUL", normal, gamma), beta), x.dtype)


def rmsnorm(x: Floats, gamma: Float32, epsilon: float = 1e-5) -> Floats:
    """Return ``x / sqrt(mean(x * x) + epsilon) * gamma`` along the last axis; otherwise as `layernorm`."""
    values = widened(x)
    mean = apply("MUL", reduce_time("ADD", apply("MUL", values, values), -1), np.float32(1 / x.shape[-1]))
    scale = apply("RSQRT", apply("ADD", mean, np.float32(epsilon)))
    return narrowed(apply("MUL", apply("MUL", values, scale[..., None]), gamma), x.dtype)


def layernorm_in_lanes(x: Float16, gamma: Float32, beta: Float32, vector_length: int, epsilon: float = 1e-5) -> Float16:
    """Return ``(x - mean) / sqrt(variance + epsilon) * gamma + beta`` of rows, with sums as products with ones.

    The sum of x is a float16 product. A square is two float16 numbers, ``min(square, 2**15)`` and what is above that
    times ``2**-19``; their sum, in units of ``2**-4``, is a float16 product again, of all of the first ones and then of
    all of the second ones, each in whole passes. Everything else is fp32, rounded after every operation:
    ``difference * sqrt(n) * gamma * rsqrt(sum of squares + n * epsilon) + beta`` in this order, n in that unit.

    Parameters
    ----------
    x : ndarray of float16, shape (m, n)
    gamma, beta : ndarray of float32, shape (n,)
    vector_length : int
        Terms of an MXM pass.
    epsilon : float
        Rounded to fp32.

    Returns
    -------
    ndarray of float16, shape (m, n)
    """
    n = x.shape[1]
    total = matmul_fp16(x, np.ones((n, 1), np.float16), vector_length)
    centred = apply("SUB", widened(x), apply("MUL", total, np.float32(1 / n)))
    return narrowed(apply("ADD", _normal(centred, gamma, vector_length, epsilon), beta), np.float16)


def rmsnorm_in_lanes(x: Float16, gamma: Float32, vector_length: int, epsilon: float = 1e-5) -> Float16:
    """Return ``x / sqrt(mean(x * x) + epsilon) * gamma`` of rows; otherwise as `layernorm_in_lanes`."""
    return narrowed(_normal(widened(x), gamma, vector_length, epsilon), np.float16)


def _normal(value: Float32, gamma: Float32, vector_length: int, epsilon: float) -> Float32:
    """Return ``value * sqrt(n) * gamma / sqrt(sum(value * value) + n * epsilon)`` of rows, n in the unit of the sum."""
    n = value.shape[1]
    square = apply("MUL", value, value)
    near = apply("MIN", square, _LIMIT)
    far = apply("MUL", apply("SUB", square, near), _FAR)
    whole = ((0, 0), (0, -n % vector_length))
    parts = np.concatenate([np.pad(narrowed(part, np.float16), whole) for part in (near, far)], axis=1)
    factors = np.repeat(np.array([_UNIT, _UNIT / _FAR], np.float16), parts.shape[1] // 2)
    total, count = matmul_fp16(parts, factors[:, None], vector_length), n * float(_UNIT)
    root = apply("RSQRT", apply("ADD", total, np.float32(epsilon * count)))
    return apply("MUL", apply("MUL", apply("MUL", value, np.float32(np.sqrt(count))), gamma), root)
