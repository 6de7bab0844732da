"""Lower bound of a whole program: what its operations ask of every unit."""

import numpy as np

from arch.config import HEMISPHERES, Config
from compiler.ir.operation import MatMul
from compiler.ir.vector import Pass
from compiler.library.kernel import Bound
from compiler.program import Program

__all__ = ["work_bound"]


def work_bound(program: Program) -> Bound:
    """Return the cycles in which a program's operations keep the busiest unit busy, whatever waits for what.

    Parameters
    ----------
    program : Program
        With all of its operations.

    Notes
    -----
    MXM: a row of activations and a tile of weights take a cycle of a plane, of float16 two cycles of a pair. Streams:
    `lanes` columns of weights take a cycle of as many streams, in each hemisphere; products load their weights once.
    VXM: every operation of an expression on a vector takes a cycle of an ALU. SRAM: a slice reads a word per cycle; an
    operation may read a vector once for many of its steps.
    """
    config = program.config
    products = [op for op in program.operations if isinstance(op, MatMul)]
    passes = [op for op in program.operations if isinstance(op, Pass) and op.in_mesh]
    finishes = [op.epilogue for op in products if op.epilogue is not None]
    alus = config.alu_rows * config.alu_cols
    rows = sum(op.m * op.k_blocks * op.n_blocks * op.array * op.array for op in products)
    loads = sum(op.array * op.k_blocks * -(-op.n // config.lanes) for op in products)
    operations = sum(len(op.graph.nodes) * op.steps for op in [*passes, *finishes])
    words = sum(_words(op) for op in passes) + sum(_weights_and_rows(op) for op in products)
    work = {
        f"MXM: {rows} cycles of a plane on {config.planes}": -(-rows // config.planes),
        f"streams: {loads} loads of {config.lanes} columns": -(-loads // (HEMISPHERES * _ways(config))),
        f"VXM: {operations} operations on {alus} ALUs": -(-operations // alus),
        f"SRAM: {words} words read from {config.slices} slices": -(-words // config.slices),
    }
    limit = max(work, key=lambda name: work[name])
    return Bound(work[limit], limit)


def _ways(config: Config) -> int:
    """Return how many planes of a hemisphere can load at a time."""
    return min(config.streams // config.lanes, config.planes_per_hemisphere)


def _words(op: Pass) -> int:
    """Return the words that a pass reads at least: each vector of an operand once."""
    return sum(len(np.unique(operand.steps[operand.steps >= 0])) * operand.tensor.itemsize for operand in op.operands)


def _weights_and_rows(op: MatMul) -> int:
    """Return the words that a product reads at least: weights, and the activations of every row."""
    return op.x.itemsize * (op.k_blocks * op.n + op.m * op.k_blocks)
