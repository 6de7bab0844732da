"""Orders of writing: vectors that are written together, changes of their place, and copies that are shared."""

from collections.abc import Iterator, Sequence

import numpy as np

from arch.config import Config
from compiler.ir.lanes import vector_count
from compiler.ir.matmul import MatMul
from compiler.ir.tensor import Tensor
from compiler.ir.vector import Result
from compiler.lower.mxm.plan import Feeder, Plan
from compiler.memory.copies import TensorCopy
from compiler.memory.demand import Demand, Vectors
from compiler.memory.words import Numbers

_RUN = 6
"""Least vectors of a dense stream before it changes its place."""

_RUN_IN_PLACE = 16
"""Vectors of a state, changed on the way, before it changes its place: a third of the longest way from MEM to MEM."""

_ROWS = 4
"""Rows of a product that a plane emits before it changes the place."""
_SHORT = 96, 2
"""A shorter stream changes more often: the reader's wait for the first change counts."""


def distinct(found: list[tuple[TensorCopy, Demand | None]]) -> list[TensorCopy]:
    """Return the copies, those that operations share once."""
    return list(dict.fromkeys(copy for copy, _ in found))


def sharing(wants: list[tuple[Demand | None, Vectors]]) -> list[list[tuple[Demand | None, Vectors]]]:
    """Group copies so that those of different groups have no vector in common."""
    groups: list[list[tuple[Demand | None, Vectors]]] = []
    for want in wants:
        # One copy can tie several groups together.
        joined = [group for group in groups if any(np.isin(want[1], order).any() for _, order in group)]
        groups = [group for group in groups if not any(group is other for other in joined)]
        groups.append([*(item for group in joined for item in group), want])
    return groups


def changes_between(result: Result, orders: Sequence[Vectors]) -> int:
    """Return how often a vector of a result belongs to another one of some orders than the vector written before."""
    label = np.zeros(int(result.steps.max(initial=0)) + 1, np.int64)
    for number, order in enumerate(orders):
        label[order] = number
    return int(np.count_nonzero(np.diff(label[result.steps[result.steps >= 0]])))


def turns_of(result: Result, times: Vectors, order: Vectors) -> tuple[Numbers, int]:
    """Return after how many changes of place each vector of a result is stored, and in how many slices in turn.

    A reader that follows the writer closely must meet it in another bank, and issue in other cycles. Vectors that come
    sparsely (sums) change banks each time; a dense stream does after some cycles and between two slices, which
    gives the reader a window of one to three runs to follow in.
    """
    written = np.flatnonzero(np.isin(result.steps, order))
    run = np.cumsum(np.append(0, np.diff(times[written]) > 1))
    step = np.zeros(int(result.steps.max()) + 1, np.int64)
    least = _SHORT[1] if len(order) < _SHORT[0] else _RUN
    # Pauses are changes enough; and what is over at once cannot be followed.
    if run[-1] or len(order) < 2 * least:
        step[result.steps[written]] = run
        return step[order].astype(np.int32), 1
    # Each change is a word of text, so even of a long stream there are only so many.
    step[result.steps[written]] = np.arange(len(written)) // max(least, len(order) // 32)
    return step[order].astype(np.int32), 2


def halves_of(result: Result, times: Vectors, order: Vectors) -> tuple[Numbers, int]:
    """Return the same as `turns_of` where slices are short: the second half of what is written has another bank.

    A reader follows half of the stream behind.
    """
    written = np.flatnonzero(np.isin(result.steps, order))
    half = np.zeros(int(result.steps.max()) + 1, np.int32)
    half[result.steps[written]] = 2 * np.arange(len(written)) >= len(written)
    found = half[order]
    # Read in another order, every change between banks would be a word of text.
    return found if (np.diff(found) >= 0).all() else np.zeros_like(found), 1


def turns_in_place(order: Vectors) -> tuple[Numbers, int]:
    """Return the same as `turns_of` for a state that a pass changes on the way.

    A vector is written one to three runs after it was read, when another bank or slice is read.
    """
    return (np.arange(len(order)) // _RUN_IN_PLACE).astype(np.int32), 2


def product_turns(op: MatMul, vectors: Vectors) -> Numbers:
    """Return after how many changes of place each vector that a plane emits is stored.

    A reader follows block by block of the columns; where there is one only, some rows behind.
    """
    blocks, rows = np.divmod(vectors, op.m)
    found = np.unique(blocks, return_inverse=True)[1]
    if len(vectors) and not found.any():
        found = (rows - rows.min()) // _ROWS
    return found.reshape(-1).astype(np.int32)


def missing_vectors(config: Config, tensor: Tensor, readers: list[Demand]) -> Vectors:
    """Return the vectors of a tensor that no reader wants."""
    blocks, steps = vector_count(tensor, config.vector_length)
    held = np.zeros(blocks * steps, np.bool_)
    for reader in readers:
        held[reader.order] = True
    return np.flatnonzero(~held)


def writing_order(op: MatMul, plan: Plan, readers: list[Demand]) -> Vectors:
    """Return the vectors of a result that nobody reads, in the order in which the planes emit them."""
    order = np.concatenate(
        [
            (np.array(group)[:, None] * op.m + np.arange(first, first + count)).reshape(-1)
            for feeder in plan.feeders
            for first, count in feeder.blocks
            for group in feeder.groups
        ]
    )
    # Planes emit every row of every block: what nobody reads must go somewhere too.
    missing: Vectors = order[np.isin(order, missing_vectors(op.config, op.y, readers))]
    return missing


def words_of(op: MatMul, feeder: Feeder, order: Vectors) -> Iterator[Vectors]:
    """Yield the part of `order` that each plane of a feeder writes."""
    blocks, rows = np.divmod(order, op.m)
    in_rows = np.zeros(op.m, np.bool_)
    for first, count in feeder.blocks:
        in_rows[first : first + count] = True
    for plane in range(len(feeder.planes)):
        own = [group[plane] for group in feeder.groups if plane < len(group)]
        yield order[in_rows[rows] & np.isin(blocks, own)]


def is_copied(readers: list[Demand]) -> bool:
    """Return whether two readers want the same vectors."""
    numbers = np.concatenate([np.zeros(0, np.int64), *(reader.order for reader in readers)])
    return len(np.unique(numbers)) < len(numbers)
