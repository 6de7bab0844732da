"""Scaled dot-product attention of one head."""

import numpy as np

from golden.reference.fp32 import Float16, Float32, apply, narrowed, reduce_time
from golden.reference.matmul_fp16 import matmul_fp16


def attention(q: Float16, k: Float16, v: Float16, vector_length: int, first: int | None = None) -> Float32:
    """Return ``softmax(q @ k.T / sqrt(d)) @ v`` for new queries over a store of keys and values.

    Scores are MXM products in fp32, times fp32(1 / sqrt(d)); the weights ``exp(score - max)`` are rounded to fp16 for
    the second product; their sum is taken in fp32 over the rounded ones, in the order of `reduce_time` over the keys,
    and the result multiplied by its reciprocal.

    Parameters
    ----------
    q : ndarray of float16, shape (m, d)
    k, v : ndarray of float16, shapes (n, d), (n, e)
        The store, new keys and values included.
    vector_length : int
        Terms of an MXM pass.
    first : int, optional
        Causal: query i sees keys 0 to first + i only. None: all keys.

    Returns
    -------
    ndarray of float32, shape (m, e)
    """
    scores = apply("MUL", matmul_fp16(q, np.ascontiguousarray(k.T), vector_length), np.float32(1 / np.sqrt(q.shape[1])))
    if first is not None:
        unseen = np.arange(len(k)) > first + np.arange(len(q))[:, None]
        scores = np.where(unseen, np.float32(-np.inf), scores)
    weights = narrowed(apply("EXP", apply("SUB", scores, reduce_time("MAX", scores, 1)[:, None])), np.float16)
    total = reduce_time("ADD", weights.astype(np.float32), 1)
    return apply("MUL", matmul_fp16(weights, v, vector_length), apply("RECIP", total)[:, None])
