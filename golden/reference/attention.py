"""Scaled dot-product attention of one head."""

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError
from golden.reference.fp32 import Float16, Float32, apply, narrowed, reduce_time
from golden.reference.matmul_fp16 import matmul_fp16


def attention(
    q: Float16,
    k: Float16,
    v: Float16,
    vector_length: int,
    first: int | None = None,
    seen: npt.NDArray[np.bool_] | None = None,
) -> Float32:
    """Return ``softmax(q @ k.T / sqrt(d)) @ v`` for new queries over a store of keys and values.

    Scores are MXM products in fp32, times fp32(1 / sqrt(d)); the weights ``exp(score - max)`` are rounded to fp16 for
    the second product; their sum is taken in fp32 over the rounded ones, in the order of `reduce_time` over the keys,
    or for a single query as an MXM product with ones, and the result multiplied by its reciprocal.

    Parameters
    ----------
    q : ndarray of float16, shape (m, d)
    k, v : ndarray of float16, shapes (n, d), (n, e)
        The store, new keys and values included.
    vector_length : int
        Terms of an MXM pass.
    first : int, optional
        Causal: query i sees keys 0 to first + i only. None: all keys.
    seen : ndarray of bool, shape (m, n), optional
        Which keys a query sees besides; a query without a key gives NaN.

    Returns
    -------
    ndarray of float32, shape (m, e)
    """
    scores = apply("MUL", matmul_fp16(q, np.ascontiguousarray(k.T), vector_length), np.float32(1 / np.sqrt(q.shape[1])))
    if first is not None:
        unseen = np.arange(len(k)) > first + np.arange(len(q))[:, None]
        scores = np.where(unseen, np.float32(-np.inf), scores)
    if seen is not None:
        scores = np.where(seen, scores, np.float32(-np.inf))
    weights = narrowed(apply("EXP", apply("SUB", scores, reduce_time("MAX", scores, 1)[:, None])), np.float16)
    if len(q) == 1:
        total = matmul_fp16(weights, np.ones((len(k), 1), np.float16), vector_length)
    else:
        total = reduce_time("ADD", weights.astype(np.float32), 1)[:, None]
    return apply("MUL", matmul_fp16(weights, v, vector_length), apply("RECIP", total))


def run_attention(
    q: Float16,
    k: Float16,
    v: Float16,
    vector_length: int,
    position: npt.NDArray[np.int32] | None = None,
    length: int = 0,
) -> Float32:
    """Return causal attention of runs one after another over a store that keeps the keys and values of all.

    Parameters
    ----------
    q, k : ndarray of float16, shape (t, m, d)
    v : ndarray of float16, shape (t, m, e)
    vector_length : int
        Terms of an MXM pass.
    position : ndarray of int32, shape (t,), optional
        Row of the store that the first one of a run becomes, a multiple of m. None: every run is a sequence of its own.
    length : int
        Rows of the store, zeros at first; 0 for t * m.

    Returns
    -------
    ndarray of float32, shape (t, m, e)

    Raises
    ------
    TaktError
        For a position that is no multiple of m, or beyond the store.
    """
    if position is None:
        return np.stack([attention(*parts, vector_length, 0) for parts in zip(q, k, v, strict=True)])
    m = q.shape[1]
    rows = length or q.shape[0] * m
    keys, values = np.zeros((rows, k.shape[2]), np.float16), np.zeros((rows, v.shape[2]), np.float16)
    found = []
    for queries, new_keys, new_values, first in zip(q, k, v, position.tolist(), strict=True):
        if first % m or not 0 <= first <= rows - m:
            raise TaktError(f"position must be a multiple of {m} from 0 to {rows - m}, not {first}")
        keys[first : first + m], values[first : first + m] = new_keys, new_values
        found.append(attention(queries, keys, values, vector_length, first))
    return np.stack(found)
