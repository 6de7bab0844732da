"""One group of a matrix product as a macro-operation: all its weight tiles, from MEM through plane and VXM to MEM."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from arch.formats import DType
from arch.geometry import Direction, Unit, UnitKind, mxm_position, units, vxm_position
from arch.timing import timing
from compiler.ir.matmul import MatMul
from compiler.ir.tensor import as_view
from compiler.lower.mxm.epilogue import Chains
from compiler.lower.mxm.epilogue_builder import EpilogueBuilder, Exit
from compiler.lower.mxm.plan import Feeder, Load, Plan
from compiler.lower.storage import OperationStorage
from compiler.memory.accesses import Accesses
from compiler.memory.copies import Template
from compiler.memory.demand import Vectors
from compiler.schedule.flow import Flow
from compiler.schedule.macro import Action, Macro
from compiler.schedule.pattern import Pattern
from compiler.schedule.transfer import Transfers


@dataclass(frozen=True)
class Group:
    """A block of rows times one block of columns per plane, over all of K.

    Attributes
    ----------
    feeder : Feeder
    number : int
        Feeder's number in the plan.
    rows : (int, int)
        First row, rows.
    blocks : tuple of int
        Block of columns of each plane or pair.
    first_load : int
        Word of the weights (see `OperationStorage.weights`) where the group's begin.
    """

    feeder: Feeder
    number: int
    rows: tuple[int, int]
    blocks: tuple[int, ...]
    first_load: int

    def port(self, part: int) -> int:
        """Return the port of activations of a part of K."""
        return self.number * self.feeder.parts + part

    def through(self, chains: Chains) -> "Group":
        """Return it with other ALUs for the planes' sums."""
        return replace(self, feeder=replace(self.feeder, chains=chains))


def groups_of(op: MatMul, feeder: Feeder, number: int) -> list[Group]:
    """Return a feeder's groups in order of execution."""
    found = []
    for rows in feeder.blocks:
        first_load = 0
        for blocks in feeder.groups:
            found.append(Group(feeder, number, rows, blocks, first_load))
            first_load += feeder.tiles(op) * feeder.load_steps(op, blocks)
    return found


def teams_of(op: MatMul, plan: Plan) -> list[list[tuple[Group, ...]]]:
    """Return for each team of feeders, alone or all of a hemisphere, what becomes a macro-operation, in order."""
    every = [groups_of(op, feeder, number) for number, feeder in enumerate(plan.feeders)]
    if not plan.together:
        return [[(group,) for group in groups] for groups in every]
    sides = dict.fromkeys(feeder.hemisphere for feeder in plan.feeders)
    return [[*zip(*(groups for groups in every if groups[0].feeder.hemisphere is side), strict=True)] for side in sides]


def period(op: MatMul, groups: Sequence[Group]) -> int:
    """Return the cycles from one tile of groups that are side by side to the next."""
    return max(group.feeder.period(op, group.rows[1], group.blocks) for group in groups)


class GroupBuilder:
    """Builds the macro-operation of a group, or of groups that load the same weights in the same cycles.

    Tile i multiplies the activations' block i. Its ABC issues ``i * period`` cycles after the first one; the planes'
    weights come one after another, the last just in time. Pairs of planes take a row every second cycle.

    Parameters
    ----------
    op : MatMul
    placed : OperationStorage
    groups : sequence of Group
        More than one only of feeders of one hemisphere, for the same blocks of columns.
    """

    def __init__(self, op: MatMul, placed: OperationStorage, groups: Sequence[Group]) -> None:
        self._op = op
        self._config = op.config
        self._timing = timing(op.config)
        self._placed = placed
        self._groups = groups
        self._side = groups[0].feeder.hemisphere
        self._position = mxm_position(op.config, self._side)
        self._period = period(op, groups)
        self._template = Template(Macro(op.y.name))
        self._macro = self._template.macro
        self._transfers = Transfers(op.config, self._macro)
        self._epilogue = EpilogueBuilder(op, placed, self._template)
        self._outward = Direction.WEST if self._side == 0 else Direction.EAST

    def build(self) -> Template:
        """Return the template."""
        self._load_weights()
        for group in self._groups:
            activations = [self._read_activations(group, part) for part in range(group.feeder.parts)]
            for number, block in enumerate(group.blocks):
                planes = [number + part for part in range(group.feeder.parts)]
                for plane, flow in zip(planes, activations, strict=True):
                    self._multiply(group, plane, flow)
                self._deliver(group, number, planes, block)
        # The scheduler picks in this order, and wide groups find room less easily.
        self._macro.flows.sort(key=lambda flow: -flow.width)
        return self._template

    def _unit(self, kind: UnitKind, plane: int) -> Unit:
        return next(
            unit
            for unit in units(self._config)
            if (unit.kind, unit.hemisphere, unit.index) == (kind, self._side, plane)
        )

    def _load_weights(self) -> None:
        group, lanes = self._groups[0], self._config.lanes
        tiles = group.feeder.tiles(self._op)
        load = group.feeder.load_steps(self._op, group.blocks)
        skew = self._timing["LW"].d_skew
        assert skew is not None
        # A plane installs with the first ABC of a tile what is in its buffer: loading ends just before.
        first = -self._timing.install_after_load - load
        steps = (np.arange(tiles)[:, None] * self._period + np.arange(load) + first + skew).reshape(-1)
        computed = self._placed.computed
        if computed is None:
            weights = self._placed.weights[self._side]
            words = np.arange(group.first_load, group.first_load + tiles * load)
            slices, addrs, numbers = (
                weights.slices[:, words],
                weights.addrs[:, words],
                words[None].repeat(lanes, axis=0),
            )
            copy, ready, tensor = weights, np.zeros_like(numbers), None
        else:
            slices, addrs, ready, numbers = computed.words(self._op, self._load_steps())
            copy, tensor = computed.copy, as_view(self._op.w).tensor
        for way in range(group.feeder.ways):
            flow = Flow(("weights", self._side, way), self._outward, lanes)
            self._macro.flows.append(flow)
            for member in range(lanes):
                row = way * lanes + member
                self._transfers.read(flow, member, slices[row], addrs[row], steps, self._position)
                access = steps - self._transfers.read_travel(slices[row], self._position)
                found = Accesses(tensor, numbers[member], slices[row], addrs[row], access)
                self._template.reads(copy, found, ready[member])
            for at, part in self._loads(way, first):
                unit = self._unit(UnitKind.MXM_WEIGHTS, part.plane)
                action = Action(unit, "LW", at, {"count": part.steps}, {"stream": (flow, 0)}, tiles, self._period)
                self._macro.actions.append(action)
                # Until the install, another load would overwrite it.
                self._macro.holds.append((("buffer", unit.id), Pattern(at, tiles, self._period, -at)))

    def _loads(self, way: int, first: int) -> Iterator[tuple[int, Load]]:
        """Yield the loads of a way from cycle `first` on, each with its cycle; reading a stream leaves it to others."""
        for group in self._groups:
            at = first
            for load in group.feeder.loads(self._op, group.blocks)[way]:
                yield at, load
                at += load.steps

    def _load_steps(self) -> npt.NDArray[np.int64]:
        """Return block of K, first column and byte of every step in which the group's weights are loaded, one way."""
        op, lanes = self._op, self._config.lanes
        (loads,) = self._groups[0].feeder.loads(op, self._groups[0].blocks)
        return np.array(
            [
                (k_block, load.block * self._config.vector_length + lanes * column_block, load.byte)
                for k_block in range(op.k_blocks)
                for load in loads
                for column_block in reversed(range(load.steps))
            ]
        )

    def _read_activations(self, group: Group, part: int) -> Flow:
        skew = self._timing["ABC"].d_skew
        assert skew is not None
        key = group.port(part)
        flow = Flow(("activations", self._side, key), self._outward, self._op.x.itemsize)
        self._macro.flows.append(flow)
        first, rows = group.rows
        port = self._placed.ports[key]
        tiles, blocks = np.arange(group.feeder.tiles(self._op)), np.arange(part, self._op.k_blocks, group.feeder.parts)
        every = (blocks[:, None] * self._op.m + np.arange(first, first + rows)).reshape(-1)
        passing = tiles[:, None] * self._period + self._op.interval * np.arange(rows)
        arrival = passing.reshape(-1) + skew
        slices, addrs, ready = port.words()
        slices, addrs, ready = slices[:, every], addrs[:, every], ready[every]
        for member in range(flow.width):
            self._transfers.read(
                flow, member, slices[member], addrs[member], arrival, self._position, self._op.interval
            )
            access = arrival - self._transfers.read_travel(slices[member], self._position)
            self._template.reads(port.copy, port.accesses(member, every, access), ready)
        return flow

    def _multiply(self, group: Group, number: int, activations: Flow) -> None:
        tiles, rows = group.feeder.tiles(self._op), group.rows[1]
        plane = group.feeder.planes[number]
        for member in range(self._op.array):
            taken = self._unit(UnitKind.MXM_ACTIVATIONS, plane + member)
            # Through the pauses too: another install would change the weights under the rows that follow.
            self._macro.holds.append((("plane", taken.id), Pattern(0, 1, 1, tiles * self._period)))
        unit = self._unit(UnitKind.MXM_ACTIVATIONS, plane)
        fields = {"count": rows, "install": 1, "dtype": int(DType.FP16 if self._op.is_fp16 else DType.INT8)}
        streams = {"stream": (activations, 0)}
        self._macro.actions.append(
            Action(unit, "ABC", 0, fields, streams, tiles, self._period, interval=self._op.interval)
        )

    def _accumulate(self, group: Group, number: int, results: Flow) -> int:
        """Add the accumulator's part; return when its first result is on the register."""
        tiles, rows, interval = group.feeder.tiles(self._op), group.rows[1], self._op.interval
        unit = self._unit(UnitKind.MXM_RESULTS, group.feeder.planes[number])
        start = self._timing.acc_after_fp16_abc if self._op.is_fp16 else self._timing.acc_after_abc
        last = start + (tiles - 1) * self._period
        # Sums of products of the other format arrive after another latency: they must not meet these.
        whole = Pattern(start, 1, 1, last - start + (rows - 1) * interval + 1)
        self._macro.holds.append((("accumulators", unit.id), whole))
        fields = {"addr": 0, "stride": 1, "count": rows, "float": int(self._op.is_fp16)}
        if tiles > 1:
            self._macro.actions.append(Action(unit, "ACC", start, fields, interval=interval))
        # The first tile overwrites what was there, others add to it, the last one adds and emits.
        if tiles > 2:
            more = fields | {"add": 1}
            self._macro.actions.append(
                Action(unit, "ACC", start + self._period, more, {}, tiles - 2, self._period, interval=interval)
            )
        final = fields | {"add": int(tiles > 1), "emit": 1}
        self._macro.actions.append(Action(unit, "ACC", last, final, {"stream": (results, 0)}, interval=interval))
        latency = self._timing["ACC"].d_func
        assert latency is not None
        return last + latency

    def _deliver(self, group: Group, number: int, planes: Sequence[int], block: int) -> None:
        """Bring the results of planes to MEM, through the VXM where something remains to be done."""
        inward = Direction.EAST if self._side == 0 else Direction.WEST
        sums = [Flow(("results", self._side, group.feeder.planes[plane]), inward, 4) for plane in planes]
        results = sums[0]
        self._macro.flows += sums
        # All of them in the same cycles.
        emitted = max(self._accumulate(group, plane, flow) for plane, flow in zip(planes, sums, strict=True))
        first, rows = group.rows
        if self._op.epilogue is None:
            self._write(results, block * self._op.m + first + np.arange(rows), emitted, self._position)
            return
        middle = vxm_position(self._config)
        for flow in sums:
            for member in range(flow.width):
                flow.carry(member, self._position, middle, Pattern(emitted, 1, 1, rows, self._op.interval))
        mapping = group.feeder.chains[number]
        arrival = emitted + abs(middle - self._position)
        leaves = arrival + self._epilogue.latency(mapping)
        exits = []
        numbers = block * self._op.m + first + np.arange(rows)
        for start, count, direction in self._directions(numbers):
            flow = Flow(("out", self._side, results.key, direction), direction, self._op.y.itemsize)
            self._macro.flows.append(flow)
            part = numbers[start : start + count]
            self._write(flow, part, leaves + start * self._op.interval, middle)
            exits.append(Exit(start, count, flow))
        self._epilogue.build(mapping, (group.number, number), sums, arrival, (block * self._op.m + first, rows), exits)

    def _directions(self, numbers: Vectors) -> list[tuple[int, int, Direction]]:
        """Return runs of vectors (first, count) that leave the VXM in one direction."""
        # An ALU's word drives one direction. Copies that lack a row (-1) have no say.
        slices = np.max([copy.slices[0, numbers] for copy in self._placed.outputs[0]], axis=0)
        east = slices >= self._config.mem_slices
        starts = [0, *(np.flatnonzero(np.diff(east)) + 1).tolist()]
        ends = [*starts[1:], len(numbers)]
        return [
            (start, end - start, units(self._config)[int(slices[start])].outward)
            for start, end in zip(starts, ends, strict=True)
        ]

    def _write(self, flow: Flow, numbers: Vectors, first_cycle: int, source: int) -> None:
        """Write vectors to every copy; the first passes `source` in `first_cycle`."""
        # In runs of vectors that go to the same copies, since a value is carried as far as all of its copies need.
        holds = np.array([copy.slices[0, numbers] >= 0 for copy in self._placed.outputs[0]])
        starts = [0, *(np.flatnonzero((np.diff(holds, axis=1) != 0).any(axis=0)) + 1).tolist(), len(numbers)]
        for start, end in pairwise(starts):
            part = numbers[start:end]
            copies = [copy for copy, held in zip(self._placed.outputs[0], holds[:, start], strict=True) if held]
            cycles = first_cycle + self._op.interval * np.arange(start, end)
            done = []
            for member in range(self._op.y.itemsize):
                words = [(copy.slices[member, part], copy.addrs[member, part]) for copy in copies]
                done.append(self._transfers.write(flow, member, words, cycles, source, self._op.interval))
            for copy, its in zip(copies, zip(*done, strict=True), strict=True):
                self._template.writes(copy, self._op.y, part, np.array(its))
