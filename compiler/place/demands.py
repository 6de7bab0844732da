"""Demands of each kind of operation."""

from collections.abc import Callable, Iterator

import numpy as np

from compiler.ir.lanes import distinct, find_vectors, vectors_along, weight_vectors
from compiler.ir.matmul import MatMul
from compiler.ir.scatter import SOURCE_SIDE, Scatter
from compiler.ir.switch import Switch
from compiler.ir.tensor import Elements, Tensor, as_view
from compiler.ir.vector import Pass
from compiler.lower.mxm.epilogue import is_of_sums
from compiler.lower.mxm.plan import Feeder, Plan
from compiler.lower.vxm.plan import PassPlan
from compiler.lower.vxm.steps import reading_cycles
from compiler.memory.demand import Demand, Key, Vectors


def demands_of_switch(op: Switch) -> Iterator[Demand]:
    """Yield the demands of a switch operation: one per operand."""
    for key, operand in enumerate(op.operands):
        serial = op.is_serial(key)
        used = np.arange(op.steps if serial or op.register is None else 1)
        yield Demand(op, key, operand.tensor, operand.steps, used, operand.vectors, serial=serial, cycles=op.duration)


def demands_of_scatter(op: Scatter) -> Iterator[Demand]:
    """Yield the demands of a Scatter: rows and indices, both from one side."""
    for key, operand in enumerate(op.operands):
        used = np.arange(op.steps)
        yield Demand(
            op, key, operand.tensor, operand.steps, used, operand.vectors, side=SOURCE_SIDE, cycles=op.duration
        )


def demands_of_pass(op: Pass, plan: PassPlan) -> Iterator[Demand]:
    """Yield the demands of a pass through the VXM: one per stream."""
    # Mappings of one plan have the same streams: one speaks for all.
    first = plan.mappings[0]
    sparse = [
        op.pauses or first.holds(key) or (op.turn > 1 and not op.graph.repeats(stream.port))
        for key, stream in enumerate(first.streams)
    ]
    # Mapping and pace are chosen when the time is known. Ports may share a slice only if they never meet in any.
    ways = [(pace, mapping) for pace in plan.paces(op) for mapping in plan.mappings] if any(sparse) else []
    cycles = [reading_cycles(pace, mapping) for pace, mapping in ways]
    for key, stream in enumerate(first.streams):
        operand = op.operands[stream.port]
        reads = tuple(streams[key] for streams in cycles) if sparse[key] else ()
        used = np.arange(op.steps)
        yield Demand(
            op,
            key,
            operand.tensor,
            operand.steps,
            used,
            operand.vectors,
            reads=reads,
            in_mesh=True,
            cycles=op.duration,
        )


def demands_of_product(op: MatMul, plan: Plan, stored: Callable[[Tensor], bool]) -> Iterator[Demand]:
    """Yield the demands of a product, weights that the host writes apart: one per feeder, and those of its epilogue."""
    view = as_view(op.x)
    wanted = vectors_along(view.elements, -1, op.config.vector_length)
    elements: Elements | None
    if stored(view.tensor):
        elements, steps = None, find_vectors(view.tensor, wanted, op.config.vector_length)
    elif isinstance(op.x, Tensor):
        elements, steps = np.maximum(wanted, -1), np.arange(len(wanted))
    else:
        # Views may have a vector many times, as windows do: the host writes it once.
        elements, steps = distinct(np.maximum(wanted, -1))
    for number, feeder in enumerate(plan.feeders):
        for part in range(feeder.parts):
            key, order = number * feeder.parts + part, _reading_order(op, feeder, part)
            yield Demand(op, key, view.tensor, steps, order, elements, feeder.hemisphere)
    if op.computed:
        weights = as_view(op.w)
        steps = weight_vectors(weights, op.config.vector_length)
        yield Demand(op, len(plan.feeders), weights.tensor, steps, np.arange(len(steps)), columns=op.n)
    if op.epilogue is not None:
        yield from _demands_of_epilogue(op, plan)


def _demands_of_epilogue(op: MatMul, plan: Plan) -> Iterator[Demand]:
    assert op.epilogue is not None
    stationary: set[int] = set()
    for number, feeder in enumerate(plan.feeders):
        for plane, mapping in enumerate(feeder.chains):
            steps = _emitting_order(op, feeder, plane)
            if not len(steps):
                continue
            for place, stream in enumerate(mapping.streams):
                if is_of_sums(op, stream):
                    continue
                operand = op.epilogue.operands[stream.port]
                key: Key = (number, plane, place)
                used = steps
                if mapping.holds(place):
                    # ALUs hold it while the rows of a block pass: one read per block, in a port that all planes
                    # share.
                    key, used = (stream.port,), np.arange(op.n_blocks) * op.m
                if stream.port not in stationary:
                    yield Demand(op, key, operand.tensor, operand.steps, used, operand.vectors, in_mesh=True)
                if mapping.holds(place):
                    stationary.add(stream.port)


def _reading_order(op: MatMul, feeder: Feeder, part: int) -> Vectors:
    """Return the steps of activations of a part of K in the order in which a feeder reads them."""
    return np.concatenate(
        [
            (np.arange(part, op.k_blocks, feeder.parts)[:, None] * op.m + np.arange(first, first + count)).reshape(-1)
            for first, count in feeder.blocks
        ]
    )


def _emitting_order(op: MatMul, feeder: Feeder, plane: int) -> Vectors:
    """Return the sums that a plane of a feeder emits, in order."""
    return np.concatenate(
        [
            np.zeros(0, np.int64),
            *(
                group[plane] * op.m + np.arange(first, first + count)
                for first, count in feeder.blocks
                for group in feeder.groups
                if plane < len(group)
            ),
        ]
    )
