"""In which steps the ALUs of a pass work, and the streams are read."""

import numpy as np
import numpy.typing as npt

from arch.timing import timing
from compiler.ir.lanes import Numbers
from compiler.ir.vector import Pass
from compiler.mesh.graph import Kind
from compiler.mesh.mapping import Cell, Mapping

Steps = npt.NDArray[np.bool_]


def working_steps(op: Pass, mapping: Mapping) -> tuple[list[Steps], list[Steps]]:
    """Return in which steps each cell works, and each stream is read.

    What follows a sum works when that is complete; a stream for an ALU that holds its word is read in `fresh_steps`.
    """
    columns = op.config.alu_cols
    places = {cell.alu: number for number, cell in enumerate(mapping.cells)}
    cells: list[Steps] = [np.zeros(op.steps, np.bool_) for _ in mapping.cells]
    streams: list[Steps] = [np.zeros(op.steps, np.bool_) for _ in mapping.streams]
    for output, result in zip(mapping.outputs, op.results, strict=True):
        cells[output] |= result.steps >= 0
    for number, cell in sorted(enumerate(mapping.cells), key=lambda item: -item[1].level):
        if cell.node.accumulates:
            cells[number][:] = True
        for source in cell.sources:
            if source.kind is Kind.NODE:
                before = source.index * columns + (cell.alu - 1) % columns
                cells[places[before]] |= cells[number]
            elif source.kind is Kind.PORT:
                fresh = fresh_steps(op, mapping, cell, cells[number]) if cell.node.holds else cells[number]
                streams[source.index] |= fresh
    return cells, streams


def fresh_steps(op: Pass, mapping: Mapping, cell: Cell, works: Steps) -> Steps:
    """Return the steps in which an ALU that holds a word takes it from the stream: until it sees its own result."""
    words = op.operands[mapping.streams[cell.sources[0].index].port].steps
    mine = np.flatnonzero(works)
    begins = np.append(True, np.diff(words[mine]) != 0)
    since = op.times[mine] - op.times[mine][np.maximum.accumulate(np.where(begins, np.arange(len(mine)), 0))]
    fresh: Steps = np.zeros(op.steps, np.bool_)
    fresh[mine[since < timing(op.config).held]] = True
    return fresh


def stationary_ports(op: Pass) -> set[int]:
    """Return the ports that carry a word in many steps in a row, and that something reads in every step."""
    if op.interval * op.within > 1 or op.steps < 2:
        return set()
    sums = any(node.accumulates for node in op.graph.nodes)
    least = 2 * timing(op.config).held
    return {
        port
        for port, operand in enumerate(op.operands)
        if (op.graph.repeats(port) or not sums) and (1 + np.count_nonzero(np.diff(operand.steps))) * least < op.steps
    }


def reading_cycles(op: Pass, mapping: Mapping) -> list[Numbers]:
    """Return the cycles in which each stream is read, relative to the first step of level 0."""
    _, streams = working_steps(op, mapping)
    chain = timing(op.config).chain
    return [chain * stream.level + op.times[read] for stream, read in zip(mapping.streams, streams, strict=True)]
