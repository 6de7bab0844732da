"""The last way to copy vectors: byte by byte and slice by slice, which nothing in MEM can be in the way of."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from compiler.ir.switch import Switch
from compiler.ir.tensor import Tensor
from compiler.ir.vector import Operand, Pass, Result, identity
from compiler.lower.storage import OperationStorage
from compiler.lower.vxm.builder import PassBuilder
from compiler.lower.vxm.plan import pass_plans
from compiler.memory.accesses import Meant
from compiler.memory.copies import ReadPort, TensorCopy
from compiler.memory.demand import Vectors
from compiler.place.lowering import MovePlan, place_first
from compiler.place.state import PlacementState
from compiler.place.trial import Choice, Trial

_AT_ONCE = 4
"""Vectors that have been read before the first of them is written: within one slice no more go together."""


def copy_bytewise(
    state: PlacementState, op: Pass | Switch, source: TensorCopy, vectors: Vectors, target: TensorCopy
) -> Trial | None:
    """Place, for an operation that copies vectors from one copy of a tensor to another, passes over single bytes.

    A byte of some vectors that lie in one slice, and go to another one, takes one stream, and one queue at either end,
    so that it finds its cycles wherever the words are. One after another they may take long.

    Parameters
    ----------
    state : PlacementState
    op : Pass or Switch
        For which they stand.
    source, target : TensorCopy
    vectors : ndarray of int64

    Returns
    -------
    Trial or None
        All that is placed for the operation; None where something found no cycle.
    """
    tensor = op.results[0].tensor
    trial = Trial(op, Choice(MovePlan(op.duration)), {})
    trial.storage.outputs = [[target]]
    after = 0
    for byte in range(tensor.itemsize):
        one = Tensor(tensor.name, tensor.shape, "int8", lanes=tensor.lanes)
        origin, goal = _byte_of(source, byte), _byte_of(target, byte)
        for mine in _runs(origin, goal, vectors):
            part = identity(state.config, op.name, Operand(one, None, mine), Result(one, mine))
            none = np.full(1, -1, np.int32)
            port = ReadPort(origin, mine, np.arange(len(mine)), none, none, tensor)
            storage = OperationStorage(ports={0: port}, outputs=[[goal]])
            templates = [
                PassBuilder(part, storage, mapping).build() for plan in pass_plans(part) for mapping in plan.mappings
            ]
            for template in templates:
                # A vector is there with the last of its bytes: that has to be the last one written.
                template.needs = max(template.needs, after)
                template.read = [(source, numbers, times) for _, numbers, times in template.read]
                template.written = [(target, numbers, times) for _, numbers, times in template.written]
                written = [replace(accesses, tensor=tensor) for accesses in template.meant.writes]
                template.meant = Meant(template.meant.reads, written)
            if not place_first(state, trial, templates, None):
                return None
            after = trial.end
    return trial


def _byte_of(copy: TensorCopy, byte: int) -> TensorCopy:
    """Return one byte of a copy, as a copy of a tensor of bytes."""
    return replace(copy, slices=copy.slices[byte : byte + 1], addrs=copy.addrs[byte : byte + 1], map=None)


def _runs(source: TensorCopy, target: TensorCopy, vectors: Vectors) -> Iterator[Vectors]:
    """Yield vectors that lie in one slice and go to one."""
    pairs = np.stack([source.slices[0, vectors], target.slices[0, vectors]])
    for origin, goal in np.unique(pairs, axis=1).T.tolist():
        mine = vectors[(pairs == [[origin], [goal]]).all(axis=0)]
        # A bank is read or written, and so is a queue's word a READ or a WRITE.
        yield from np.split(mine, range(_AT_ONCE, len(mine), _AT_ONCE)) if origin == goal else [mine]
