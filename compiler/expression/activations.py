"""Activation functions of several operations, beside those that an ALU has."""

from collections.abc import Callable

import numpy as np

from compiler.expression.expr import Expr
from compiler.expression.functions import relu, sigmoid

__all__ = ["ACTIVATIONS", "gelu", "silu"]

_RATIO = float(np.float32(1 / 0.044715))
_CUBE = float(np.float32(2 * np.sqrt(2 / np.pi) * 0.044715))


def gelu(x: Expr) -> Expr:
    """Return ``x * sigmoid(2 sqrt(2/pi) (x + 0.044715 x**3))`` (Hendrycks and Gimpel, section 2).

    Both factors of the sigmoid's argument come from x at the same time: fewer operations in a row.
    """
    return x * sigmoid((x * x + _RATIO) * (x * _CUBE))


def silu(x: Expr) -> Expr:
    """Return ``x * sigmoid(x)``."""
    return x * sigmoid(x)


ACTIVATIONS: tuple[Callable[[Expr], Expr] | None, ...] = (None, relu, gelu, silu)
"""By the number that kernels take them with: none, ReLU, GELU, SiLU."""
