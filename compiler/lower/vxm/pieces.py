"""Passes in pieces that start by themselves."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from compiler.ir.lanes import vector_count
from compiler.ir.vector import Operand, Pass, Result
from compiler.lower.storage import OperationStorage


def pieces(op: Pass, placed: OperationStorage) -> Iterator[tuple[Pass, OperationStorage]]:
    """Yield a pass block by block of the lanes, with what it reads and writes; nothing where that cuts a sum."""
    count = vector_count(op.results[0].tensor, op.config.vector_length)[0]
    size, rest = divmod(op.steps, count)
    starts = size * np.arange(1, count)
    sums = any(node.accumulates for node in op.graph.nodes)
    if count == 1 or rest or size % op.turn or (sums and not (op.restarts[starts] & ~op.restarts[starts - 1]).all()):
        return
    for first in range(0, op.steps, size):
        part = slice(first, first + size)
        operands = tuple(Operand(item.tensor, item.vectors, item.steps[part]) for item in op.operands)
        results = tuple(Result(item.tensor, item.steps[part]) for item in op.results)
        mine = replace(op, operands=operands, results=results, restarts=op.restarts[part])
        ports = {}
        for key, port in placed.ports.items():
            ports[key] = replace(port, steps=port.steps[part], used=np.arange(size))
        yield mine, replace(placed, ports=ports)
