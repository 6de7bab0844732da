"""Layer normalisation and root-mean-square normalisation along the last axis."""

import numpy as np

from golden.reference.fp32 import Float32, Floats, apply, narrowed, reduce_time, widened


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
