"""Attention of several heads of a sequence: multi-head, and grouped-query where heads share keys and values."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError
from compiler.arguments import integer
from compiler.expression.expr import Expr
from compiler.expression.functions import cast, exp, recip, where
from compiler.ir.tensor import Tensor, View, as_view
from compiler.library.attention import masked_score, rows_to, turned, visible, whole
from compiler.library.operands import product
from compiler.program import Program

Operand = Tensor | View

Weights = Mapping[str, Any]
"""Weights and addends of a layer, tensors or views by name."""


def self_attention(
    program: Program,
    x: Operand,
    weights: Weights,
    heads: int,
    causal: bool = False,
    mask: Operand | None = None,
    residual: Operand | None = None,
    dtype: str | None = None,
) -> Tensor:
    """Return the attention of a sequence to itself, of all heads, projected back (Vaswani et al., 3.2.2).

    Queries, keys and values are rounded to float16, and so are the weights ``exp(score - max)`` of a head, which are
    multiplied with its values and with ones; the first product times the reciprocal of the second is rounded to float16
    again. The results of as many heads as a vector holds are side by side; their products with w_o are added up in
    order, then come b_o and the residual, all in fp32.

    Parameters
    ----------
    program : Program
    x : Tensor or View
        float16, shape (m, width), lanes along the width.
    weights : mapping of str to Tensor or View
        ``w_q`` (width, heads * d), ``w_k`` and ``w_v`` (width, kv heads * d), ``w_o`` (heads * d, width), float16;
        ``b_q``, ``b_k``, ``b_v``, ``b_o``, float32, optional; all of them inputs or constants. With fewer heads of keys
        and values each serves several of the queries, neighbours.
    heads : int
    causal : bool
        Position i sees positions 0 to i only.
    mask : Tensor or View, optional
        int8, shape (m,): 0 for a position that none sees (padding); an input or a constant.
    residual : Tensor or View, optional
        Shape (m, width), lanes along the width.
    dtype : str, optional
        Format of the result, float32 by default.

    Returns
    -------
    Tensor
        Shape (m, width), lanes along the width.
    """
    size, kv_heads = check_heads(weights, heads)
    m, vector = x.shape[0], program.config.vector_length
    together = heads_together(size, vector)
    groups = [range(heads)[first : first + together] for first in range(0, heads, together)]
    served = [head // (heads // kv_heads) for head in range(heads)]
    # In a group keys and values of a head are apart from those of others: it has copies with zeros in between.
    places = [[(served[head], place) for place, head in enumerate(group)] for group in groups]
    every = list(dict.fromkeys(place for group in places for place in group))
    q = projected(program, x, weights["w_q"], weights.get("b_q"), [[*group] for group in groups], size)
    alone = [[head if place == other else -1 for other in range(len(groups[0]))] for head, place in every]
    k = projected(program, x, weights["w_k"], weights.get("b_k"), alone, size)
    masks = visible(program, m, whole(program.config, m), causal, mask)
    unit = program.constant(program.fresh_name("unit"), np.eye(min(m, vector), vector, dtype=np.float16))
    queries, keys = q.reshape(m, len(groups), -1), k.reshape(m, len(every), -1)
    numbers = [[every.index(place) for place in group] for group in places]
    found = [
        _weights(program, queries[:, number], keys[:, chosen].transpose(1, 0, 2), masks, size)
        for number, chosen in enumerate(numbers)
    ]
    # Planes make the values while the VXM is at the softmax.
    slots = max(1, min(len(groups[0]), vector // m))
    v = _values(program, x, weights["w_v"], weights.get("b_v"), every, size, slots).reshape(len(every), size, -1)
    results = [_heads(program, part, v, chosen, slots, unit) for part, chosen in zip(found, numbers, strict=True)]
    return joined_heads(program, results, weights["w_o"], weights.get("b_o"), residual, dtype)


def heads_together(size: int, vector: int) -> int:
    """Return how many heads of a size are worked on side by side: as many as a vector holds."""
    return max(1, vector // size)


def check_heads(weights: Weights, heads: int) -> tuple[int, int]:
    """Return the size of a head, and how many of keys and values there are.

    Raises
    ------
    TaktError
        For widths that do not divide into so many heads.
    """
    width = weights["w_q"].shape[1]
    if width % integer("heads", heads, 1):
        raise TaktError(f"heads must divide the {width} columns of w_q, not be {heads}")
    size = width // heads
    columns = weights["w_k"].shape[1]
    if columns % size or heads % (columns // size):
        raise TaktError(f"w_k must have columns for a divisor of {heads} heads of {size}, not {columns}")
    for name, axis, wanted in (("w_v", 1, columns), ("w_o", 0, width)):
        if weights[name].shape[axis] != wanted:
            what = "columns" if axis else "rows"
            raise TaktError(f"{name} must have {wanted} {what}, not the shape {weights[name].shape}")
    return size, columns // size


def projected(
    program: Program, x: Operand, w: Operand, bias: Operand | None, parts: Sequence[Sequence[int]], size: int
) -> Tensor:
    """Return heads of ``x @ w + bias``, float16, in parts that begin a vector each; zeros follow, and stand for -1.

    Parameters
    ----------
    program : Program
    x : Tensor or View
        float16, shape (m, width).
    w, bias : Tensor or View
        Shapes (width, heads * size) and (heads * size,), inputs or constants.
    parts : sequence of sequence of int
        Heads of each part, side by side; of equal numbers, or fewer in the last ones.
    size : int

    Returns
    -------
    Tensor
        Shape (m, parts * whole vectors of a part).
    """
    depth = whole(program.config, size * max(len(part) for part in parts))
    places: npt.NDArray[np.int64] = np.full((len(parts), depth), -1, np.int64)
    for number, part in enumerate(parts):
        for place, head in enumerate(part):
            if head >= 0:
                places[number, size * place : size * (place + 1)] = size * head + np.arange(size)
    places = places.reshape(-1)
    held = places >= 0
    operands: list[Any] = [] if held.all() else [-held.astype(np.int8)]
    if bias is not None:
        operands.append(_columns(as_view(bias), places))

    def finish(total: Expr, *others: Expr) -> Expr:
        found = total + others[-1] if bias is not None else total
        # Zero times what is no number would be none.
        return found if held.all() else where(others[0], found, 0.0)

    columns = _columns(as_view(w), places)
    return product(program, x, columns, epilogue=finish, operands=tuple(operands), dtype="float16")


def _columns(view: View, places: npt.NDArray[np.int64]) -> View:
    """Return columns by number along the last axis; zeros for -1."""
    return View(view.tensor, np.where(places < 0, -1, view.elements[..., places]).astype(np.int32))


def _values(
    program: Program,
    x: Operand,
    w: Operand,
    bias: Operand | None,
    every: Sequence[tuple[int, int]],
    size: int,
    slots: int,
) -> Tensor:
    """Return values, shape (entries of `every` * size, slots * m): those of an entry in one slot, zeros in the others.

    An entry is (head of the values, place in a group); the place's remainder is the slot.
    """
    m = x.shape[0]
    rows = np.concatenate([size * head + np.arange(size) for head, _ in every])
    again = np.tile(np.arange(m), slots)
    own = np.repeat([place % slots for _, place in every], size)[:, None] == np.repeat(np.arange(slots), m)
    operands: list[Any] = [] if slots == 1 else [-own.astype(np.int8)]
    if bias is not None:
        operands.append(as_view(bias)[rows].reshape(len(rows), 1)[:, np.zeros(len(again), np.int32)])

    def finish(total: Expr, *others: Expr) -> Expr:
        found = total + others[-1] if bias is not None else total
        return found if slots == 1 else where(others[0], found, 0.0)

    columns = as_view(x)[again].transpose() if slots > 1 else as_view(x).transpose()
    selected = as_view(w).transpose()[rows]
    return product(program, selected, columns, epilogue=finish, operands=tuple(operands), dtype="float16")


def _weights(program: Program, q: View, k: View, masks: tuple[Operand, ...], size: int) -> Tensor:
    """Return ``exp(score - max)``, shape (heads, m, whole vectors of m), of queries (m, depth), keys (heads, m, depth).

    Queries are in the lanes, so that maxima run over time, and those of a group's heads in one pass.
    """
    count, m = k.shape[:2]
    queries = rows_to(q, whole(program.config, m))
    again = np.tile(np.arange(m), count)
    scores = product(
        program,
        k.reshape(count * m, -1),
        queries.transpose(),
        ways=1,
        epilogue=masked_score(size),
        operands=tuple(as_view(mask)[again] for mask in masks),
    ).reshape(count, m, -1)
    found: Tensor = program.map(_weight, scores, program.reduce(scores, "max", 1, keepdims=True))
    return found


def _heads(program: Program, weights: Tensor, v: View, numbers: Sequence[int], slots: int, unit: Operand) -> Tensor:
    """Return what the weights of a group's heads, (heads, m, ...), make of values, (entries, size, slots * m).

    The keys of as many heads as there are slots are side by side in each vector. What is another head's is zero, so
    that one product serves all heads: shape (m, heads * size).
    """
    (count, m), size = weights.shape[:2], v.shape[1]
    length, blocks = whole(program.config, slots * m), -(-count // slots)
    apart = weights.pad(((0, blocks * slots - count), (0, 0), (0, 0)))
    apart = apart.reshape(blocks, slots * m, -1).pad(((0, 0), (0, length - slots * m), (0, 0)))
    turned_weights = turned(program, apart.reshape(blocks * length, -1), unit)[:m]
    values = np.full((blocks, length, count, size), -1, np.int32)
    ones = np.zeros((blocks, length, count, size), np.float16)
    for place, number in enumerate(numbers):
        block, slot = divmod(place, slots)
        values[block, : slots * m, place] = v.elements[number].T
        ones[block, m * slot : m * (slot + 1), place] = 1
    shape = blocks * length, count * size
    share = program.constant(program.fresh_name("ones"), ones.reshape(shape))
    scale = product(program, turned_weights, share, epilogue=recip)
    columns = View(v.tensor, values.reshape(shape))
    return product(program, turned_weights, columns, epilogue=_times, operands=(scale,), dtype="float16")


def _weight(score: Expr, most: Expr) -> Expr:
    # A query whose weights are no numbers gets zeros, a sum of 0 and so 0 times infinity; they must not meet others.
    below = score - most
    return cast(where(below <= 0, exp(below), 0.0), "float16")


def _times(total: Expr, factor: Expr) -> Expr:
    return total * factor


def joined_heads(
    program: Program,
    results: Sequence[Operand],
    w_o: Operand,
    bias: Operand | None = None,
    residual: Operand | None = None,
    dtype: str | None = None,
) -> Tensor:
    """Return results of heads, side by side, times w_o: products of each with its rows, added up in order in fp32.

    Parameters
    ----------
    program : Program
    results : sequence of Tensor or View
        float16, shape (m, d) each; of several heads side by side (m, d) times their number.
    w_o, bias : Tensor or View
        Shapes (heads * d, width) and (width,).
    residual : Tensor or View, optional
        Added at the end.
    dtype : str, optional
        Format of the result, float32 by default.
    """
    shares = np.split(np.arange(w_o.shape[0]), np.cumsum([result.shape[1] for result in results])[:-1])
    total: Tensor | None = None
    for number, (result, rows) in enumerate(zip(results, shares, strict=True)):
        terms: list[Operand] = [] if total is None else [total]
        last = number == len(results) - 1
        if last:
            terms += [term for term in (bias, residual) if term is not None]
        total = product(
            program,
            result,
            as_view(w_o)[rows],
            epilogue=_sum if terms or dtype else None,
            operands=tuple(terms),
            dtype=dtype if last else None,
        )
    assert total is not None
    return total


def _sum(total: Expr, *terms: Expr) -> Expr:
    for term in terms:
        total = total + term
    return total
