"""Lower bounds of kernels that stream vectors through the VXM."""

from math import prod

from arch.config import HEMISPHERES, Config
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
    read, write = timing(config)["READ"], timing(config)["WRITE"]
    assert read.d_func is not None and write.d_skew is not None
    return read.d_func + 1 + mesh_latency(config, levels) + 1 - write.d_skew + write.retire


def joins(terms: int) -> int:
    """Return the operations in a row that join the partial results of a reduction over `terms` vectors.

    An ALU sees its own result three cycles later, so a vector per cycle makes three of them.
    """
    return min(terms - 1, 2)


def product_bound(config: Config, dtype: str, rows: int, k: int, n: int, levels: int | None = None) -> Bound:
    """Return the bound of a product of a (rows, k) and a (k, n) matrix, of which `levels` ALUs in a row make the result.

    The result goes to MEM as it is if `levels` is None.
    """
    units = config.planes // (2 if dtype == "float16" else 1)
    tiles = vectors(config, k) * vectors(config, n)
    cycles, weights_limit = product_issue(config, dtype, rows, vectors(config, k), n)
    table = timing(config)
    write = table["WRITE"]
    assert write.d_skew is not None
    cycles += sums_latency(config, dtype, through_vxm=levels is not None)
    if levels is not None:
        cycles += mesh_latency(config, levels)
    # MEM is one hop from the VXM, two from the planes.
    cycles += (2 if levels is None else 1) - write.d_skew + write.retire
    what = "streams: weights of" if weights_limit else f"MXM: {rows} vectors through"
    arrays = "pairs" if dtype == "float16" else "planes"
    return Bound(cycles, f"{what} {tiles} tiles of weights on {units} {arrays}, and the latency of the first")


def product_issue(config: Config, dtype: str, rows: int, k_blocks: int, n: int) -> tuple[int, bool]:
    """Return the cycles from the first READ of weights to the last ABC of a product, and whether weights are the limit.

    An array (a plane, or a pair for float16) starts with the first columns of its weights and has all `lanes` of one
    step more every step, so that it loses half of each step until its tile is whole. Weights of `ways` steps at a time
    come from ``ways * lanes`` slices of a hemisphere, of which `slices_per_hop` are equally far away.
    """
    table = timing(config)
    read, load = table["READ"], table["LW"]
    assert read.d_func is not None and load.d_skew is not None
    size = 2 if dtype == "float16" else 1
    units = config.planes // size
    blocks = vectors(config, n)
    steps = -(-min(n, config.vector_length) // config.lanes)
    columns = -(-n // config.lanes)
    elements = -(-size * rows * k_blocks * blocks // units)
    found = []
    for ways in range(1, min(config.streams // config.lanes, config.planes_per_hemisphere) + 1):
        first = read.d_func + 1 + -(-ways * config.lanes // config.slices_per_hop) - load.d_skew
        step = size / min(ways, size)
        compute = first + step + (steps - 1) * step / 2 + elements - size
        loaded = first + -(-size * k_blocks * columns // (HEMISPHERES * ways))
        found.append((max(int(compute), loaded), loaded > compute))
    return min(found)


def sums_latency(config: Config, dtype: str, through_vxm: bool) -> int:
    """Return the cycles from the issue of an ABC to the first sum on the register at the planes, or at the VXM."""
    table = timing(config)
    accumulate = table["ACC"]
    assert accumulate.d_func is not None
    cycles = (table.acc_after_abc if dtype == "int8" else table.acc_after_fp16_abc) + accumulate.d_func
    if through_vxm:
        cycles += vxm_position(config) - mxm_position(config, Hemisphere.WEST)
    return cycles


def mesh_latency(config: Config, levels: int) -> int:
    """Return the cycles from a vector on the VXM's register to the result of `levels` ALUs in a row on it."""
    table = timing(config)
    alu = table["PASS"]
    assert alu.d_func is not None and alu.d_skew is not None
    return (levels - 1) * table.chain + alu.d_func - alu.d_skew


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
