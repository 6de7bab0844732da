"""Lower bounds of kernels that stream vectors through the VXM."""

from math import prod

from arch.config import Config
from arch.timing import timing
from compiler.kernels.kernel import Bound


def vectors(config: Config, lanes: int, *steps: int) -> int:
    """Return the vectors of an array with `lanes` elements along the lane axis and `steps` along the others."""
    return -(-lanes // config.vector_length) * prod(steps)


def pass_latency(config: Config, levels: int) -> int:
    """Return the cycles from the READ of a vector to the end of the WRITE of what `levels` ALUs in a row make of it.

    MEM stands next to the VXM: one hop there, one back.
    """
    table = timing(config)
    read, write, alu = table["READ"], table["WRITE"], table["PASS"]
    assert read.d_func is not None and write.d_skew is not None
    assert alu.d_func is not None and alu.d_skew is not None
    arrival = read.d_func + 1 - alu.d_skew
    leaves = arrival + (levels - 1) * table.chain + alu.d_func
    return leaves + 1 - write.d_skew + write.retire


def stream_bound(config: Config, *passes: tuple[int, int]) -> Bound:
    """Return the bound of passes that depend on one another: each streams its vectors, one per cycle.

    Parameters
    ----------
    config : Config
    *passes : (int, int)
        Vectors, and ALUs in a row that a vector passes.
    """
    cycles = sum(count - 1 + pass_latency(config, levels) for count, levels in passes)
    names = " + ".join(str(count) for count, _ in passes)
    return Bound(cycles, f"streams: {names} vectors, one per cycle, and the latency of each pass")
