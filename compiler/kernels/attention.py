"""Scaled dot-product attention of one head, with a store of keys and values."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from compiler.expression.expr import Expr
from compiler.expression.functions import cast, equal, exp, recip, where
from compiler.kernels.bounds import joins, product_latency, step_latency, vectors, write_end
from compiler.kernels.decode import decode_attention
from compiler.kernels.decode_bound import decode_bound
from compiler.kernels.kernel import Argument, Arrays, Bound, Kernel, Parameter, Parameters
from compiler.program import Program
from compiler.tensor import Tensor, View

_RUN = 4
"""Rows that come from one hemisphere before those of the other."""


def _whole(config: Config, size: int) -> int:
    """Return a size rounded up to whole vectors."""
    return vectors(config, size) * config.vector_length


def _rows_to(view: View, size: int) -> View:
    return view.pad(((0, size - view.shape[0]), (0, 0)))


def _build(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    m, d = arrays["q"].shape[1:]
    e = arrays["v"].shape[2]
    if m == 1 and "position" in arrays:
        return {"y": decode_attention(program, d, e, _length(arrays, parameters)).view()}
    queries = _whole(program.config, m)
    q = _rows_to(program.input("q", (m, d), "float16").view(), queries)
    k, v = (program.input(name, (m, size), "float16").view() for name, size in (("k", d), ("v", e)))
    if "position" in arrays:
        scores, largest, values = _stored(program, q, k, v, m, _length(arrays, parameters))
    else:
        scores, largest, values = _whole_sequence(program, q, k, v)
    weights, scale = _weights(program, scores, largest)
    turned = _turned(program, weights, min(m, program.config.vector_length))
    y = program.matmul(
        values.transpose(),
        turned.transpose(),
        epilogue=lambda total, factor: total * factor,
        operands=(scale[0, : turned.shape[0]],),
    )
    return {"y": y[:, :m].transpose()}


def _length(arrays: Arrays, parameters: Parameters) -> int:
    """Return the rows of the store."""
    runs, m = arrays["q"].shape[:2]
    return int(parameters["length"]) or runs * m


def _check(config: Config, arrays: Arrays, parameters: Parameters) -> None:
    m, d = arrays["q"].shape[1:]
    if "position" not in arrays:
        if parameters["length"]:
            raise TaktError(
                f"length must be 0 without position, which rows go into a store, not {parameters['length']}"
            )
        return
    length = _length(arrays, parameters)
    if length % m:
        raise TaktError(f"length must be a multiple of the {m} rows of a run, not {length}")
    size = 2 * length * (d + arrays["v"].shape[2])
    if size > config.mem_bytes:
        raise TaktError(f"store must fit the MEM of {config.name}, {config.mem_bytes} bytes, not need {size}")
    for first in arrays["position"].tolist():
        if first % m or not 0 <= first <= length - m:
            raise TaktError(f"position must be a multiple of {m} from 0 to {length - m}, not {first}")


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


def _scaled(d: int) -> float:
    return float(np.float32(1 / np.sqrt(d)))


def _whole_sequence(program: Program, q: View, k: View, v: View) -> tuple[View | Tensor, View, View]:
    """Return masked scores, their maxima and the values, the rows of a run being the whole sequence."""
    m, d = k.shape
    seen = np.arange(m)[:, None] <= np.arange(q.shape[0])
    mask = program.constant("mask", -seen.astype(np.int8))
    factor = _scaled(d)

    def masked(total: Expr, chosen: Expr) -> Expr:
        return where(chosen, total * factor, -np.inf)

    scores = program.matmul(k, q.transpose(), ways=1, epilogue=masked, operands=(mask,))
    return *_largest(program, scores), _rows_to(v, _whole(program.config, m))


def _stored(
    program: Program, q: View, k: View, v: View, m: int, length: int
) -> tuple[View | Tensor, View, View | Tensor]:
    """Return the same over the store, into which the rows of a run go at `position`."""
    d, e = k.shape[1], v.shape[1]
    lanes = _whole(program.config, length)
    position = program.input("position", (1,), "int32")
    store = program.state("keys", (length, d), "float16")
    values = program.state("values", (lanes, e), "float16", layout="columns")
    number = np.arange(lanes, dtype=np.int32)[:, None]
    start = program.constant("start", number - number % m)
    ahead = program.constant("ahead", number[:length] - np.arange(q.shape[0], dtype=np.int32))
    order = _alternating(program, length, q.shape[0])
    masks = program.map(lambda a, b, p: (equal(a, p), b <= p), start[order], ahead[order], position)
    fresh, seen = (mask[np.argsort(order)] for mask in masks)
    again = number[:, 0] % m
    new = program.matmul(k, q.transpose(), ways=1)
    factor = _scaled(d)

    def masked(before: Expr, now: Expr, is_new: Expr, chosen: Expr) -> Expr:
        return where(chosen, where(is_new, now, before) * factor, -np.inf)

    scores = program.matmul(store, q.transpose(), ways=1, epilogue=masked, operands=(new[again[:length]], fresh, seen))
    kept, largest = _largest(program, scores)
    following = program.map(
        lambda before, now, a, p: where(equal(a, p), now, before), values, v[again], start, position, dtype="float16"
    )
    program.update(values, following)
    places = program.constant("places", np.repeat(np.arange(m, dtype=np.int32)[:, None], d, axis=1))
    program.scatter(store, program.map(lambda a, p: a + p, places, position), k)
    return kept, largest, following


def _weights(program: Program, scores: View | Tensor, largest: View) -> tuple[Tensor, View]:
    """Return ``exp(score - largest)``, float16, keys by queries, 0 for NaN, and the reciprocals of their sums."""

    def weight(score: Expr, most: Expr) -> tuple[Expr, Expr]:
        # A query whose weights are NaN has a sum and so a result of NaN; the weights themselves must not become NaN
        # where they meet those of other queries, times 0.
        below = score - most
        term = exp(below)
        return cast(term, "float16"), cast(where(below <= 0, term, 0.0), "float16")

    scale, weights = program.reduce((scores, largest), "add", 0, function=weight, finish=recip, keepdims=True)
    return weights, scale


def _turned(program: Program, weights: Tensor, rows: int) -> View:
    """Return a matrix with keys in the lanes instead of queries, in whole vectors.

    It is the product of rows of the unit matrix and the vectors of weights, which become columns.
    """
    count, queries = weights.shape
    vector = program.config.vector_length
    keys, blocks = _whole(program.config, count), queries // vector
    unit = program.constant("unit", np.eye(rows, vector, dtype=np.float16))
    columns = (
        _rows_to(weights.view(), keys).reshape(keys, blocks, vector).transpose(2, 1, 0).reshape(vector, blocks * keys)
    )
    turned: Tensor = program.matmul(unit, columns, epilogue=lambda total: total, dtype="float16")
    return turned.reshape(rows, blocks, keys).transpose(1, 0, 2).reshape(blocks * rows, keys)


def _bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    """Return the larger of two bounds: all products, one after another; one block of queries from q to y.

    One query over a store has a form of its own.
    """
    m, d = arrays["q"].shape[1:]
    e = arrays["v"].shape[2]
    keys = _length(arrays, parameters) if "position" in arrays else m
    if m == 1 and "position" in arrays:
        return decode_bound(config, d, e, keys)
    block = min(m, config.vector_length)
    key_blocks = vectors(config, keys)
    step, product = partial(step_latency, config), partial(product_latency, config)
    end = write_end(config) - 1
    # MUL and SEL of the last score, MAX of it; what joins the maxima; SUB, EXP and CVT of the last weight.
    passes = step(max(joins(keys), 1)) + keys - 1 + step(3)
    chain = product(keys, vectors(config, d), block, 3) + passes
    chain += product(block, 1, keys, 1) + product(e, key_blocks, block, 1) + end
    tiles = [(keys, vectors(config, d) * vectors(config, m)), (block, vectors(config, m) * key_blocks)]
    tiles.append((e, key_blocks * vectors(config, m)))
    issues = sum(2 * rows * count for rows, count in tiles) // (config.planes // 2)
    every = product(1, 1, 1, 1) + issues + end
    if every >= chain:
        return Bound(every, f"MXM: {issues} cycles on {config.planes // 2} pairs, and the latency of the first")
    return Bound(chain, f"latency: three products and two passes over {keys} keys, each after the other")


ATTENTION = Kernel(
    name="attention",
    doc="softmax(q k^T / sqrt(d)) v of one head over a store of keys and values; a query sees rows up to its own",
    arguments=(
        Argument(name="q", dtypes=("float16",), shape="t, m, d", doc="queries, m rows a run"),
        Argument(name="k", dtypes=("float16",), shape="t, m, d", doc="their keys"),
        Argument(name="v", dtypes=("float16",), shape="t, m, e", doc="their values"),
        Argument(
            name="position",
            dtypes=("int32",),
            shape="t",
            doc="row of the store for the first one of a run, a multiple of m; without it every run is a sequence",
            optional=True,
        ),
    ),
    parameters=(
        Parameter(name="length", default=0, least=0, most=1 << 30, doc="rows of the store; 0: those of all runs"),
    ),
    results=("y",),
    build=_build,
    bound=_bound,
    rule=_check,
    steps=("q", "k", "v", "position"),
)
