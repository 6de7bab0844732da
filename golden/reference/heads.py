"""Attention of several heads: multi-head, and grouped-query where heads share keys and values."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.reference.fp32 import Float16, Float32, apply, narrowed, reduce_time
from golden.reference.matmul_fp16 import matmul_fp16

Arrays = Mapping[str, npt.NDArray[Any]]
"""Weights and addends of a layer by name."""


def head(q: Float16, k: Float16, v: Float16, vector_length: int, seen: npt.NDArray[np.bool_] | None = None) -> Float16:
    """Return ``softmax(q @ k.T / sqrt(d)) @ v`` of one head (Vaswani et al., "Attention Is All You Need", 3.2.1).

    Scores are MXM products in fp32, times fp32(1 / sqrt(d)); the weights ``exp(score - max)`` are rounded to fp16 for
    two products, with the values and with ones; the first is multiplied by the reciprocal of the second and rounded to
    fp16.

    Parameters
    ----------
    q : ndarray of float16, shape (m, d)
    k, v : ndarray of float16, shapes (n, d), (n, e)
    vector_length : int
        Terms of an MXM pass.
    seen : ndarray of bool, shape (m, n), optional
        Which keys a query sees; all by default. A query without a key gives NaN.

    Returns
    -------
    ndarray of float16, shape (m, e)
    """
    factor = np.float32(1 / np.sqrt(q.shape[1]))
    scores = apply("MUL", matmul_fp16(q, np.ascontiguousarray(k.T), vector_length), factor)
    if seen is not None:
        scores = np.where(seen, scores, np.float32(-np.inf))
    weights = narrowed(apply("EXP", apply("SUB", scores, reduce_time("MAX", scores, 1)[:, None])), np.float16)
    total = matmul_fp16(weights, np.ones((len(k), 1), np.float16), vector_length)
    return narrowed(apply("MUL", matmul_fp16(weights, v, vector_length), apply("RECIP", total)), np.float16)


def grouped_heads(
    q: Float16, k: Float16, v: Float16, heads: int, vector_length: int, seen: npt.NDArray[np.bool_] | None = None
) -> list[Float16]:
    """Return the results of all heads: query head i sees the keys and values of head ``i // (heads / kv heads)``.

    Parameters
    ----------
    q : ndarray of float16, shape (m, heads * d)
    k, v : ndarray of float16, shapes (n, kv heads * d), (n, kv heads * e)
    heads : int
        Of the queries; those of keys and values follow from their widths.
    vector_length, seen
        As of `head`.

    Returns
    -------
    list of ndarray of float16, shape (m, e)
    """
    size = q.shape[1] // heads
    kv_heads = k.shape[1] // size
    queries, keys, values = np.split(q, heads, axis=1), np.split(k, kv_heads, axis=1), np.split(v, kv_heads, axis=1)
    share = heads // kv_heads
    return [head(query, keys[i // share], values[i // share], vector_length, seen) for i, query in enumerate(queries)]


def joined_heads(results: list[Float16], w_o: Float16, vector_length: int) -> Float32:
    """Return results of heads, side by side, times w_o: products of each with its rows, added up in order in fp32."""
    total: Float32 | None = None
    ends = np.cumsum([result.shape[1] for result in results])
    for result, weights in zip(results, np.split(w_o, ends[:-1]), strict=True):
        product = matmul_fp16(result, np.ascontiguousarray(weights), vector_length)
        total = product if total is None else apply("ADD", total, product)
    assert total is not None
    return total


def dense(x: Float16, w: Float16, vector_length: int, bias: Float32 | None = None) -> Float32:
    """Return ``x @ w + bias`` in fp32."""
    total = matmul_fp16(x, w, vector_length)
    return total if bias is None else apply("ADD", total, bias)


def self_attention(
    x: Float16,
    weights: Arrays,
    heads: int,
    vector_length: int,
    causal: bool = False,
    mask: npt.NDArray[np.int8] | None = None,
) -> Float32:
    """Return the attention of a sequence to itself, of all heads, projected back (Vaswani et al., 3.2.2).

    The projection is a product for each group of as many heads as a vector holds.

    Parameters
    ----------
    x : ndarray of float16, shape (m, width)
    weights : mapping of str to ndarray
        ``w_q`` (width, heads * d), ``w_k`` and ``w_v`` (width, kv heads * d), ``w_o`` (heads * d, width), float16;
        ``b_q``, ``b_k``, ``b_v``, ``b_o``, float32, optional. Queries, keys and values are rounded to fp16.
    heads : int
    vector_length : int
    causal : bool
        Position i sees positions 0 to i only.
    mask : ndarray of int8, shape (m,), optional
        0 for a position that none sees (padding).

    Returns
    -------
    ndarray of float32, shape (m, width)
    """
    q, k, v = (
        narrowed(dense(x, weights[f"w_{name}"], vector_length, weights.get(f"b_{name}")), np.float16) for name in "qkv"
    )
    seen = np.ones((len(x), len(x)), np.bool_)
    if causal:
        seen = np.tril(seen)
    if mask is not None:
        seen = seen & (mask != 0)
    results = grouped_heads(q, k, v, heads, vector_length, seen)
    together = max(1, vector_length // results[0].shape[1])
    groups = [np.concatenate(results[first : first + together], axis=1) for first in range(0, heads, together)]
    total = joined_heads(groups, weights["w_o"], vector_length)
    return total if "b_o" not in weights else apply("ADD", total, weights["b_o"])
