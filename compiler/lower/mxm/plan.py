"""Plans: ways to share out a matrix product among the planes."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from arch.geometry import Hemisphere
from arch.timing import timing
from compiler.ir.matmul import MatMul
from compiler.lower.mxm.epilogue import Chains, chains, is_of_sums
from compiler.mesh.mapping import Mapping


@dataclass(frozen=True)
class Load:
    """Weights of one tile that one plane loads: byte `byte` of the columns of block `block`, in `steps` steps.

    Of planes that share out K, it is of their part `part`.
    """

    plane: int
    byte: int
    block: int
    steps: int
    part: int = 0


@dataclass(frozen=True)
class Feeder:
    """Planes of one hemisphere that share streams of activations.

    Attributes
    ----------
    hemisphere : Hemisphere
    planes : tuple of int
        Plane numbers in the hemisphere; of a pair the first plane's.
    blocks : tuple of (int, int)
        Blocks of rows that the accumulator memory holds at a time: first row, rows.
    groups : tuple of tuple of int
        Blocks of columns computed at a time, one per plane or pair used.
    chains : tuple of Mapping
        The VXM's part for each plane; empty when sums go to MEM as they are.
    ways : int
        Groups of `lanes` streams over which weights come at a time.
    alternatives : tuple of Chains
        `chains`, then others that do the same in other ALUs.
    parts : int
        Planes that share out the blocks of K, in turn, so that the first of these are first; each has its own
        activations, and an ALU adds their sums.
    """

    hemisphere: Hemisphere
    planes: tuple[int, ...]
    blocks: tuple[tuple[int, int], ...]
    groups: tuple[tuple[int, ...], ...]
    chains: tuple[Mapping, ...]
    ways: int = 1
    alternatives: tuple[Chains, ...] = ((),)
    parts: int = 1

    def tiles(self, op: MatMul) -> int:
        """Return the tiles that a plane takes for a group, one after another."""
        return op.k_blocks // self.parts

    def loads(self, op: MatMul, group: tuple[int, ...]) -> list[list[Load]]:
        """Return the loads of a group's tile, one list per way; the ways take equally long."""
        found = [
            Load(plane + byte, byte, block, op.load_steps(block), part)
            for part in range(self.parts)
            for plane, block in zip(self.planes[part:], group, strict=False)
            for byte in range(op.array)
        ]
        return [found[way :: self.ways] for way in range(self.ways)]

    def load_steps(self, op: MatMul, group: tuple[int, ...]) -> int:
        """Return the cycles that loading a group's tile takes."""
        return max(sum(load.steps for load in way) for way in self.loads(op, group))

    def period(self, op: MatMul, rows: int, group: tuple[int, ...]) -> int:
        """Return the cycles from one weight tile to the next: its rows, or loading the next one if that is longer.

        Where weights take up all streams, the two come after each other.
        """
        load = self.load_steps(op, group) + timing(op.config).install_after_load
        if self.ways * op.config.lanes == op.config.streams:
            return (rows - 1) * op.interval + 1 + load
        return max(rows * op.interval, load)


@dataclass(frozen=True)
class Plan:
    """A way to compute one product.

    Attributes
    ----------
    feeders : tuple of Feeder
        Feeders of one hemisphere have the same groups, and use the same copy of the weights.
    estimate : int
        Rough cycles, to choose by.
    planes : int
        Planes used.
    joint : bool
        Both hemispheres' weights come from the same slices, one after the other's: that leaves slices for operands of
        the epilogue.
    together : bool
        Feeders of a hemisphere take their weights from the same streams in the same cycles.
    """

    feeders: tuple[Feeder, ...]
    estimate: int
    planes: int
    joint: bool = False
    together: bool = False

    mappings = None
    """Its epilogue takes the ALUs of its feeders."""


def plans(op: MatMul) -> list[Plan]:
    """Return every way to share out a product, the most promising first; none when the epilogue does not fit."""
    ways: list[Chains] = [()] if op.epilogue is None else chains(op)
    found = [
        plan
        for mesh in ways
        for shape in _shapes(op)
        for joint in _joint(op, shape[0])
        if (plan := _plan(op, mesh, *shape, joint)) is not None
    ]

    def cost(plan: Plan) -> tuple[int, int]:
        crowding = plan.estimate // _CROWDED if _crowds(op, plan) else 0
        # Of equals what takes less text.
        return plan.estimate + crowding, len(plan.feeders)

    return sorted([*found, *_plans_in_parts(op)], key=cost)


_CROWDED = 64
"""Part of a product's cycles that slices which its weights leave to others are worth."""


def _crowds(op: MatMul, plan: Plan) -> bool:
    """Return whether weights take most slices now and then, so that nothing finds one to read all of the time."""
    ways = {feeder.hemisphere: feeder.ways for feeder in plan.feeders}.values()
    slices = op.config.lanes * (max(ways) if plan.joint else sum(ways))
    first = plan.feeders[0]
    rows = sum(count for _, count in first.blocks) // len(first.blocks)
    return slices > op.config.slices // 2 and rows * op.interval > 2 * first.load_steps(op, first.groups[0])


_PARTS = 2
"""Planes that share out K."""


def _plans_in_parts(op: MatMul) -> Iterator[Plan]:
    """Yield plans in which two planes share out K.

    That takes an ALU more, so only where planes would idle otherwise; and other sums than int32, which wrap, depend on
    their order.
    """
    idle = op.m * op.n_blocks * _PARTS <= min(op.planes, op.config.planes)
    if op.epilogue is None or op.computed or op.is_fp16 or op.k_blocks % _PARTS or not idle:
        return
    for mesh in chains(op, _PARTS):
        for hemispheres in (1, 2):
            for rows_out in (True, False)[:hemispheres]:
                for ways in range(1, min(op.ways, _PARTS, op.config.streams // op.config.lanes) + 1):
                    sides = (ways,) * hemispheres
                    plan = _plan(op, mesh, hemispheres, 1, rows_out, False, sides, joint=False, parts=_PARTS)
                    if plan is not None:
                        yield plan


def _joint(op: MatMul, hemispheres: int) -> tuple[bool, ...]:
    """Return whether hemispheres may load weights from the same slices, as they do those of results."""
    if hemispheres == 1:
        return (False,)
    return (True,) if op.computed else (False, True)


def _shapes(op: MatMul) -> Iterator[tuple[int, int, bool, bool, tuple[int, ...]]]:
    """Yield hemispheres, arrays in each, whether hemispheres share out rows, whether their arrays do, and their ways.

    Where weights are the limit, and there are not enough MEM slices for more ways in both hemispheres, one of them can
    have more than the other, and more columns.
    """
    # In one way at a time, both bytes of weights come after each other, as those of results must.
    steps = op.load_steps(0)
    config = op.config
    for hemispheres in (1, 2):
        for arrays in range(1, op.config.planes_per_hemisphere // op.array + 1):
            if hemispheres * arrays * op.array <= op.planes:
                for rows_out in (True, False)[:hemispheres]:
                    for rows_in in (True, False)[:arrays]:
                        # Planes that share activations load at the same time, each byte over streams of its own.
                        planes = op.array * (1 if rows_in else arrays)
                        most_ways = 1 if op.computed else min(op.ways, planes, config.streams // config.lanes)
                        for ways in range(1, most_ways + 1):
                            # More than fits is sorted out by `_plan`.
                            yield hemispheres, arrays, rows_out, rows_in, (ways,) * hemispheres
                            if hemispheres > 1 and ways > 1 and not rows_out and op.m * op.interval < op.array * steps:
                                yield hemispheres, arrays, rows_out, rows_in, (ways, ways - 1)


def _plan(
    op: MatMul,
    mesh: Chains,
    hemispheres: int,
    arrays: int,
    rows_out: bool,
    rows_in: bool,
    ways: tuple[int, ...],
    joint: bool,
    parts: int = 1,
) -> Plan | None:
    config = op.config
    whole_rows = 0, op.m
    row_parts = _split(whole_rows, hemispheres) if rows_out else [whole_rows] * hemispheres
    shared = 1 if rows_in else arrays
    # Of a format that planes take, results are mostly read by another product.
    alike = op.y.dtype == op.x.dtype and len(set(ways)) == 1
    block_parts = [[*range(op.n_blocks)]] * hemispheres
    if not rows_out:
        block_parts = _in_turn(op.n_blocks, hemispheres, shared) if alike else _in_parts(op.n_blocks, ways)
    # Planes of a group emit at the same time: each needs ALUs of its own.
    if mesh and len(mesh) < shared:
        return None
    feeders: list[Feeder] = []
    for side in range(hemispheres):
        blocks = block_parts[side]
        groups = tuple(tuple(blocks[i : i + shared]) for i in range(0, len(blocks), shared))
        for number, part in enumerate(_split(row_parts[side], arrays) if rows_in else [row_parts[side]]):
            if not part[1] or not groups:
                return None
            turn = len(feeders) * shared
            # Chains in turn: feeders that run side by side use different ALUs.
            alternatives = [
                tuple(mesh[(turn + start + i) % len(mesh)] for i in range(shared)) for start in range(len(mesh))
            ]
            feeders.append(
                Feeder(
                    Hemisphere(side),
                    tuple(op.array * array for array in ((number,) if rows_in else range(arrays * parts))),
                    tuple(_split(part, -(-part[1] // config.acc_depth))),
                    groups,
                    alternatives[0] if mesh else (),
                    ways[side],
                    tuple(alternatives) or ((),),
                    parts,
                )
            )
    # Planes would idle: a plan with fewer of them is the same.
    if shared > len(feeders[0].groups[0]):
        return None
    if not _has_slices(op, feeders, joint):
        return None
    used = op.array * sum(len(feeder.planes) for feeder in feeders)
    # Side by side they emit at the same time too, so that each needs ALUs of its own.
    turns = {len(feeder.blocks) for feeder in feeders}
    together = rows_in and arrays > 1 and len(turns) == 1 and (not mesh or len(mesh) >= arrays)
    return Plan(tuple(feeders), _estimate(op, feeders, mesh, joint, together), used, joint, together)


def _has_slices(op: MatMul, feeders: list[Feeder], joint: bool) -> bool:
    """Return whether there are MEM slices for all that is read at the same time; what ALUs keep finds room beside."""
    config = op.config
    # Feeders read their own copies of activations: two of them would have to read one slice in different cycles.
    needed = sum(feeder.parts for feeder in feeders) * op.x.itemsize
    ways = {feeder.hemisphere: feeder.ways for feeder in feeders}.values()
    needed += config.lanes * (max(ways) if joint or op.computed else sum(ways))
    for mapping in (mapping for feeder in feeders for mapping in feeder.chains):
        assert op.epilogue is not None
        for number, stream in enumerate(mapping.streams):
            if not is_of_sums(op, stream) and not mapping.holds(number):
                needed += op.epilogue.operands[stream.port].tensor.itemsize
    return needed <= config.slices


def _estimate(op: MatMul, feeders: list[Feeder], mesh: Chains, joint: bool, together: bool) -> int:
    busiest = 0
    loads = dict.fromkeys(Hemisphere, 0)
    vectors = 0
    loaded: set[Hemisphere] = set()
    for feeder in feeders:
        cycles = 0
        shared = together and feeder.hemisphere in loaded
        loaded.add(feeder.hemisphere)
        for _, rows in feeder.blocks:
            for group in feeder.groups:
                cycles += feeder.tiles(op) * feeder.period(op, rows, group)
                loads[feeder.hemisphere] += 0 if shared else feeder.tiles(op) * feeder.load_steps(op, group)
                vectors += rows * len(group)
        busiest = max(busiest, cycles)
    # Planes, loads and VXM work side by side, so that the slowest decides; the rest is what fills them.
    through_vxm = 0
    if mesh:
        # An ALU that keeps a word does nothing else between two rows.
        keeps = any(cell.node.holds for cell in mesh[0].cells)
        through_vxm = -(-vectors // len(mesh)) * (op.interval if keeps else 1)
    # Two feeders of a hemisphere that load by themselves share its streams and slices: they are apt to wait for each
    # other.
    crowding = 0 if together else len(feeders) - len(loaded)
    first_load = feeders[0].load_steps(op, feeders[0].groups[0]) if op.is_fp16 or joint else 0
    used = sum(len(feeder.planes) for feeder in feeders)
    if joint:
        return max(busiest, sum(loads.values()), through_vxm) + 2 * first_load + 4 * used + 8 * crowding
    return max(busiest, *loads.values(), through_vxm) + first_load + 4 * used + 8 * crowding


def _in_parts(count: int, weights: tuple[int, ...]) -> list[list[int]]:
    """Share out blocks of columns in proportion to some weights."""
    bounds = [count * sum(weights[:part]) // sum(weights) for part in range(len(weights) + 1)]
    return [[*range(low, high)] for low, high in pairwise(bounds)]


def _in_turn(count: int, sides: int, shared: int) -> list[list[int]]:
    """Share out blocks of columns evenly, `shared` of them at a time.

    So the first ones are ready first, which is where a product that reads them begins.
    """
    sizes = [len(part) for part in _in_parts(count, (1,) * sides)]
    found: list[list[int]] = [[] for _ in sizes]
    first = 0
    while first < count:
        for own, size in zip(found, sizes, strict=True):
            taken = min(shared, size - len(own))
            own += range(first, first + taken)
            first += taken
    return found


def _split(whole: tuple[int, int], parts: int) -> list[tuple[int, int]]:
    """Share out (first, count) evenly."""
    first, count = whole
    bounds = [first + count * part // parts for part in range(parts + 1)]
    return [(low, high - low) for low, high in pairwise(bounds)]
