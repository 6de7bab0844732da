"""Lower bound of a program by what waits for what: latencies of dependent steps, from the machine's timing table."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.timing import timing
from compiler.ir.lanes import find_vectors, vector_count, vectors_along, weight_vectors
from compiler.ir.matmul import MatMul
from compiler.ir.operation import Operation
from compiler.ir.switch import Switch
from compiler.ir.tensor import Tensor, View, as_view
from compiler.ir.vector import Pass
from compiler.library.bounds import mesh_latency, step_latency, sums_latency
from compiler.mesh.graph import Graph, Kind, Ref
from compiler.program import Program

__all__ = ["critical_path"]

Times = npt.NDArray[np.int64]


def critical_path(program: Program) -> int:
    """Return the cycles of a program's longest chain of steps, were there any number of slices and streams.

    Notes
    -----
    A time is the first cycle in which a vector of a result can be read, every vector having its own. An operation that
    reads it has the latency of MEM, of the way to the unit next to it, of the unit, and of the way back. Of several
    vectors that are waited for together, the last one comes no sooner than planes or ALUs, all of them, have done the
    work of so many. What the host writes is there in cycle 0. An operation of another kind waits for one vector.
    """
    times = _Times(program.config)
    for op in program.operations:
        if isinstance(op, MatMul):
            times.product(op)
        elif isinstance(op, Pass):
            times.passed(op)
        elif isinstance(op, Switch):
            times.switched(op)
        else:
            times.other(op)
    return times.last


class _Times:
    """Times of the vectors of results."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._table = timing(config)
        self._ready: dict[Tensor, Times] = {}
        self._rate: dict[Tensor, float] = {}
        self._first: dict[Tensor, int] = {}
        self.last = 0

    def passed(self, op: Pass) -> None:
        """Note the results of a pass: of a sum, each waits for all that an ALU has added up to then."""
        # An ALU sees what it made so many cycles, and steps, before; steps farther apart see the one before.
        back = self._table.held if op.within == 1 else 1
        accumulates = any(node.accumulates for node in op.graph.nodes)
        made: dict[Tensor, list[tuple[Times, Times, int]]] = {}
        for output, result in enumerate(op.results):
            found = self._finished(op, output)
            first = int(found.min())
            if accumulates:
                for step in range(back, op.steps):
                    if not op.restarts[step]:
                        found[step] = max(found[step], found[step - back] + self._table.held)
            made.setdefault(result.tensor, []).append((result.steps, found, first))
        cycles = op.work.operations / (self._config.alu_rows * self._config.alu_cols)
        for tensor, parts in made.items():
            # Several results of a step may be vectors of one tensor.
            steps, found = (np.concatenate([part[number] for part in parts]) for number in (0, 1))
            # ALUs may have begun with all sums when the first one is there.
            first = min(part[2] for part in parts)
            self._note(tensor, steps, found, cycles / np.count_nonzero(steps >= 0), first)

    def _finished(self, op: Pass, output: int) -> Times:
        """Return when what an output makes in each step can be read, as far as that follows from operands in MEM."""
        found: Times = np.zeros(op.steps, np.int64)
        for port, operand in enumerate(op.graph.ports):
            levels = _levels(op.graph, port, output)
            if operand.operand is None or not levels:
                continue
            read = op.operands[port]
            found = np.maximum(found, self._at(read.tensor, read.steps) + step_latency(self._config, levels))
        return found

    def product(self, op: MatMul) -> None:
        """Note the result of a product: a row of activations, and a block of columns, must be there for each vector."""
        config, vector = self._config, self._config.vector_length
        abc, load, read = self._table["ABC"], self._table["LW"], self._table["READ"]
        assert abc.d_skew is not None and load.d_skew is not None and read.d_func is not None
        behind = sums_latency(config, op.x.dtype, through_vxm=op.epilogue is not None) + 1
        if op.epilogue is not None and op.sum_port >= 0:
            behind += mesh_latency(config, _levels(op.epilogue.graph, op.sum_port, 0))
        found: Times = np.zeros((op.n_blocks, op.m), np.int64)
        if as_view(op.x).tensor in self._ready:
            numbers = _rows(as_view(op.x), vector).reshape(op.k_blocks, op.m)
            rows = self._at(as_view(op.x).tensor, numbers.reshape(-1)).reshape(numbers.shape).max(axis=0)
            found = np.maximum(found, rows + read.d_func + 1 - abc.d_skew + behind)
        if op.computed:
            numbers = weight_vectors(as_view(op.w), vector).reshape(op.k_blocks, op.n)
            for block in range(op.n_blocks):
                columns = numbers[:, block * vector : (block + 1) * vector]
                ready = self._all(as_view(op.w).tensor, columns.reshape(-1))
                found[block] = np.maximum(found[block], ready + read.d_func + 1 - load.d_skew + behind)
        found = found.reshape(-1)
        if op.epilogue is not None:
            found = np.maximum(found, self._finished(op.epilogue, 0))
        self._note(op.y, np.arange(len(found)), found, op.work.rows / config.planes / len(found))

    def switched(self, op: Switch) -> None:
        """Note the results of a switch operation: all of its sources must be there in each step."""
        row, read = self._table[op.mnemonic], self._table["READ"]
        assert row.d_skew is not None and row.d_func is not None and read.d_func is not None
        steps = len(op.results[0].steps)
        found: Times = np.zeros(steps, np.int64)
        for operand in op.operands:
            found = np.maximum(found, self._at(operand.tensor, operand.steps))
        found += read.d_func + 1 - row.d_skew + row.d_func + 1
        for result in op.results:
            self._note(result.tensor, result.steps, found, 0)

    def other(self, op: Operation) -> None:
        """Note the results of an operation that reads something of all that it reads."""
        start = max((int(self._ready[tensor].min()) for tensor in op.reads() if tensor in self._ready), default=0)
        for tensor in op.writes():
            count = int(np.prod(vector_count(tensor, self._config.vector_length)))
            self._note(tensor, np.arange(count), np.full(count, start), 0)

    def _at(self, tensor: Tensor, steps: Times) -> Times:
        """Return when the vectors of each step are there."""
        ready = self._ready.get(tensor)
        return np.zeros(len(steps), np.int64) if ready is None else np.where(steps >= 0, ready[steps], 0)

    def _all(self, tensor: Tensor, steps: Iterable[int]) -> int:
        """Return when all of some vectors are there."""
        numbers = np.unique([step for step in steps if step >= 0])
        ready = self._ready.get(tensor)
        if ready is None or not len(numbers):
            return 0
        return max(int(ready[numbers].max()), int(self._first[tensor] + self._rate[tensor] * len(numbers)) - 1)

    def _note(self, tensor: Tensor, steps: Times, found: Times, rate: float, first: int | None = None) -> None:
        """Note when vectors of a tensor can be read, each of which takes so many cycles of all units.

        These work on them from `first` on, less the latency of one that waits for no other; by default it is the first
        vector that does.
        """
        count = int(np.prod(vector_count(tensor, self._config.vector_length)))
        # A second operation makes other vectors of the tensor: the rate is that of both only if it is none.
        self._rate[tensor] = 0 if tensor in self._ready else rate
        self._first[tensor] = int(found.min()) if first is None else first
        ready = self._ready.setdefault(tensor, np.zeros(count, np.int64))
        held = steps >= 0
        ready[steps[held]] = np.maximum(ready[steps[held]], found[held])
        self.last = max(self.last, self._all(tensor, range(count)))


def _levels(graph: Graph, port: int, output: int) -> int:
    """Return how many ALUs, one behind the other, are between a port and an output at least; 0 without a way."""
    levels: list[int] = []
    for node in graph.nodes:
        before = [levels[ref.number] for ref in node.operands if ref.kind is Kind.NODE]
        longest = max((level for level in before if level), default=0)
        levels.append(longest + 1 if longest or Ref(Kind.PORT, port) in node.operands else 0)
    return levels[graph.outputs[output]]


def _rows(view: View, vector: int) -> Times:
    """Return the vectors of a result that are rows of a matrix, by blocks of K, then rows."""
    return find_vectors(view.tensor, vectors_along(view.elements, -1, vector), vector)
