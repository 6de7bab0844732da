"""Who reads which vectors of a tensor, in which order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arch.geometry import Hemisphere
from compiler.gather.operation import Gather
from compiler.kernels.plan import Feeder, Plan
from compiler.operation import MatMul
from compiler.placement.layout import Cycles, Layout, Numbers
from compiler.scatter.operation import SOURCE_SIDE, Scatter
from compiler.switch.operation import Switch
from compiler.tensor import Elements, Tensor, as_view
from compiler.vector.lanes import distinct, find_vectors, vectors_along, weight_vectors
from compiler.vector.operation import Pass
from compiler.vector.plan import PassPlan
from compiler.vector.steps import reading_cycles

Vectors = npt.NDArray[np.int64]
Key = int | tuple[int, ...]
Work = list[tuple[MatMul | Pass, Plan | PassPlan]]


@dataclass(frozen=True, eq=False)
class Demand:
    """A port of an operation.

    Attributes
    ----------
    op : MatMul or Pass
    key : int or tuple of int
        Number of the feeder of a MatMul or of the stream of a Pass. Of an epilogue: feeder, plane and stream; or the
        port alone, if ALUs keep what it carries, so that all planes share it.
    tensor : Tensor
        What it reads.
    steps : ndarray of int64
        Number of the vector of each step, among `elements` or, without, the tensor's own; -1 for a vector of zeros.
        Steps of a MatMul are its blocks of K times its rows.
    used : ndarray of int64
        The steps that the port reads, in order.
    elements : ndarray of int32, shape (u, vector_length), or None
        Vectors that the host writes.
    near : Hemisphere or None
        Where the reader stands.
    reads : tuple of ndarray of int64
        Of what a pass reads now and then: the cycles, relative to its start, in each of its mappings and paces.
    serial : bool
        The bytes of an element are read one after another: they may lie in one slice.
    side : Hemisphere or None
        Where the vectors must be.
    columns : int
        Of weights, their columns: step ``block * columns + n`` reads block `block` of column n. Otherwise 0.
    """

    op: MatMul | Pass
    key: Key
    tensor: Tensor
    steps: Vectors
    used: Vectors
    elements: Elements | None = None
    near: Hemisphere | None = None
    reads: tuple[Vectors, ...] = ()
    serial: bool = False
    side: Hemisphere | None = None
    columns: int = 0

    @property
    def in_mesh(self) -> bool:
        """Whether ALUs read it: all from one direction."""
        return self.of_epilogue or (isinstance(self.op, Pass) and self.op.in_mesh)

    @property
    def of_epilogue(self) -> bool:
        """Whether it belongs to a MatMul's epilogue."""
        return isinstance(self.key, tuple)

    @property
    def is_kept(self) -> bool:
        """Whether ALUs keep its vectors, so that they are read now and then."""
        return isinstance(self.key, tuple) and len(self.key) == 1

    @property
    def is_rare(self) -> bool:
        """Whether a pass reads it with pauses in between."""
        return bool(self.reads)

    @property
    def order(self) -> Vectors:
        """Vectors in the order in which they are first read, zeros left out."""
        numbers = self.steps[self.used]
        numbers = numbers[numbers >= 0]
        _, first = np.unique(numbers, return_index=True)
        return numbers[np.sort(first)]

    def slots_of(self, vectors: Vectors) -> Vectors:
        """Return which of the slices that are read together has the low byte of each of some vectors of weights.

        Neighbouring columns differ, and so do neighbouring blocks of a column, which planes may write together.
        """
        places = np.zeros(int(self.steps.max()) + 1, np.int64)
        block, column = np.divmod(np.arange(len(self.steps)), self.columns)
        read = self.steps >= 0
        places[self.steps[read]] = (block + column)[read]
        return places[vectors] % self.op.config.lanes

    def apart(self, other: "Demand") -> bool:
        """Return whether two ports of a pass are read so rarely that they never meet: one slice can hold both."""
        if self.op is not other.op or not self.is_rare or not other.is_rare:
            return False
        return not any(np.isin(mine, theirs).any() for mine, theirs in zip(self.reads, other.reads, strict=True))

    @property
    def zeros(self) -> bool:
        """Whether vectors of zeros are read."""
        return bool((self.steps[self.used] < 0).any())


@dataclass
class Port:
    """Where the vectors of a demand are: a copy of the tensor, and a word per byte that holds zeros."""

    demand: Demand
    layout: Layout
    zero_slices: Numbers
    zero_addrs: Numbers

    def words(self) -> tuple[Numbers, Numbers, Cycles]:
        """Return slices and addrs, shape (bytes, steps), and the cycles from which they can be read, shape (steps,)."""
        slices, addrs, ready = self.layout.flat
        steps = self.demand.steps
        zero = steps < 0
        if not zero.any():
            return slices[:, steps], addrs[:, steps], ready[steps]
        return (
            np.where(zero, self.zero_slices[:, None], slices[:, steps]),
            np.where(zero, self.zero_addrs[:, None], addrs[:, steps]),
            np.where(zero, 0, ready[steps]),
        )

    @property
    def slices(self) -> set[int]:
        """Slices that are read."""
        used = self.words()[0][:, self.demand.used]
        return {int(number) for number in np.unique(used) if number >= 0}


def demands_of(op: MatMul | Pass, plan: Plan | PassPlan, stored: Callable[[Tensor], bool]) -> Iterator[Demand]:
    """Yield the ports of an operation: one per feeder of a MatMul and those of its epilogue, one per stream of a Pass.

    Table and indices of a Gather, and weights that the host writes, are not among them.
    """
    if isinstance(op, Switch):
        for key, operand in enumerate(op.operands):
            serial = op.is_serial(key)
            used = np.arange(op.steps if serial or op.register is None else 1)
            yield Demand(op, key, operand.tensor, operand.steps, used, operand.vectors, serial=serial)
        return
    if isinstance(op, Gather):
        return
    if isinstance(op, Scatter):
        for key, operand in enumerate(op.operands):
            used = np.arange(op.steps)
            yield Demand(op, key, operand.tensor, operand.steps, used, operand.vectors, side=SOURCE_SIDE)
        return
    if isinstance(op, Pass):
        assert isinstance(plan, PassPlan)
        first = plan.mappings[0]
        rare = [
            op.pauses or first.holds(key) or (op.turn > 1 and not op.graph.repeats(stream.port))
            for key, stream in enumerate(first.streams)
        ]
        ways = [(pace, mapping) for pace in plan.paces(op) for mapping in plan.mappings] if any(rare) else []
        cycles = [reading_cycles(pace, mapping) for pace, mapping in ways]
        for key, stream in enumerate(first.streams):
            operand = op.operands[stream.port]
            reads = tuple(streams[key] for streams in cycles) if rare[key] else ()
            used = np.arange(op.steps)
            yield Demand(op, key, operand.tensor, operand.steps, used, operand.vectors, reads=reads)
        return
    assert isinstance(plan, Plan)
    view = as_view(op.x)
    wanted = vectors_along(view.elements, -1, op.config.vector_length)
    elements: Elements | None
    if stored(view.tensor):
        elements, steps = None, find_vectors(view.tensor, wanted, op.config.vector_length)
    elif isinstance(op.x, Tensor):
        elements, steps = np.maximum(wanted, -1), np.arange(len(wanted))
    else:
        elements, steps = distinct(np.maximum(wanted, -1))
    for key, feeder in enumerate(plan.feeders):
        yield Demand(op, key, view.tensor, steps, _reading_order(op, feeder), elements, feeder.hemisphere)
    if op.computed:
        weights = as_view(op.w)
        steps = weight_vectors(weights, op.config.vector_length)
        yield Demand(op, len(plan.feeders), weights.tensor, steps, np.arange(len(steps)), columns=op.n)
    if op.epilogue is not None:
        yield from _demands_of_epilogue(op, plan)


def _demands_of_epilogue(op: MatMul, plan: Plan) -> Iterator[Demand]:
    assert op.epilogue is not None
    kept: set[int] = set()
    for number, feeder in enumerate(plan.feeders):
        for plane, mapping in enumerate(feeder.chains):
            steps = _emitting_order(op, feeder, plane)
            for place, stream in enumerate(mapping.streams):
                operand = op.epilogue.operands[stream.port]
                key: Key = (number, plane, place)
                used = steps
                if mapping.holds(place):
                    key, used = (stream.port,), np.arange(op.n_blocks) * op.m
                if stream.port != op.sum_port and stream.port not in kept:
                    yield Demand(op, key, operand.tensor, operand.steps, used, operand.vectors)
                if mapping.holds(place):
                    kept.add(stream.port)


def _reading_order(op: MatMul, feeder: Feeder) -> Vectors:
    """Return the steps of activations in the order in which a feeder reads them."""
    return np.concatenate(
        [
            (np.arange(op.k_blocks)[:, None] * op.m + np.arange(first, first + count)).reshape(-1)
            for first, count in feeder.blocks
        ]
    )


def _emitting_order(op: MatMul, feeder: Feeder, plane: int) -> Vectors:
    """Return the sums that a plane of a feeder emits, in order."""
    return np.concatenate(
        [
            group[plane] * op.m + np.arange(first, first + count)
            for first, count in feeder.blocks
            for group in feeder.groups
            if plane < len(group)
        ]
    )
