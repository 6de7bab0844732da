"""Layers of transformers, composed of kernels: an encoder layer, and a decoder layer for one position a run."""

import numpy as np

from compiler.expression.activations import gelu, silu
from compiler.expression.expr import Expr
from compiler.ir.tensor import Tensor, View, as_view
from compiler.library.decode import decode_attention
from compiler.library.gemm import gemm
from compiler.library.heads import Operand, Weights, check_heads, joined_heads, self_attention
from compiler.library.lane_norms import layernorm_in_lanes, rmsnorm_in_lanes
from compiler.library.operands import product
from compiler.library.projections import projected
from compiler.library.rope import rope
from compiler.program import Program


def encoder_layer(
    program: Program,
    x: Operand,
    weights: Weights,
    heads: int,
    pre_norm: bool = True,
    epsilon: float = 1e-5,
    mask: Operand | None = None,
) -> Operand:
    """Return a sequence after self-attention and a feed-forward network, each with residual and layer normalisation.

    Pre-norm (Xiong et al., "On Layer Normalization in the Transformer Architecture"): ``x + attention(norm(x))``,
    then ``x + ffn(norm(x))``; post-norm (Vaswani et al., 3.1): ``norm(x + attention(x))``, then ``norm(x + ffn(x))``;
    ``ffn(x) = gelu(x @ w_1 + b_1) @ w_2 + b_2``. Sums, normalised values and what GELU makes are rounded to float16.

    Parameters
    ----------
    program : Program
    x : Tensor or View
        float16, shape (m, width).
    weights : mapping of str to Tensor or View
        As of `self_attention`; ``w_1`` (width, inner) and ``w_2`` (inner, width), float16; ``b_1``, ``b_2``,
        ``gamma_1``, ``beta_1``, ``gamma_2``, ``beta_2``, float32.
    heads : int
    pre_norm : bool
    epsilon : float
        Of the normalisation.
    mask : Tensor or View, optional
        As of `self_attention`.

    Returns
    -------
    Tensor or View
        float16, shape (m, width).
    """

    def norm(value: Operand, number: int) -> Operand:
        return layernorm_in_lanes(program, value, weights[f"gamma_{number}"], weights[f"beta_{number}"], epsilon)

    def network(value: Operand, residual: Operand) -> Tensor:
        # With the sums' bias GELU is more than the ALUs have room for; without it is one pass.
        inner = program.map(gelu, gemm(program, value, weights["w_1"], weights["b_1"]), dtype="float16")
        return gemm(program, inner, weights["w_2"], weights["b_2"], residual, dtype="float16")

    def attended(value: Operand, residual: Operand) -> Tensor:
        return self_attention(program, value, weights, heads, mask=mask, residual=residual, dtype="float16")

    if pre_norm:
        middle = attended(norm(x, 1), x)
        return network(norm(middle, 2), middle)
    middle_normal = norm(attended(x, x), 1)
    return norm(network(middle_normal, middle_normal), 2)


def decoder_layer(
    program: Program,
    x: Operand,
    weights: Weights,
    cosine: Operand,
    sine: Operand,
    position: Operand,
    heads: int,
    length: int,
    store: str = "",
    epsilon: float = 1e-5,
) -> Tensor:
    """Return one position after a decoder layer that keeps the keys and values of those before from run to run.

    ``x + attention(norm(x))``, then ``x + (silu(norm(x) @ w_gate) * (norm(x) @ w_up)) @ w_down`` (SwiGLU, Shazeer),
    with RMSNorm, rotary embedding of queries and keys, and grouped queries. Everything between operations is rounded to
    float16.

    Parameters
    ----------
    program : Program
    x : Tensor or View
        float16, shape (1, width).
    weights : mapping of str to Tensor or View
        ``w_q`` (width, heads * d), ``w_k``, ``w_v`` (width, kv heads * d), ``w_o`` (heads * d, width), ``w_gate``,
        ``w_up`` (width, inner), ``w_down`` (inner, width), float16; ``gamma_1``, ``gamma_2``, float32; all of them
        inputs or constants.
    cosine, sine : Tensor or View
        float32, shape (1, d / 2): of the position's angles, inputs.
    position : Tensor or View
        int32, shape (1,), an input: the row of the store that the position takes.
    heads : int
    length : int
        Rows of the store.
    store : str
        What the names of the layer's states begin with.
    epsilon : float
        Of the normalisation.

    Returns
    -------
    Tensor
        float16, shape (1, width).
    """
    size, kv_heads = check_heads(weights, heads)

    def norm(value: Operand, number: int) -> Operand:
        return rmsnorm_in_lanes(program, value, weights[f"gamma_{number}"], epsilon)

    normal = norm(x, 1)
    turned = []
    for name, count in (("q", heads), ("k", kv_heads)):
        apart = projected(program, normal, weights[f"w_{name}"], None, [[head] for head in range(count)], size)
        rows = apart.reshape(count, apart.shape[1] // count)[:, :size]
        again = np.zeros(count, np.int32)
        turned.append(rope(program, rows, as_view(cosine)[again], as_view(sine)[again]))
    share = heads // kv_heads
    results: list[Operand] = []
    for group in range(kv_heads):
        v = spread(program, normal, as_view(weights["w_v"])[:, group * size : (group + 1) * size])
        q = turned[0][group * share : (group + 1) * share]
        y = decode_attention(
            program, q, turned[1][group : group + 1], v, position, length, f"{store}{group}.", dtype="float16"
        )
        results += [y[head : head + 1] for head in range(share)]
    middle = joined_heads(program, results, weights["w_o"], None, x, "float16")
    normal = norm(middle, 2)
    gate = gemm(program, normal, weights["w_gate"], activation=silu)
    inner = product(program, normal, weights["w_up"], epilogue=_times, operands=(gate,), dtype="float16")
    return gemm(program, inner, weights["w_down"], residual=middle, dtype="float16")


def spread(program: Program, x: Operand, w: Operand) -> View:
    """Return ``x @ w`` of one row x, float16, shape (vector_length, n): every element in all lanes of a vector."""
    again = as_view(x)[np.zeros(program.config.vector_length, np.int32)]
    made = product(program, as_view(w).transpose(), again.transpose(), epilogue=lambda total: total, dtype="float16")
    return made.transpose()


def _times(total: Expr, factor: Expr) -> Expr:
    return factor * total
