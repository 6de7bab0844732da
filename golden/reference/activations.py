"""Activation functions: GELU, SiLU, sigmoid."""

from collections.abc import Callable, Mapping

import numpy as np

from golden.reference.fp32 import Float32, Floats, apply, narrowed, widened

GELU_CUBE = np.float32(2 * np.sqrt(2 / np.pi) * 0.044715)
"""Factor of x**3 in the argument of GELU's sigmoid (Hendrycks and Gimpel, "Gaussian Error Linear Units", section 2)."""

GELU_RATIO = np.float32(1 / 0.044715)
"""That of x, as a multiple."""


def gelu(x: Floats) -> Floats:
    """Return ``x * sigmoid(2 sqrt(2/pi) (x + 0.044715 x**3))``, the tanh form of GELU, in the dtype of `x`.

    In fp32, in this order: ``x * sigmoid((x * x + GELU_RATIO) * (x * GELU_CUBE))``. float16 is widened first and the
    result rounded once.
    """
    return _in_fp32(x, _gelu)


def silu(x: Floats) -> Floats:
    """Return ``x * sigmoid(x)`` in the dtype of `x`; arithmetic as in `gelu`."""
    return _in_fp32(x, lambda value: apply("MUL", value, apply("SIGMOID", value)))


def sigmoid(x: Floats) -> Floats:
    """Return ``1 / (1 + exp(-x))`` in the dtype of `x`; arithmetic as in `gelu`."""
    return _in_fp32(x, lambda value: apply("SIGMOID", value))


ACTIVATIONS: Mapping[str, Callable[[Floats], Floats]] = {"gelu": gelu, "silu": silu, "sigmoid": sigmoid}
"""By name."""


def _gelu(x: Float32) -> Float32:
    factor = apply("ADD", apply("MUL", x, x), GELU_RATIO)
    return apply("MUL", x, apply("SIGMOID", apply("MUL", factor, apply("MUL", x, GELU_CUBE))))


def _in_fp32(x: Floats, function: Callable[[Float32], Float32]) -> Floats:
    return narrowed(function(widened(x)), x.dtype)
