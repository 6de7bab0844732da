"""Parts of an operation: some of its steps, with the words that it reads and writes in these."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from compiler.ir.lanes import vector_count
from compiler.ir.switch import Switch
from compiler.ir.vector import Pass
from compiler.lower.storage import OperationStorage

Stepwise = TypeVar("Stepwise", Pass, Switch)


def blocks_of(op: Pass, storage: OperationStorage) -> Iterator[tuple[Pass, OperationStorage]]:
    """Yield a pass block by block of the lanes, with what it reads and writes; nothing where that cuts a sum."""
    count = vector_count(op.results[0].tensor, op.config.vector_length)[0]
    size, rest = divmod(op.steps, count)
    starts = size * np.arange(1, count)
    if count > 1 and not rest and starts_of(op)[starts].all():
        yield from _cut(op, storage, starts)


def parts_of(
    op: Stepwise, storage: OperationStorage, count: int, starts: npt.NDArray[np.bool_]
) -> Iterator[tuple[Stepwise, OperationStorage]]:
    """Yield an operation in about `count` parts of about as many steps, with what it reads and writes.

    Parameters
    ----------
    op : Pass or Switch
    storage : OperationStorage
    count : int
    starts : ndarray of bool, shape (steps,)
        In which steps a part may start.
    """
    places = np.flatnonzero(starts[1:]) + 1
    wanted = np.searchsorted(places, op.steps * np.arange(1, count) // count)
    yield from _cut(op, storage, np.unique(places[wanted[wanted < len(places)]]))


def starts_of(op: Pass) -> npt.NDArray[np.bool_]:
    """Return in which steps a part of a pass may start: with a turn, and with a sum if it makes any."""
    starts: npt.NDArray[np.bool_] = np.arange(op.steps) % op.turn == 0
    if any(node.accumulates for node in op.graph.nodes):
        # Sums that take turns begin together.
        starts &= op.restarts & ~np.roll(op.restarts, 1)
    return starts


def _cut(
    op: Stepwise, storage: OperationStorage, starts: npt.NDArray[np.int64]
) -> Iterator[tuple[Stepwise, OperationStorage]]:
    """Yield the parts of an operation that start in its first step, and in some others."""
    for first, last in pairwise([0, *starts.tolist(), op.steps]):
        ports = {}
        for key, port in storage.ports.items():
            used = port.used[(port.used >= first) & (port.used < last)] - first
            ports[key] = replace(port, steps=port.steps[first:last], used=used)
        yield op.part(first, last), replace(storage, ports=ports)
