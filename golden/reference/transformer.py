"""Layers of transformers: an encoder layer, and a decoder layer that makes one position after another."""

import numpy as np
import numpy.typing as npt

from golden.reference.activations import gelu, silu
from golden.reference.fp32 import Float16, Float32, apply, narrowed, widened
from golden.reference.heads import Arrays, dense, grouped_heads, joined_heads, self_attention
from golden.reference.matmul_fp16 import matmul_fp16
from golden.reference.normalisation import layernorm_in_lanes, rmsnorm_in_lanes
from golden.reference.rope import rope


def encoder_layer(
    x: Float16,
    weights: Arrays,
    heads: int,
    vector_length: int,
    pre_norm: bool = True,
    epsilon: float = 1e-5,
    mask: npt.NDArray[np.int8] | None = None,
) -> Float16:
    """Return a sequence after self-attention and a feed-forward network, each with residual and layer normalisation.

    Pre-norm (Xiong et al., "On Layer Normalization in the Transformer Architecture"): ``x + attention(norm(x))``,
    then ``x + ffn(norm(x))``; post-norm (Vaswani et al., 3.1): ``norm(x + attention(x))``, then ``norm(x + ffn(x))``;
    ``ffn(x) = gelu(x @ w_1 + b_1) @ w_2 + b_2``. Sums, normalised values and what GELU makes are rounded to fp16.

    Parameters
    ----------
    x : ndarray of float16, shape (m, width)
    weights : mapping of str to ndarray
        As of `self_attention`; ``w_1`` (width, inner) and ``w_2`` (inner, width), float16; ``b_1``, ``b_2``,
        ``gamma_1``, ``beta_1``, ``gamma_2``, ``beta_2``, float32.
    heads, vector_length : int
    pre_norm : bool
    epsilon : float
        Of the normalisation.
    mask : ndarray of int8, shape (m,), optional
        0 for a position that none sees (padding).

    Returns
    -------
    ndarray of float16, shape (m, width)
    """

    def norm(value: Float16, number: int) -> Float16:
        return layernorm_in_lanes(value, weights[f"gamma_{number}"], weights[f"beta_{number}"], vector_length, epsilon)

    def network(value: Float16) -> Float32:
        inner = narrowed(gelu(dense(value, weights["w_1"], vector_length, weights["b_1"])), np.float16)
        return dense(inner, weights["w_2"], vector_length, weights["b_2"])

    if pre_norm:
        middle = _plus(self_attention(norm(x, 1), weights, heads, vector_length, mask=mask), x)
        return _plus(network(norm(middle, 2)), middle)
    middle = norm(_plus(self_attention(x, weights, heads, vector_length, mask=mask), x), 1)
    return norm(_plus(network(middle), middle), 2)


def run_decoder(
    x: Float16,
    weights: Arrays,
    cosine: Float32,
    sine: Float32,
    heads: int,
    vector_length: int,
    length: int,
    epsilon: float = 1e-5,
) -> Float16:
    """Return positions, one after another, after a decoder layer that keeps the keys and values of those before.

    ``x + attention(norm(x))``, then ``x + (silu(norm(x) @ w_gate) * (norm(x) @ w_up)) @ w_down`` (SwiGLU, Shazeer),
    with RMSNorm, rotary embedding of queries and keys, and grouped queries. Everything between operations is rounded to
    fp16.

    Parameters
    ----------
    x : ndarray of float16, shape (t, width)
    weights : mapping of str to ndarray
        ``w_q`` (width, heads * d), ``w_k``, ``w_v`` (width, kv heads * d), ``w_o`` (heads * d, width), ``w_gate``,
        ``w_up`` (width, inner), ``w_down`` (inner, width), float16; ``gamma_1``, ``gamma_2``, float32.
    cosine, sine : ndarray of float32, shape (t, d / 2)
        Of the angles of each position.
    heads, vector_length : int
    length : int
        Rows of the store, at least t.
    epsilon : float
        Of the normalisation.

    Returns
    -------
    ndarray of float16, shape (t, width)
    """
    size = 2 * cosine.shape[1]
    kv_heads = weights["w_k"].shape[1] // size
    keys, values = (np.zeros((length, kv_heads * size), np.float16) for _ in "kv")
    found = []
    for place, token in enumerate(x[:, None]):
        normal = rmsnorm_in_lanes(token, weights["gamma_1"], vector_length, epsilon)
        q, k, v = (narrowed(matmul_fp16(normal, weights[f"w_{name}"], vector_length), np.float16) for name in "qkv")
        angles = cosine[place : place + 1], sine[place : place + 1]
        q, k = (
            np.concatenate([rope(part, *angles) for part in np.split(row, row.shape[1] // size, axis=1)], axis=1)
            for row in (q, k)
        )
        keys[place], values[place] = k[0], v[0]
        seen = np.arange(length)[None] <= place
        results = grouped_heads(q, keys, values, heads, vector_length, seen)
        middle = _plus(joined_heads(results, weights["w_o"], vector_length), token)
        normal = rmsnorm_in_lanes(middle, weights["gamma_2"], vector_length, epsilon)
        gate, up = (matmul_fp16(normal, weights[name], vector_length) for name in ("w_gate", "w_up"))
        inner = narrowed(apply("MUL", silu(gate), up), np.float16)
        found.append(_plus(matmul_fp16(inner, weights["w_down"], vector_length), middle)[0])
    return np.stack(found)


def _plus(total: Float32, value: Float16) -> Float16:
    return narrowed(apply("ADD", total, widened(value)), np.float16)
