"""States: tensors that live in MEM from run to run, and the passes that give them their next values."""

from collections.abc import Mapping, Sequence

import numpy as np

from arch.geometry import Hemisphere
from compiler.ir.lanes import vector_count, vectors_along
from compiler.ir.operation import Operation
from compiler.ir.scatter import STATE_SIDE
from compiler.ir.tensor import Tensor
from compiler.ir.vector import Pass
from compiler.lower.storage import Target
from compiler.memory.copies import TensorCopy, slices_in
from compiler.memory.demand import Demand, Vectors
from compiler.memory.maps import element_words
from compiler.memory.words import Bank
from compiler.place.orders import distinct, missing_vectors, sharing, turns_in_place
from compiler.place.ranking import banks_of_ports, count
from compiler.place.results import Writing, take_copies
from compiler.place.state import PlacementState
from compiler.place.trial import Choice, is_one_sided

_FEW = 16
"""Vectors that a pass has read before it writes its first result."""


def direct_updates(operations: Sequence[Operation], updates: Mapping[Tensor, Pass]) -> dict[Tensor, Tensor]:
    """Return results that can go to a state right away, as nothing reads its old value later, each with its state."""
    found: dict[Tensor, Tensor] = {}
    for state, update in updates.items():
        operand = update.operands[0]
        value = operand.tensor
        whole = (
            len(update.operands) == 1
            and operand.vectors is None
            and np.array_equal(operand.steps, update.results[0].steps)
        )
        makers = [
            (number, maker)
            for number, op in enumerate(operations)
            if (maker := op.as_pass) is not None and maker.makes and value in maker.writes()
        ]
        if whole and len(makers) == 1 and value not in found and not _meets(makers[0][1], value, state):
            # Whoever reads the state after this pass wants the old value, which would be gone.
            later = operations[makers[0][0] + 1 :]
            if not any(tensor is state for op in later for tensor in op.reads()):
                found[value] = state
    return found


def _meets(op: Pass, value: Tensor, state: Tensor) -> bool:
    """Return whether a pass would write vectors of a state that it reads later."""
    if op.steps <= _FEW:
        return False
    written = next(result.steps for result in op.results if result.tensor is value)
    return any(operand.tensor is state and not np.array_equal(operand.steps, written) for operand in op.operands)


def place_state(state: PlacementState, tensor: Tensor, writer: Pass | None) -> bool:
    """Place the copies of a state, which its update will write: as of a result. `writer` writes it on the way."""
    readers = state.readers[tensor]
    rows = vectors_along(_elements(tensor), tensor.lanes, state.config.vector_length)
    missing = missing_vectors(state.config, tensor, readers)
    # Its update writes every vector, and the host reads the copies that nobody else does.
    wants: list[tuple[Demand | None, Vectors]] = [(reader, reader.order) for reader in readers]
    wants += [(None, missing)] if len(missing) else []
    placed: list[tuple[TensorCopy, Demand | None]] = []
    busy: set[int] = set()
    read = set() if writer is None else banks_of_ports(state, writer)
    turns = None
    # Its words are read and written within a few cycles: a bank that does both has to change soon.
    if writer is not None and any(one is tensor for one in writer.reads()):
        # It changes on the way: reads and writes run at the same time.
        busy = state.busy(writer)
        turns = turns_in_place
    mark = state.words.mark()
    # A copy per reader, shared ones, or one for all: these words are taken for good.
    for choice in (Choice(None), Choice(None, dense=True), Choice(None, dense=True, loose=True)):
        everything: list[tuple[Demand | None, Vectors]] = [(None, np.arange(len(rows)))]
        groups = [everything] if choice.loose else sharing(wants)
        written = set(busy)
        for group in groups:
            writing = Writing(tensor, choice, writer, written, read, turns=turns, lasting=True)
            found = take_copies(state, writing, group, list(Hemisphere))
            if found is None:
                break
            placed += found
        else:
            for copy in distinct(placed):
                if writer is not None:
                    count(state, state.writes, writer.duration, copy.slices, copy.addrs)
            return _publish(state, tensor, placed, rows)
        state.words.rollback(mark)
        placed.clear()
    return False


def _publish(
    state: PlacementState, tensor: Tensor, placed: list[tuple[TensorCopy, Demand | None]], rows: np.ndarray
) -> bool:
    """Let readers and the host know the copies of a state."""
    for copy, want in placed:
        if want is not None:
            port = state.port_of(want, copy)
            if port is None:
                return False
            state.connect(want, port)
    state.copies[tensor] = distinct(placed)
    for demand in state.readers[tensor]:
        if all(want is None for _, want in placed) and is_one_sided(state, placed[0][0], demand.order):
            port = state.port_of(demand, placed[0][0])
            if port is not None and not demand.columns:
                state.connect(demand, port)
    for copy in state.copies[tensor]:
        state.maps[tensor].append(element_words(rows, copy.slices, copy.addrs))
    return True


def place_rows(state: PlacementState, tensor: Tensor) -> bool:
    """Place the copies of a state that rows are scattered into.

    An index is a distance from one address: a byte of a block of columns is in neighbouring words of one bank. Every
    reader has a copy with all rows, since any of them may change.
    """
    vector = state.config.vector_length
    blocks, steps = vector_count(tensor, vector)
    rows = vectors_along(_elements(tensor), tensor.lanes, vector)
    parts: dict[int, int] = {}
    targets: list[Target] = []
    placed: list[tuple[TensorCopy, Demand | None]] = []
    readers: list[Demand | None] = [*state.readers[tensor]]
    for want in readers or [None]:
        copy = TensorCopy.empty(tensor.itemsize, blocks * steps)
        busy = set() if want is None else state.busy(want.op)
        for byte in range(tensor.itemsize):
            others = slices_in(copy.slices[:byte])
            near: list[int] = []
            for block in range(blocks):
                found = _take_rows(state, steps, busy | others, near)
                if found is None:
                    return False
                number, addr = found
                mine = slice(block * steps, (block + 1) * steps)
                copy.put_byte(byte, mine, number, addr + np.arange(steps))
                near = [number]
                targets.append(Target(copy, block, byte, number, addr, parts.get(number, 0)))
                parts[number] = parts.get(number, 0) + 1
                state.reads[number] += steps
        placed.append((copy, want))
    state.targets[tensor] = tuple(targets)
    if not _publish(state, tensor, placed, rows):
        return False
    # A SCATTER holds its bank, and the engine of its slice, for long.
    state.words.close(Bank(target.slice, target.addr // state.config.mem_depth) for target in targets)
    state.scattered |= {target.slice for target in targets}
    return True


def _take_rows(state: PlacementState, rows: int, busy: set[int], near: list[int]) -> tuple[int, int] | None:
    """Take neighbouring words in a slice, at best in one of some or else one that is read least: slice, first addr."""
    slices = [number for number in state.slices_of(STATE_SIDE) if number not in busy]
    for number in sorted(slices, key=lambda one: (one not in near, state.reads[one].sum())):
        for bank in (0, 1):
            if state.words.run(Bank(number, bank), 0) >= rows:
                found = state.words.take(1, rows, [Bank(number, bank)])
                assert found is not None
                return number, int(found[1][0, 0])
    return None


def _elements(tensor: Tensor) -> np.ndarray:
    return np.arange(tensor.size, dtype=np.int32).reshape(tensor.shape)
