"""Lower bound of a whole program: what its operations ask of every unit."""

from arch.config import HEMISPHERES, Config
from compiler.ir.work import Work
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
    alus = config.alu_rows * config.alu_cols
    work = sum((op.work for op in program.operations), Work())
    cycles = {
        f"MXM: {work.rows} cycles of a plane on {config.planes}": -(-work.rows // config.planes),
        f"streams: {work.loads} loads of {config.lanes} columns": -(-work.loads // (HEMISPHERES * _ways(config))),
        f"VXM: {work.operations} operations on {alus} ALUs": -(-work.operations // alus),
        f"SRAM: {work.words} words read from {config.slices} slices": -(-work.words // config.slices),
    }
    limit = max(cycles, key=lambda name: cycles[name])
    return Bound(cycles[limit], limit)


def _ways(config: Config) -> int:
    """Return how many planes of a hemisphere can load at a time."""
    return min(config.streams // config.lanes, config.planes_per_hemisphere)
