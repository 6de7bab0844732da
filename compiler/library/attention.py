"""Scaled dot-product attention of one head, for several queries at a time: queries are in the lanes."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from arch.config import Config
from compiler.expression.expr import Expr
from compiler.expression.functions import cast, equal, exp, recip, where
from compiler.ir.tensor import Tensor, View, as_view
from compiler.library.bounds import vectors
from compiler.library.operands import product
from compiler.program import Program

_RUN = 4
"""Rows that come from one hemisphere before those of the other."""


def attention(
    program: Program,
    q: Tensor | View,
    k: Tensor | View,
    v: Tensor | View,
    causal: bool = False,
    mask: Tensor | View | None = None,
) -> View:
    """Return ``softmax(q @ k.T / sqrt(d)) @ v``.

    Scores are MXM products in fp32, times fp32(1 / sqrt(d)); the weights ``exp(score - max)`` are rounded to float16
    for the second product; their sum is taken in fp32 over the rounded ones, in the order of `Program.reduce` over the
    keys, and the result multiplied by its reciprocal.

    Parameters
    ----------
    program : Program
    q, k : Tensor or View
        float16, shapes (m, d) and (n, d), lanes along d.
    v : Tensor or View
        float16, shape (n, e), lanes along n.
    causal : bool
        Query i sees keys 0 to i only.
    mask : Tensor or View, optional
        int8, shape (n,) or (n, m): 0 for a key that no query, or this query, sees; an input or a constant. A query
        without a key gives NaN.

    Returns
    -------
    View
        float32, shape (m, e), lanes along m.
    """
    queries = whole(program.config, q.shape[0])
    scores = _scores(
        program, rows_to(as_view(q), queries), as_view(k), visible(program, k.shape[0], queries, causal, mask)
    )
    kept, largest = _largest(program, scores)
    return _result(program, q.shape[0], kept, largest, rows_to(as_view(v), whole(program.config, v.shape[0])))


def stored_attention(
    program: Program,
    q: Tensor | View,
    k: Tensor | View,
    v: Tensor | View,
    position: Tensor | View,
    length: int,
    store: str = "",
) -> View:
    """Return causal attention over a store of keys and values that lives in MEM from run to run.

    The keys and values of a run take the rows of the store from `position` on before its queries, which see the rows up
    to their own, look at them; otherwise as `attention`.

    Parameters
    ----------
    program : Program
    q, k, v : Tensor or View
        float16, shapes (m, d), (m, d) and (m, e), lanes along the last axis.
    position : Tensor or View
        int32, shape (1,), an input: a multiple of m.
    length : int
        Rows of the store, a multiple of m.
    store : str
        What the names of the states `keys` and `values` begin with.

    Returns
    -------
    View
        float32, shape (m, e), lanes along m.
    """
    m = q.shape[0]
    queries = rows_to(as_view(q), whole(program.config, m))
    kept, largest, values = _stored(program, queries, as_view(k), as_view(v), position, length, store)
    return _result(program, m, kept, largest, values)


def _result(program: Program, m: int, scores: Tensor | View, largest: View, values: Tensor | View) -> View:
    weights, scale = _weights(program, scores, largest)
    unit = np.eye(min(m, program.config.vector_length), program.config.vector_length, dtype=np.float16)
    rows = turned(program, weights, program.constant(program.fresh_name("unit"), unit))
    y = product(
        program,
        values.transpose(),
        rows.transpose(),
        epilogue=lambda total, factor: total * factor,
        operands=(scale[0, : rows.shape[0]],),
    )
    return y[:, :m].transpose()


def whole(config: Config, size: int) -> int:
    """Return a size rounded up to whole vectors."""
    return vectors(config, size) * config.vector_length


def rows_to(view: View, size: int) -> View:
    """Return a matrix with rows of zeros behind it, `size` in all."""
    return view.pad(((0, size - view.shape[0]), (0, 0)))


def visible(
    program: Program, keys: int, queries: int, causal: bool, mask: Tensor | View | None
) -> tuple[Tensor | View, ...]:
    """Return the int8 masks, shape (keys, queries), of what queries see: 0 for what they do not."""
    found: list[Tensor | View] = []
    if causal:
        seen = np.arange(keys)[:, None] <= np.arange(queries)
        found.append(program.constant(program.fresh_name("causal"), -seen.astype(np.int8)))
    if mask is not None:
        view = as_view(mask)
        if len(view.shape) == 1:
            found.append(view.reshape(keys, 1)[:, np.zeros(queries, np.int32)])
        else:
            found.append(view.pad(((0, 0), (0, queries - view.shape[1]))))
    return tuple(found)


def _scores(program: Program, q: View, k: View, masks: tuple[Tensor | View, ...]) -> Tensor:
    """Return the scores, shape (keys, queries), -inf where a query does not see a key."""
    return product(program, k, q.transpose(), ways=1, epilogue=masked_score(k.shape[1]), operands=masks)


def masked_score(d: int) -> Callable[..., Expr]:
    """Return the epilogue that makes scores of sums."""
    factor = scaled(d)

    def masked(total: Expr, *masks: Expr) -> Expr:
        found = total * factor
        for mask in masks:
            found = where(mask, found, -np.inf)
        return found

    return masked


def scaled(d: int) -> float:
    """Return the factor of scores."""
    return float(np.float32(1 / np.sqrt(d)))


def _alternating(program: Program, keys: int, queries: int) -> npt.NDArray[np.int64]:
    """Return the rows of scores in the order in which the planes of both hemispheres make those of one block."""
    if queries > program.config.vector_length or keys % (2 * _RUN):
        return np.arange(keys)
    return np.arange(keys).reshape(2, -1, _RUN).transpose(1, 0, 2).reshape(-1)


def _largest(program: Program, scores: Tensor) -> tuple[View, View]:
    """Return a copy of the scores, and their maxima over the keys."""
    order = _alternating(program, *scores.shape)
    largest, kept = program.reduce(scores[order], "max", 0, function=lambda score: (score, score), keepdims=True)
    return kept[np.argsort(order)], largest


def _stored(
    program: Program, q: View, k: View, v: View, position: Tensor | View, length: int, store_name: str
) -> tuple[View | Tensor, View, View | Tensor]:
    """Return scores over the store, into which the rows of a run go at `position`, their maxima and the values."""
    (m, d), e = k.shape, v.shape[1]
    lanes = whole(program.config, length)
    store = program.state(f"{store_name}keys", (length, d), "float16")
    values = program.state(f"{store_name}values", (lanes, e), "float16", layout="columns")
    number = np.arange(lanes, dtype=np.int32)[:, None]
    start = program.constant(program.fresh_name("start"), number - number % m)
    ahead = program.constant(program.fresh_name("ahead"), number[:length] - np.arange(q.shape[0], dtype=np.int32))
    order = _alternating(program, length, q.shape[0])
    masks = program.map(lambda a, b, p: (equal(a, p), b <= p), start[order], ahead[order], position)
    fresh, seen = (mask[np.argsort(order)] for mask in masks)
    again = number[:, 0] % m
    new = product(program, k, q.transpose(), ways=1)
    factor = scaled(d)

    def masked(before: Expr, now: Expr, is_new: Expr, chosen: Expr) -> Expr:
        return where(chosen, where(is_new, now, before) * factor, -np.inf)

    scores = product(
        program, store, q.transpose(), ways=1, epilogue=masked, operands=(new[again[:length]], fresh, seen)
    )
    kept, largest = _largest(program, scores)
    following = program.map(
        lambda before, now, a, p: where(equal(a, p), now, before), values, v[again], start, position, dtype="float16"
    )
    program.update(values, following)
    places = program.constant(program.fresh_name("places"), np.repeat(np.arange(m, dtype=np.int32)[:, None], d, axis=1))
    program.scatter(store, program.map(lambda a, p: a + p, places, position), k)
    return kept, largest, following


def _weights(program: Program, scores: View | Tensor, largest: View) -> tuple[Tensor, View]:
    """Return ``exp(score - largest)``, float16, keys by queries, 0 for NaN, and the reciprocals of their sums."""
    scale, weights = program.reduce((scores, largest), "add", 0, function=weight, finish=recip, keepdims=True)
    return weights, scale


def weight(score: Expr, most: Expr) -> tuple[Expr, Expr]:
    """Return the weight of a score, and the same with 0 for NaN.

    A query whose weights are NaN has a sum and so a result of NaN; the weights themselves must not become NaN where
    they meet those of other queries, times 0.
    """
    below = score - most
    term = exp(below)
    return cast(term, "float16"), cast(where(below <= 0, term, 0.0), "float16")


def turned(program: Program, weights: Tensor | View, unit: Tensor | View) -> View:
    """Return a matrix with keys in the lanes instead of queries, in whole vectors.

    It is the product of rows of the unit matrix and the vectors of weights, which become columns.

    Parameters
    ----------
    program : Program
    weights : Tensor or View
        float16, finite, shape (keys, queries), lanes along whole vectors of queries.
    unit : Tensor or View
        float16, shape (rows, vector_length): the queries that count of each vector.

    Returns
    -------
    View
        Shape (blocks of queries * rows, whole vectors of keys), zeros beyond the keys.
    """
    (count, queries), rows = weights.shape, unit.shape[0]
    vector = program.config.vector_length
    keys, blocks = whole(program.config, count), queries // vector
    columns = (
        rows_to(as_view(weights), keys).reshape(keys, blocks, vector).transpose(2, 1, 0).reshape(vector, blocks * keys)
    )
    made = product(program, unit, columns, epilogue=lambda total: total, dtype="float16")
    return made.reshape(rows, blocks, keys).transpose(1, 0, 2).reshape(blocks * rows, keys)
