"""Attention of several heads of a sequence: multi-head, and grouped-query where heads share keys and values."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

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
    again. The heads' products with w_o are added up in order, then come b_o and the residual, all in fp32.

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
    q, k = (
        heads_apart(program, x, weights[f"w_{name}"], weights.get(f"b_{name}"), count)
        for name, count in (("q", heads), ("k", kv_heads))
    )
    v = _values(program, x, weights["w_v"], weights.get("b_v"))
    masks = visible(program, m, whole(program.config, m), causal, mask)
    depth = q.shape[1] // heads
    unit = program.constant(program.fresh_name("unit"), np.eye(min(m, vector), vector, dtype=np.float16))
    ones = program.constant(program.fresh_name("ones"), np.ones((whole(program.config, m), size), np.float16))
    results: list[Operand] = []
    for head in range(heads):
        group = head // (heads // kv_heads)
        query = q[:, head * depth : (head + 1) * depth]
        key = k[:, group * depth : (group + 1) * depth]
        value = rows_to(v[group * size : (group + 1) * size].transpose(), ones.shape[0])
        results.append(_head(program, query, key, value, masks, size, unit, ones))
    return joined_heads(program, results, weights["w_o"], weights.get("b_o"), residual, dtype)


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


def heads_apart(program: Program, x: Operand, w: Operand, bias: Operand | None, heads: int) -> Tensor:
    """Return ``x @ w + bias``, float16, in which every head begins a vector and zeros follow it.

    Parameters
    ----------
    program : Program
    x : Tensor or View
        float16, shape (m, width).
    w, bias : Tensor or View
        Shapes (width, heads * d) and (heads * d,), inputs or constants.
    heads : int

    Returns
    -------
    Tensor
        Shape (m, heads * whole vectors of d).
    """
    size = w.shape[1] // heads
    more = whole(program.config, size) - size
    operands: list[Any] = []
    if more:
        held = np.zeros((heads, size + more), np.int8)
        held[:, :size] = -1
        operands.append(held.reshape(-1))
    if bias is not None:
        operands.append(_apart(as_view(bias), heads, more))

    def finish(total: Expr, *others: Expr) -> Expr:
        found = total + others[-1] if bias is not None else total
        # Zero times what is no number would be none.
        return where(others[0], found, 0.0) if more else found

    columns = _apart(as_view(w), heads, more)
    return product(program, x, columns, epilogue=finish, operands=tuple(operands), dtype="float16")


def _apart(view: View, heads: int, more: int) -> View:
    """Return heads along the last axis with zeros behind each."""
    rows, size = view.shape[:-1], view.shape[-1] // heads
    parts = view.reshape(*rows, heads, size).pad((*((0, 0) for _ in rows), (0, 0), (0, more)))
    return parts.reshape(*rows, heads * (size + more))


def _values(program: Program, x: Operand, w: Operand, bias: Operand | None) -> Tensor:
    """Return the values of all heads, shape (columns of w, m), lanes along the positions."""
    if bias is None:
        return product(program, as_view(w).transpose(), as_view(x).transpose(), epilogue=_same, dtype="float16")
    again = as_view(bias).reshape(bias.shape[0], 1)[:, np.zeros(x.shape[0], np.int32)]
    return product(
        program, as_view(w).transpose(), as_view(x).transpose(), epilogue=_plus, operands=(again,), dtype="float16"
    )


def _same(total: Expr) -> Expr:
    return total


def _plus(total: Expr, other: Expr) -> Expr:
    return total + other


def _head(
    program: Program, q: View, k: View, v: View, masks: tuple[Operand, ...], size: int, unit: Operand, ones: Operand
) -> Tensor:
    """Return what a head makes of whole vectors of queries and keys, (m, depth), and values.

    Queries are in the lanes of scores, so that maxima run over time; then keys are.
    """
    m = q.shape[0]
    queries = rows_to(q, whole(program.config, m))
    scores = product(program, k, queries.transpose(), ways=1, epilogue=masked_score(size), operands=masks)
    largest = program.reduce(scores, "max", 0, keepdims=True)
    weights = turned(program, program.map(_weight, scores, largest), unit)[:m]
    scale = product(program, weights, ones, epilogue=recip)
    return product(program, weights, v, epilogue=_times, operands=(scale,), dtype="float16")


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
    """Return the results of all heads, side by side, times w_o: products of the heads, added up in order in fp32.

    Parameters
    ----------
    program : Program
    results : sequence of Tensor or View
        float16, shape (m, d) each.
    w_o, bias : Tensor or View
        Shapes (heads * d, width) and (width,).
    residual : Tensor or View, optional
        Added at the end.
    dtype : str, optional
        Format of the result, float32 by default.
    """
    shares = np.split(np.arange(w_o.shape[0]), len(results))
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
