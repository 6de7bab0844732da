"""Attention of several heads in slots: the lanes of a vector that belong to one head, with its keys or queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from compiler.expression.expr import Expr
from compiler.expression.functions import cast, exp, recip, where
from compiler.ir.tensor import Tensor, View, as_view
from compiler.library.attention import masked_score, turned, whole
from compiler.library.operands import product
from compiler.library.projections import placed
from compiler.program import Program

Operand = Tensor | View


@dataclass(frozen=True)
class Slots:
    """Slots of a vector of keys, each of which has those of another head.

    Attributes
    ----------
    heads : int
        That are worked on side by side.
    count, stride : int
        Slots, and their lanes.
    by_transposition : bool
        Queries of all heads are side by side in a vector of scores too, so that a TRANSPOSE, which stays within
        superlanes, makes keys of them.
    """

    heads: int
    count: int
    stride: int
    by_transposition: bool


def slots_for(config: Config, m: int, size: int, heads: int) -> Slots:
    """Return the slots for m keys and queries of some heads of a size."""
    together = min(heads_together(size, config.vector_length), heads)
    if together > config.superlanes or m > config.lanes:
        return Slots(together, max(1, min(together, config.vector_length // m)), m, False)
    return Slots(together, config.superlanes, config.lanes, True)


def heads_together(size: int, vector: int) -> int:
    """Return how many heads of a size are worked on side by side: as many as a vector holds."""
    return max(1, vector // size)


def head_values(
    program: Program,
    x: Operand,
    w: Operand,
    bias: Operand | None,
    every: Sequence[tuple[int, int]],
    size: int,
    slots: Slots,
    groups: Sequence[Sequence[int]],
) -> list[View]:
    """Return values of groups of entries, shape (entries, size, lanes of all slots): in one slot, zeros in the others.

    An entry is (head of the values, place in a group); the place's remainder is the slot.
    """
    m, count = x.shape[0], slots.count
    if slots.by_transposition:
        return _values_by_transposition(program, x, w, bias, every, size, groups)
    rows = np.concatenate([size * head + np.arange(size) for head, _ in every])
    length = whole(program.config, count * m)
    own = np.repeat([place % count for _, place in every], size)[:, None] == np.arange(length) // m
    operands: list[Any] = [] if own.all() else [-own.astype(np.int8)]
    if bias is not None:
        operands.append(as_view(bias)[rows].reshape(len(rows), 1)[:, np.zeros(length, np.int32)])

    def finish(total: Expr, *others: Expr) -> Expr:
        found = total + others[-1] if bias is not None else total
        return found if own.all() else where(others[0], found, 0.0)

    # Lanes beyond the last slot are zeros in MEM, as whoever multiplies wants them.
    columns = as_view(x)[np.tile(np.arange(m), count)] if count > 1 else as_view(x)
    columns = columns.pad(((0, length - count * m), (0, 0)))
    made = product(
        program,
        as_view(w).transpose()[rows],
        columns.transpose(),
        epilogue=finish,
        operands=tuple(operands),
        dtype="float16",
    )
    values = made.reshape(len(every), size, -1)
    return [values[np.array(group)] for group in groups]


def _values_by_transposition(
    program: Program,
    x: Operand,
    w: Operand,
    bias: Operand | None,
    every: Sequence[tuple[int, int]],
    size: int,
    groups: Sequence[Sequence[int]],
) -> list[View]:
    """Return values as `head_values`, those of place p of a group in superlane p.

    In this superlane, and with zeros in others, a product makes each `lanes` columns of an entry; a TRANSPOSE then
    brings the keys into the lanes of the superlane, and the columns to vectors of their own.
    """
    config, m = program.config, x.shape[0]
    lanes, vector = config.lanes, config.vector_length
    chunks = -(-size // lanes)
    places: npt.NDArray[np.int64] = np.full((len(every), chunks, config.superlanes, lanes), -1, np.int64)
    for number, (head, place) in enumerate(every):
        for column in range(size):
            places[number, column // lanes, place, column % lanes] = size * head + column
    made = placed(program, x, w, bias, places.reshape(-1)).reshape(m, len(every), chunks, vector)
    rows = made.transpose(1, 2, 0, 3).pad(((0, 0), (0, 0), (0, lanes - m), (0, 0)))
    # A tensor for each group: every product that loads from one wants it in slices of its own.
    found = [program.switch_transpose(rows[np.array(group)].reshape(-1, vector)) for group in groups]
    return [
        tensor.reshape(len(group), chunks * lanes, vector)[:, :size]
        for tensor, group in zip(found, groups, strict=True)
    ]


def head_scores(program: Program, q: View, k: View, masks: tuple[Operand, ...], size: int, slots: Slots) -> View:
    """Return scores, shape (rows of all keys, m, lanes): queries are in the lanes, so that maxima run over time.

    Either queries of each head, (m, heads, depth), meet keys (m, 1, depth), their slots side by side in the lanes; or
    keys of each head meet queries, and each head has rows of its own.
    """
    m, depth = q.shape[0], q.shape[2]
    lanes = whole(program.config, slots.count * slots.stride if slots.by_transposition else m)
    slot = slots.stride if q.shape[1] > 1 else lanes
    columns = q.transpose(1, 0, 2).pad(((0, lanes // slot - q.shape[1]), (0, slot - m), (0, 0))).reshape(lanes, depth)
    again = np.tile(np.arange(m), k.shape[1])
    return product(
        program,
        k.transpose(1, 0, 2).reshape(-1, depth),
        columns.transpose(),
        ways=1,
        epilogue=masked_score(size),
        operands=tuple(_in_slots(as_view(mask)[again], slot, lanes) for mask in masks),
    ).reshape(k.shape[1], m, -1)


def _in_slots(mask: View, slot: int, lanes: int) -> View:
    """Return columns of a mask, shape (n, m), again in every slot."""
    padded = mask.pad(((0, 0), (0, slot - mask.shape[1])))
    return padded[:, np.arange(lanes) % slot]


def score_weights(program: Program, scores: View) -> Tensor:
    """Return ``exp(score - max)``, float16, of scores as of `head_scores`."""
    found: Tensor = program.map(_weight, scores, program.reduce(scores, "max", 1, keepdims=True))
    return found


def weighted_values(program: Program, weights: Tensor, values: View, slots: Slots) -> Tensor:
    """Return what the weights of a group's heads, as of `score_weights`, make of values, as of `_values`.

    The keys of as many heads as there are slots are side by side in each vector. What is another head's is zero, so
    that one product serves all heads: shape (m, heads * size).
    """
    m, count, stride = weights.shape[1], slots.count, slots.stride
    heads, size = values.shape[:2]
    rows = _turned(program, weights, slots)
    blocks = -(-heads // count)
    columns = np.full((blocks, rows.shape[1] // blocks, heads, size), -1, np.int32)
    ones = np.zeros(columns.shape, np.float16)
    for place in range(heads):
        block, slot = divmod(place, count)
        columns[block, : values.shape[2], place] = values.elements[place].T
        ones[block, stride * slot : stride * slot + m, place] = 1
    shape = rows.shape[1], heads * size
    share = program.constant(program.fresh_name("ones"), ones.reshape(shape))
    scale = product(program, rows, share, epilogue=recip)
    found = View(values.tensor, columns.reshape(shape))
    return product(program, rows, found, epilogue=_times, operands=(scale,), dtype="float16")


def _turned(program: Program, weights: Tensor, slots: Slots) -> View:
    """Return weights with keys in the lanes: rows are queries, and in each vector of theirs the slots side by side."""
    count, m = weights.shape[:2]
    config = program.config
    if slots.by_transposition:
        return program.switch_transpose(weights.reshape(m, -1))[:m]
    length, blocks = whole(config, slots.count * m), -(-count // slots.count)
    apart = weights.pad(((0, blocks * slots.count - count), (0, 0), (0, 0)))
    apart = apart.reshape(blocks, -1, weights.shape[2]).pad(((0, 0), (0, length - slots.count * m), (0, 0)))
    vector = config.vector_length
    unit = program.constant(program.fresh_name("unit"), np.eye(min(m, vector), vector, dtype=np.float16))
    return turned(program, apart.reshape(blocks * length, -1), unit)[:m]


def _weight(score: Expr, most: Expr) -> Expr:
    # A query whose weights are no numbers gets zeros, a sum of 0 and so 0 times infinity; they must not meet others.
    below = score - most
    return cast(where(below <= 0, exp(below), 0.0), "float16")


def _times(total: Expr, factor: Expr) -> Expr:
    return total * factor
