"""Cost of bringing elements into other lanes, and the cheapest way."""

from typing import NamedTuple

import numpy as np

from arch.config import Config
from compiler.ir.lanes import are_vectors, pairs_of, vectors_along
from compiler.ir.tensor import View

_LATENCY = 45
"""Rough cycles that a pass through SXM or VXM takes beside its steps. Only choices depend on it, never a result."""

QUEUES = 2
"""PERMUTE and TRANSPOSE have one in each hemisphere."""


class Move(NamedTuple):
    """Way in which a view of a result comes to have lanes along an axis.

    Attributes
    ----------
    cost : int
        Rough cycles; 0 if its vectors are the result's.
    source : int
        Axis, from the end, along which it is read before its matrices are transposed; the wanted axis itself: each
        vector is put together as it is wanted.
    """

    cost: int
    source: int


def cheapest_move(config: Config, view: View, lanes: int) -> Move:
    """Return the cheapest way to lanes along an axis (from the end) of a view of a result."""
    direct = _put_together(config, view, lanes)
    best = Move(direct, lanes)
    # A transposition has its own latency: what is put together in less needs none.
    if direct <= 2 * _LATENCY or view.shape[lanes] == 1:
        return best
    for axis in range(-1, -len(view.shape) - 1, -1):
        if axis != lanes:
            cost = transposition_cost(config, view, axis, lanes)
            if cost < best.cost:
                cost += _put_together(config, view, axis)
            if cost < best.cost:
                best = Move(cost, axis)
    return best


def _put_together(config: Config, view: View, lanes: int) -> int:
    """Return the cycles of a PERMUTE for each pair of vectors, and of the passes that join them."""
    vector = config.vector_length
    wanted = vectors_along(view.elements, lanes, vector)
    if are_vectors(view.tensor, wanted, vector):
        return 0
    found = pairs_of(view.tensor, wanted, vector)
    moved = int((~found.stay).sum()) * view.itemsize
    most = int(np.bincount(found.wanted).max())
    joins = 0 if most == 1 else -(-(most - 1) // 3)
    return (_LATENCY + -(-moved // QUEUES) if moved else 0) + joins * (_LATENCY + len(wanted))


def transposition_cost(config: Config, view: View, source: int, lanes: int) -> int:
    """Return the cycles of a transposition from lanes along one axis to lanes along another."""
    m, n = view.shape[lanes], view.shape[source]
    batch = view.elements.size // (m * n)
    vector = config.vector_length
    tiles = batch * -(-m // vector) * -(-n // config.lanes)
    cost = _LATENCY + -(-tiles * view.itemsize // QUEUES)
    if config.superlanes > 1:
        # Superlanes are exchanged before: see `compiler.declare.transposition`.
        rows, blocks = batch * m * -(-n // vector), tiles * config.lanes
        cost += 3 * _LATENCY + -(-(rows + blocks) * view.itemsize // QUEUES) + blocks
    return cost
