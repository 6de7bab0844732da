"""Attention of the queries of one position over a store: keys in the lanes of scores and weights."""

import math
from collections.abc import Callable
from functools import reduce

import numpy as np
import numpy.typing as npt

from arch.config import Config
from compiler.expression.expr import Expr
from compiler.expression.functions import cast, equal, exp, maximum, recip, where
from compiler.ir.tensor import Tensor, View, as_view
from compiler.library.bounds import vectors
from compiler.library.operands import product
from compiler.program import Program

_FAN = 4
"""Most vectors of scores of which a pass takes the maximum at a time."""

_SLICES = 8
"""MEM slices for each of them: its bytes, and what the same pass reads and writes beside."""


def decode_attention(
    program: Program,
    q: Tensor | View,
    k: Tensor | View,
    v: Tensor | View,
    position: Tensor | View,
    length: int,
    store: str = "",
    dtype: str | None = None,
) -> View:
    """Return the attention of the queries of one position over a store that lives in MEM from run to run.

    The key and the value of a run take the row `position` of the store before the queries look at the rows up to it.
    Queries are the rows of activations of their products, keys and values are weights. So scores have keys in their
    lanes, as the second product wants them. The largest score is found by turning vectors: the superlanes around, then
    the lanes of each. The sum of the weights is a product with ones, which leaves it in every lane.

    Parameters
    ----------
    program : Program
    q : Tensor or View
        float16, shape (r, d), lanes along d: the queries of heads that share keys and values.
    k : Tensor or View
        float16, shape (1, d), lanes along d.
    v : Tensor or View
        float16, shape (1, e); of a result (vector_length, e), the same row again and again, lanes along the rows.
    position : Tensor or View
        int32, shape (1,), an input.
    length : int
        Rows of the store.
    store : str
        What the names of the states `keys` and `values` begin with.
    dtype : str, optional
        Format of the result, float32 by default.

    Returns
    -------
    View
        Shape (r, e).
    """
    config = program.config
    vector = config.vector_length
    (rows, d), e = q.shape, v.shape[1]
    depth, lanes = (vectors(config, size) * vector for size in (d, length))
    query, key = (as_view(view).pad(((0, 0), (0, depth - d))) for view in (q, k))
    keys_kept = program.state(f"{store}keys", (length, depth), "float16")
    values = program.state(f"{store}values", (lanes, e), "float16", layout="columns")
    number = np.arange(lanes, dtype=np.int32)
    value = as_view(v) if v.shape[0] == 1 else as_view(v)[number % vector]
    places = program.constant(program.fresh_name("places"), number)
    fresh, seen = program.map(lambda a, p: (equal(a, p), a <= p), places, position)
    keys = program.map(lambda key: key, keys_kept, dtype="float16")
    new = product(program, query, key[np.zeros(vector, np.int32)].transpose(), ways=1)
    following = program.map(
        lambda before, now, is_new: where(is_new, now, before), values, value, fresh.reshape(lanes, 1), dtype="float16"
    )
    program.update(values, following)
    program.scatter(keys_kept, position, key)
    columns = keys.pad(((0, lanes - length), (0, 0))).transpose()
    scores = product(program, query, columns, epilogue=stored_score(d), operands=(new[:, number % vector], fresh, seen))
    blocks = scores.reshape(rows, lanes // vector, vector).transpose(1, 0, 2)
    weights = program.map(weight, blocks, *_over_lanes(program, blocks)).transpose(1, 0, 2).reshape(rows, lanes)
    ones = program.constant(program.fresh_name("ones"), np.ones((lanes, vector), np.float16))
    scale = product(program, weights, ones, epilogue=recip)
    every = scale[:, np.arange(e) % vector]
    return product(program, weights, following, epilogue=normalised, operands=(every,), dtype=dtype).view()


def stored_score(d: int) -> Callable[..., Expr]:
    """Return the epilogue that makes scores of sums: of old keys and of the new one, -inf for those not seen."""
    factor = float(np.float32(1 / np.sqrt(d)))

    def masked(before: Expr, now: Expr, is_new: Expr, chosen: Expr) -> Expr:
        return where(chosen, where(is_new, now, before) * factor, -np.inf)

    return masked


def weight(score: Expr, *largest: Expr) -> Expr:
    """Return the weight of a score beside a few, of which one is the largest."""
    return cast(exp(score - largest_of(*largest)), "float16")


def normalised(total: Expr, factor: Expr) -> Expr:
    """Return a sum times the reciprocal of its weights' sum."""
    return total * factor


def _over_lanes(program: Program, scores: View) -> list[View]:
    """Return a few vectors per row, of which the largest is in every lane the largest of all scores of the row.

    Parameters
    ----------
    program : Program
    scores : View
        float32, shape (blocks, rows, vector_length).

    Returns
    -------
    list of View
        Shape (rows, vector_length) each.

    Notes
    -----
    Superlanes first, then the lanes of each.
    """
    config = program.config
    lanes, superlanes = config.lanes, config.superlanes
    row, lane = np.divmod(np.arange(config.vector_length), lanes)
    parts = [scores[0] if scores.shape[0] == 1 else as_view(program.reduce(scores, "max", 0))]
    parts = _around(program, parts, superlanes, lambda by: lanes * ((row + by) % superlanes) + lane)
    side = math.isqrt(lanes)
    if side**2 == lanes:
        return _few(program, program.rotate(_single(program, parts), side).view())
    return _around(program, parts, lanes, lambda by: lanes * row + (lane + by) % lanes)


def _around(
    program: Program, parts: list[View], size: int, turned: Callable[[int], npt.NDArray[np.int64]]
) -> list[View]:
    """Return vectors whose largest is that of all turns of the largest of some; `turned` gives the map of a turn."""
    span = 1
    while span < size:
        one, step = _single(program, parts), span
        parts = [one]
        while len(parts) < fan_of(program.config) and span < size:
            parts.append(program.permute(one, turned(step * len(parts))).view())
            span += step
    return parts


def _few(program: Program, rows: View) -> list[View]:
    """Return a few vectors whose largest is that of all rows."""
    fan = fan_of(program.config)
    while (count := rows.shape[0]) > fan:
        each = -(-count // fan)
        # The last row stands in for those beyond the end.
        order = np.minimum(np.arange(fan * each), count - 1).reshape(fan, each)
        rows = program.map(largest_of, *(rows[part] for part in order)).view()
    return [rows[place] for place in range(rows.shape[0])]


def _single(program: Program, parts: list[View]) -> View:
    return parts[0] if len(parts) == 1 else program.map(largest_of, *parts).view()


def largest_of(*values: Expr) -> Expr:
    """Return the largest value."""
    return reduce(maximum, values)


def fan_of(config: Config) -> int:
    """Return of how many vectors of scores a pass takes the maximum at a time."""
    return min(_FAN, config.slices // _SLICES)
