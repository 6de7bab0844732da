"""Lower bounds of kernels that stream vectors through the VXM."""

from collections import defaultdict
from collections.abc import Sequence
from math import prod

from arch.config import HEMISPHERES, Config
from arch.formats import DType
from arch.geometry import Hemisphere, mxm_position, vxm_position
from arch.timing import timing
from compiler.library.kernel import Bound
from compiler.mesh.capability import columns_for
from compiler.mesh.graph import Graph


def vectors(config: Config, lanes: int, *steps: int) -> int:
    """Return the vectors of an array with `lanes` elements along the lane axis and `steps` along the others."""
    return -(-lanes // config.vector_length) * prod(steps)


def pass_latency(config: Config, levels: int) -> int:
    """Return the cycles from the READ of a vector to the end of the WRITE of what `levels` ALUs in a row make of it.

    MEM stands next to the VXM: one hop there, one back.
    """
    read = timing(config)["READ"]
    assert read.d_func is not None
    return read.d_func + 1 + mesh_latency(config, levels) + write_end(config)


def step_latency(config: Config, levels: int) -> int:
    """Return the cycles from the READ of a vector to the first READ of what `levels` ALUs in a row make of it.

    A hop to MEM; READ issues in the cycle in which the word passes there.
    """
    return pass_latency(config, levels) - write_end(config) + 1


def product_latency(config: Config, rows: int, k_blocks: int, columns: int, levels: int) -> int:
    """Return the cycles from the first READ of weights to the READ of the last result of a float16 product.

    `levels` ALUs in a row work on its sums.
    """
    issue, _ = product_issue(config, "float16", rows, k_blocks, columns)
    return issue + sums_latency(config, "float16", through_vxm=True) + mesh_latency(config, levels) + 1


def length_of(operations: Sequence[str]) -> int:
    """Return how many operations of a `chain` follow one another."""
    return sum(name != "+CVT" for name in operations)


def chain_levels(config: Config, operations: Sequence[str]) -> int | None:
    """Return the fewest mesh levels in which operations can follow one another; None if the mesh is too small.

    Parameters
    ----------
    config : Config
    operations : sequence of str
        Mnemonics on float32; ``CVT``; ``+CVT`` before an operation that has a float16 operand of its own, which an ALU
        of the level before converts.

    Notes
    -----
    A level stands in the mesh column after that of the level before, and some operations are built in some columns only
    (`docs/machine.md`), so that ALUs in between pass values on. A column has `alu_rows` ALUs, for one level each. All
    ways to start and to wait are tried.
    """
    columns = config.alu_cols
    best: int | None = None
    # Level reached, column of the next level, ALUs taken by column, next operation.
    pending = [(0, start, (0,) * columns, 0) for start in range(columns)]
    while pending:
        level, column, taken, number = pending.pop()
        if best is not None and level + length_of(operations[number:]) >= best:
            continue
        if number == len(operations):
            best = level
            continue
        joined = operations[number] == "+CVT"
        name = operations[number + joined]
        allowed = range(columns) if name == "CVT" else columns_for(config, name, DType.FP32, DType.FP32)
        if column in allowed:
            used = list(taken)
            used[column] += 1
            used[column - 1] += joined
            if max(used) <= config.alu_rows:
                pending.append((level + 1, (column + 1) % columns, tuple(used), number + 1 + joined))
        if number:
            used = list(taken)
            used[column] += 1
            if max(used) <= config.alu_rows:
                pending.append((level + 1, (column + 1) % columns, tuple(used), number))
    return best


def chain_bound(config: Config, steps: tuple[int, str], operations: Sequence[str]) -> Bound:
    """Return the bound of operations in a row, as of `chain_levels`, on each of many vectors.

    What the mesh has no room for at a time goes to MEM in between.

    Parameters
    ----------
    config : Config
    steps : (int, str)
        Cycles from the first vector to the last, and what limits them: `one_by_one`, or `side_by_side`.
    operations : sequence of str
    """
    cycles, limit = steps
    whole = chain_levels(config, operations)
    if whole is not None:
        return Bound(cycles - 1 + pass_latency(config, whole), f"{limit}, and the latency of the first")
    cuts = [number for number in range(1, len(operations)) if operations[number - 1] != "+CVT"]
    found = []
    for number in cuts:
        first, second = chain_levels(config, operations[:number]), chain_levels(config, operations[number:])
        if first is not None and second is not None:
            found.append(step_latency(config, first) + pass_latency(config, second))
    if not found:
        levels = length_of(operations)
        return Bound(cycles - 1 + pass_latency(config, levels), f"{limit}, and the latency of the first")
    return Bound(cycles - 1 + min(found), f"{limit}, and the latency of the first; ALUs: in two passes")


def one_by_one(count: int) -> tuple[int, str]:
    """Return the cycles in which vectors pass that are read one after another."""
    return count, f"SRAM: {count} vectors read, one per cycle"


def side_by_side(config: Config, words: int, *works: tuple[int, Graph]) -> tuple[int, str]:
    """Return the cycles in which slices read some words, and ALUs do some graphs as of `alu_cycles`, at best."""
    cycles, limit = alu_cycles(config, *works)
    reading = -(-words // config.slices), f"SRAM: {words} words read from {config.slices} slices"
    return max((cycles, f"VXM: {limit}"), reading)


def alu_cycles(config: Config, *works: tuple[int, Graph]) -> tuple[int, str]:
    """Return the cycles in which ALUs can do some graphs, each as often as said, and what limits them.

    Every operation takes an ALU for a cycle, and some are built in some columns of the mesh only.
    """
    needed: dict[tuple[int, ...], int] = defaultdict(int)
    names: dict[tuple[int, ...], set[str]] = defaultdict(set)
    for times, graph in works:
        for node in graph.nodes:
            columns = columns_for(config, node.mnemonic, node.dtype, node.out_dtype, node.relation)
            needed[columns] += times
            names[columns].add(node.mnemonic)
    needed.setdefault(tuple(range(config.alu_cols)), 0)
    found = []
    for columns in needed:
        inside = [other for other in needed if set(other) <= set(columns)]
        count, alus = sum(needed[other] for other in inside), config.alu_rows * len(columns)
        what = (
            "operations"
            if len(columns) == config.alu_cols
            else ", ".join(sorted({name for other in inside for name in names[other]}))
        )
        found.append((-(-count // alus), f"{count} {what} on {alus} ALUs"))
    return max(found)


def write_end(config: Config) -> int:
    """Return the cycles from a result on the VXM's register to the end of its WRITE."""
    write = timing(config)["WRITE"]
    assert write.d_skew is not None
    return 1 - write.d_skew + write.retire


def product_bound(config: Config, dtype: str, rows: int, k: int, n: int, levels: int | None = None) -> Bound:
    """Return the bound of a product of a (rows, k) and a (k, n) matrix, and of `levels` ALUs in a row behind it.

    Without ALUs (None) sums go from the planes to MEM. Planes may share out the terms of sums, which then takes an ALU
    more, to add theirs.
    """
    units = config.planes // (2 if dtype == "float16" else 1)
    tiles = vectors(config, k) * vectors(config, n)
    found = []
    for whole in (True, False):
        cycles, limit = product_issue(config, dtype, rows, vectors(config, k), n, whole=whole)
        alus = levels if whole else (levels or 0) + 1
        cycles += sums_latency(config, dtype, through_vxm=alus is not None)
        if alus is not None:
            cycles += mesh_latency(config, alus)
        # From the planes MEM is two hops away, from the VXM one.
        found.append((cycles + write_end(config) + (alus is None), limit))
    cycles, limit = min(found)
    arrays = "pairs" if dtype == "float16" else "planes"
    what = f"{rows} vectors through {tiles} tiles of weights on {units} {arrays}"
    return Bound(cycles, f"{limit}: {what}, and the latency of the first")


def product_issue(
    config: Config, dtype: str, rows: int, k_blocks: int, n: int, more_words: int = 0, whole: bool = False
) -> tuple[int, str]:
    """Return the cycles from the first READ of weights to the last ABC of a product, and what limits it.

    MXM: an array (a plane, or a pair for float16) starts with the first columns of its weights and has the `lanes`
    columns of one step more every step, so that it loses half of each step until its tile is whole. Streams: weights of
    `ways` steps at a time, in each hemisphere, come from ``ways * lanes`` slices, of which `slices_per_hop` are equally
    far away; where these are all streams, activations need some of their cycles. SRAM: a slice reads a word per cycle:
    of weights, of activations (every array of a hemisphere can take them from the same streams), and `more_words` of
    what else is read before the end. Where sums are `whole`, an array takes all of K for a vector of results: it loads
    that many tiles one after another, and rows are not divided.
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
    loads = 0
    if whole:
        elements = size * k_blocks * -(-rows * blocks // units)
        # One array has so many blocks of columns at least, at best the narrow one among them; another one a wide one.
        share = -(-blocks // units)
        loads = k_blocks * max(steps, columns - (blocks - share) * steps)
    activations = rows * k_blocks * -(-blocks * size // config.planes_per_hemisphere)
    words = size * (k_blocks * columns * config.lanes + activations) + more_words
    found = []
    for ways in range(1, min(config.streams // config.lanes, config.planes_per_hemisphere) + 1):
        first = read.d_func + 1 + -(-ways * config.lanes // config.slices_per_hop) - load.d_skew
        step = size / min(ways, size)
        limits = {
            "MXM": int(first + step + (steps - 1) * step / 2 + elements - size),
            "weights of a plane": first + int(loads * step),
            "streams": first + _streaming(config, size, ways, k_blocks * columns, rows * k_blocks * blocks, steps),
            "SRAM": first + -(-words // config.slices),
        }
        limit = max(limits, key=lambda name: limits[name])
        found.append((limits[limit], limit))
    return min(found)


def _streaming(config: Config, size: int, ways: int, columns: int, elements: int, steps: int) -> int:
    """Return the cycles from the first LW to the last ABC that streams leave no way around; both hemispheres work.

    Parameters
    ----------
    config : Config
    size : int
        Bytes of an element.
    ways : int
        LWs at a time.
    columns : int
        Steps of LWs, of one byte.
    elements : int
        Vectors of activations that arrays take, in all.
    steps : int
        Steps of a tile.

    Notes
    -----
    Where LWs take all outward streams, a cycle that brings activations has one LW less. Planes that each load a tile in
    one step must have their activations between two such steps, in a cycle that has a stream for these: so as many
    planes as ways gain nothing by loading at the same time but the first time.
    """
    loads = size * columns
    if ways * config.lanes < config.streams or ways == 1:
        return -(-loads // (HEMISPHERES * ways))
    if steps == size == 1 and ways == config.planes_per_hemisphere:
        return -(-loads // HEMISPHERES) - 1
    # All arrays of a hemisphere may take the same activations.
    arrays = config.planes_per_hemisphere // size
    taken = loads + -(-elements // arrays)
    return -(-taken // (HEMISPHERES * ways)) - 1


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


def stream_bound(config: Config, count: int, *passes: Sequence[str], groups: int = 1) -> Bound:
    """Return the bound of passes over `count` vectors, of which `groups` equal parts do not depend on one another.

    Parameters
    ----------
    config : Config
    count : int
        Vectors.
    *passes : sequence of str
        Operations in a row of every pass, as of `chain`: from a vector to its result, or to what the next pass needs of
        the last vector.
    groups : int

    Notes
    -----
    A pass takes a vector per cycle. Passes run at the same time, each from a copy of its own, but none begins with a
    group before it has what the pass before makes of all of that group: for the group that is read last, the passes
    follow one another. What a pass needs of the one before may come from ALU to ALU, everything else from MEM in time.
    """
    last = -(-count // groups)
    levels = sum(length_of(operations) for operations in passes)
    steps, reads = one_by_one(count)
    cycles = steps - 1 + (last - 1) * (len(passes) - 1) + pass_latency(config, levels)
    if len(passes) > 1:
        dependent = f"{len(passes)} dependent passes over the last {last}, and the latency of all"
        return Bound(cycles, f"{reads}, {dependent}")
    return Bound(cycles, f"{reads}, and the latency of the first")
