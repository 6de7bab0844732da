"""Attention of one query over a store: keys in the lanes of scores and weights."""

import math
from collections.abc import Callable
from functools import reduce

import numpy as np
import numpy.typing as npt

from arch.config import Config
from compiler.expression.expr import Expr
from compiler.expression.functions import cast, equal, exp, maximum, recip, where
from compiler.kernels.bounds import vectors
from compiler.program import Program
from compiler.tensor import Tensor, View

_FAN = 4
"""Most vectors of scores of which a pass takes the maximum at a time."""

_SLICES = 8
"""MEM slices for each of them: its bytes, and what the same pass reads and writes beside."""


def decode_attention(program: Program, d: int, e: int, length: int) -> Tensor:
    """Return the attention of one query over a store of keys and values, with inputs q, k, v and position.

    The query is the only row of activations of its products, keys and values are weights. So scores have keys in their
    lanes, as the second product wants them. The largest score is found by turning vectors: the superlanes around, then
    the lanes of each. The sum of the weights is a product with ones, which leaves it in every lane.

    Parameters
    ----------
    program : Program
    d, e : int
        Sizes of a key and of a value.
    length : int
        Rows of the store.

    Returns
    -------
    Tensor
        float32, shape (1, e).
    """
    config = program.config
    vector = config.vector_length
    depth, lanes = (vectors(config, size) * vector for size in (d, length))
    q, k = (program.input(name, (1, d), "float16").pad(((0, 0), (0, depth - d))) for name in "qk")
    v = program.input("v", (1, e), "float16")
    position = program.input("position", (1,), "int32")
    store = program.state("keys", (length, depth), "float16")
    values = program.state("values", (lanes, e), "float16", layout="columns")
    number = np.arange(lanes, dtype=np.int32)
    fresh, seen = program.map(lambda a, p: (equal(a, p), a <= p), program.constant("places", number), position)
    keys = program.map(lambda key: key, store, dtype="float16")
    new = program.matmul(q, k[np.zeros(vector, np.int32)].transpose(), ways=1)
    following = program.map(
        lambda before, now, is_new: where(is_new, now, before), values, v, fresh.reshape(lanes, 1), dtype="float16"
    )
    program.update(values, following)
    program.scatter(store, position, k)
    factor = float(np.float32(1 / np.sqrt(d)))

    def masked(before: Expr, now: Expr, is_new: Expr, chosen: Expr) -> Expr:
        return where(chosen, where(is_new, now, before) * factor, -np.inf)

    def weight(score: Expr, *largest: Expr) -> Expr:
        return cast(exp(score - _largest_of(*largest)), "float16")

    columns = keys.pad(((0, lanes - length), (0, 0))).transpose()
    scores = program.matmul(q, columns, epilogue=masked, operands=(new[0, number % vector], fresh, seen))
    blocks = scores.reshape(lanes // vector, vector)
    weights = program.map(weight, blocks, *_over_lanes(program, blocks)).reshape(1, lanes)
    scale = program.matmul(weights, program.constant("ones", np.ones((lanes, vector), np.float16)), epilogue=recip)
    every = scale[0, np.arange(e) % vector]
    found: Tensor = program.matmul(weights, following, epilogue=lambda total, factor: total * factor, operands=(every,))
    return found


def _over_lanes(program: Program, scores: View) -> list[View]:
    """Return a few vectors, of which the largest is in every lane the largest of all scores.

    Parameters
    ----------
    program : Program
    scores : View
        float32, shape (blocks, vector_length).

    Notes
    -----
    Superlanes first, then the lanes of each.
    """
    config = program.config
    lanes, superlanes = config.lanes, config.superlanes
    row, lane = np.divmod(np.arange(config.vector_length), lanes)
    parts = [scores if len(scores.elements) == 1 else program.reduce(scores, "max", 0, keepdims=True)]
    parts = _around(program, parts, superlanes, lambda by: lanes * ((row + by) % superlanes) + lane)
    side = math.isqrt(lanes)
    if side**2 == lanes:
        return _few(program, program.rotate(_single(program, parts), side).reshape(lanes, config.vector_length))
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
        rows = program.map(_largest_of, *(rows[part] for part in order)).view()
    return [rows[place : place + 1] for place in range(rows.shape[0])]


def _single(program: Program, parts: list[View]) -> View:
    return parts[0] if len(parts) == 1 else program.map(_largest_of, *parts).view()


def _largest_of(*values: Expr) -> Expr:
    return reduce(maximum, values)


def fan_of(config: Config) -> int:
    """Return of how many vectors of scores a pass takes the maximum at a time."""
    return min(_FAN, config.slices // _SLICES)
