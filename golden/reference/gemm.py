"""Product of float16 matrices with bias, residual and activation."""

from collections.abc import Callable

import numpy as np

from arch.errors import TaktError
from golden.reference.activations import gelu, silu
from golden.reference.fp32 import Float16, Float32, apply
from golden.reference.matmul_fp16 import matmul_fp16

_ACTIVATIONS: tuple[Callable[[Float32], Float32], ...] = (
    lambda value: value,
    lambda value: apply("RELU", value),
    lambda value: gelu(value).astype(np.float32, copy=False),
    lambda value: silu(value).astype(np.float32, copy=False),
)
"""By number."""


def gemm(
    x: Float16,
    w: Float16,
    vector_length: int,
    bias: Float32 | None = None,
    residual: Float32 | None = None,
    activation: int = 0,
) -> Float32:
    """Return ``activation(x @ w + bias + residual)``, in fp32, rounded after every operation, in this order.

    Parameters
    ----------
    x : ndarray of float16, shape (m, k)
    w : ndarray of float16, shape (k, n)
    vector_length : int
        Terms of an MXM pass, see `matmul_fp16`.
    bias : ndarray of float32, shape (n,), optional
    residual : ndarray of float32, shape (m, n), optional
    activation : int
        0 none, 1 ReLU, 2 GELU, 3 SiLU.

    Returns
    -------
    ndarray of float32, shape (m, n)

    Raises
    ------
    TaktError
        As `matmul_fp16`; for an unknown activation.
    """
    if not 0 <= activation < len(_ACTIVATIONS):
        raise TaktError(f"activation must be 0 to {len(_ACTIVATIONS) - 1}, not {activation!r}")
    total = matmul_fp16(x, w, vector_length)
    for operand in (bias, residual):
        if operand is not None:
            total = apply("ADD", total, operand)
    return _ACTIVATIONS[activation](total)
