"""Lower bounds of kernels that stream vectors through the VXM."""

from math import prod

from arch.config import Config
from arch.geometry import Hemisphere, mxm_position, vxm_position
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


def joins(terms: int) -> int:
    """Return the operations in a row that join the partial results of a reduction over `terms` vectors.

    An ALU sees its own result three cycles later, so a vector per cycle makes three of them.
    """
    return min(terms - 1, 2)


def product_latency(config: Config, dtype: str = "float16", through_vxm: bool = False) -> int:
    """Return the cycles from the first READ of weights to the end of a product of one vector.

    Parameters
    ----------
    config : Config
    dtype : str
        ``int8`` or ``float16``.
    through_vxm : bool
        It ends when the result is on the VXM's register, instead of in MEM.
    """
    table = timing(config)
    read, acc, write = table["READ"], table["ACC"], table["WRITE"]
    assert read.d_func is not None and acc.d_func is not None and write.d_skew is not None
    after = table.acc_after_abc if dtype == "int8" else table.acc_after_fp16_abc
    # From the outermost MEM slices it is two hops to the planes, and back.
    cycles = read.d_func + 2 + config.superlanes + after + acc.d_func
    if through_vxm:
        return cycles + vxm_position(config) - mxm_position(config, Hemisphere.WEST)
    return cycles + 2 - write.d_skew + write.retire


def stream_bound(config: Config, count: int, *levels: int, reads: int = 1, groups: int = 1) -> Bound:
    """Return the bound of passes over `count` vectors, of which `groups` equal parts do not depend on one another.

    Parameters
    ----------
    config : Config
    count : int
        Vectors.
    *levels : int
        Operations in a row for every pass, from a vector to its result or to what the next pass needs of the last
        vector; a pass over a group follows the one before it.
    reads : int
        Passes that read the kernel's argument, a vector per cycle from the slices that hold it. Of the other passes
        only those over the last group must come after them.
    groups : int
    """
    last = -(-count // groups)
    latencies = [pass_latency(config, level) - 1 for level in levels]

    def after(number: int) -> int:
        """Cycles to the end from the last read of pass `number`, which reads the argument like those before it."""
        return sum(latencies[number:]) + last * (len(levels) - 1 - number)

    cycles = max((number + 1) * count + after(number) for number in range(reads))
    times = f"{reads} x " if reads > 1 else ""
    limit = f"SRAM: {times}{count} vectors read, one per cycle"
    if len(levels) > 1:
        limit += f", {len(levels)} dependent passes over the last {last}"
    return Bound(cycles, f"{limit}, and the latency of {'each pass' if len(levels) > 1 else 'the first'}")
