"""Attention of several heads of a sequence: multi-head, and grouped-query where heads share keys and values."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from arch.errors import TaktError
from compiler.arguments import integer
from compiler.ir.tensor import Tensor, View, as_view
from compiler.library.attention import visible
from compiler.library.head_slots import head_scores, head_values, score_weights, slots_for, weighted_values
from compiler.library.operands import product
from compiler.library.projections import projected, total_of
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
    m = x.shape[0]
    slots = slots_for(program.config, m, size, heads)
    groups = [range(heads)[first : first + slots.heads] for first in range(0, heads, slots.heads)]
    served = [head // (heads // kv_heads) for head in range(heads)]
    # In a group what a head has is apart from that of others: its queries, or keys, have zeros in between.
    places = [[(served[head], place) for place, head in enumerate(group)] for group in groups]
    every = list(dict.fromkeys(place for group in places for place in group))
    numbers = [[every.index(place) for place in group] for group in places]
    beside = range(len(groups[0]))

    def alone(entries: Sequence[tuple[int, int]]) -> list[list[int]]:
        return [[head if place == other else -1 for other in beside] for head, place in entries]

    def heads_of(name: str, parts: list[list[int]]) -> View:
        found = projected(program, x, weights[f"w_{name}"], weights.get(f"b_{name}"), parts, size)
        return found.reshape(m, len(parts), -1)

    masks = visible(program, m, m, causal, mask)
    scores: list[View] = []
    if slots.by_transposition:
        queries = heads_of("q", alone([(head, place) for group in groups for place, head in enumerate(group)]))
        keys = heads_of("k", [[head for head, _ in group] for group in places])
        for number, group in enumerate(groups):
            scores.append(head_scores(program, queries[:, group], keys[:, number : number + 1], masks, size, slots))
    else:
        queries, keys = heads_of("q", [[*group] for group in groups]), heads_of("k", alone(every))
        for number, chosen in enumerate(numbers):
            scores.append(head_scores(program, queries[:, number : number + 1], keys[:, chosen], masks, size, slots))

    # What comes first is placed first: the softmax is a chain of passes, and planes find time for the values beside it.
    found = [score_weights(program, part) for part in scores]
    v = head_values(program, x, weights["w_v"], weights.get("b_v"), every, size, slots, numbers)
    results = [weighted_values(program, part, own, slots) for part, own in zip(found, v, strict=True)]
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
            epilogue=total_of if terms or dtype else None,
            operands=tuple(terms),
            dtype=dtype if last else None,
        )
    assert total is not None
    return total
