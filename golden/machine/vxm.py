"""The VXM: a mesh of ALUs."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.faults import FaultKind
from arch.formats import DType
from arch.geometry import Unit
from arch.isa.codes import Relation, Source
from arch.timing import timing
from golden.machine.event_queue import EventQueue
from golden.machine.fault_log import FaultLog
from golden.machine.latency import d_func, d_skew
from golden.machine.streams import Streams
from golden.machine.word import Effect
from golden.vxm.alu import operation

Bits = npt.NDArray[np.uint32]
Fetch = Callable[[int], Bits]
"""Called with the cycle of issue."""

_BEFORE = -(1 << 62)
"""Issue cycle of a result of an earlier run."""


class Vxm:
    """All ALUs, each working on whole vectors.

    Every result stays in its ALU's list until it can no longer be an operand; what MESH and SELF mean is decided by the
    issue cycles kept there.
    """

    def __init__(self, config: Config, streams: Streams, faults: FaultLog) -> None:
        self._config = config
        self._streams = streams
        self._faults = faults
        self._timing = timing(config)
        self._horizon = max(self._timing.chain, self._timing.held)
        self._zero: Bits = np.zeros(config.vector_length, np.uint32)
        self._results: list[list[tuple[int, Bits]]] = [[(_BEFORE, self._zero)] for _ in range(config.alus)]
        self._reading: EventQueue[tuple[int, Callable[[int], None]]] = EventQueue()

    def reset(self) -> None:
        """Forget what is under way; each ALU's last result stays, as SELF."""
        self._reading.clear()
        self._results = [[(_BEFORE, results[-1][1])] for results in self._results]

    @property
    def due(self) -> int:
        """Next cycle in which an ALU reads its operands."""
        return self._reading.due

    def held(self, alu: int) -> Bits:
        """Return an ALU's last result, shape (vector_length,) uint32."""
        return self._results[alu][-1][1].copy()

    def prepare(self, unit: Unit, mnemonic: str, fields: SimpleNamespace) -> Effect:
        """Return what an ALU instruction does at its issue."""
        f = fields
        skew, func = d_skew(self._config, mnemonic), d_func(self._config, mnemonic)
        dtype, out_dtype = DType(f.dtype), DType(f.out_dtype)
        fetch_a = self._operand(unit, dtype, f.a_src, f.a_dir, f.a_index, skew, f.on)
        fetch_b = self._operand(unit, dtype, f.b_src, f.b_dir, f.b_index, skew, f.on)
        # A mask is an int8 wherever it comes from; only SEL looks at its fields.
        c_src = f.c_src if mnemonic == "SEL" else Source.ZERO
        fetch_c = self._operand(unit, DType.INT8, c_src, f.c_dir, f.c_index, skew, f.on)
        relation = Relation(f.relation) if mnemonic == "CMP" else Relation.EQ
        function = operation(mnemonic, dtype, out_dtype, bool(f.saturate), relation)
        destination = self._streams.origin(f.dst_dir, unit.position, f.dst) if f.drive else None

        def perform(cycle: int) -> None:
            result = function(fetch_a(cycle), fetch_b(cycle), fetch_c(cycle))
            if f.on < self._config.vector_length:
                # Superlanes that are off hold what they held.
                result = np.concatenate([result[: f.on], self._results[unit.index][-1][1][f.on :]])
            self._keep(self._results[unit.index], cycle, result)
            if destination is not None:
                self._streams.drive(cycle + func, unit.id, destination, _to_streams(result[: f.on], out_dtype))

        return lambda cycle: self._reading.add(cycle + skew, (cycle, perform))

    def step(self, cycle: int) -> None:
        """Perform the operations that read in `cycle`; reports UNWRITTEN and OPERAND_MISSED."""
        for issued, perform in self._reading.take(cycle):
            perform(issued)

    def _keep(self, results: list[tuple[int, Bits]], issued: int, result: Bits) -> None:
        results.append((issued, result))
        # The newest result of that age can still be SELF; none before it can.
        while results[1][0] <= issued - self._horizon:
            results.pop(0)

    def _operand(self, unit: Unit, dtype: DType, source: int, direction: int, index: int, skew: int, on: int) -> Fetch:
        if source == Source.ZERO:
            return lambda issued: self._zero
        if source == Source.SELF:
            return lambda issued: self._latest(unit.index, issued - self._timing.held)
        if source == Source.MESH:
            columns = self._config.alu_cols
            # Columns form a ring: column 0 takes from the last one.
            neighbour = index * columns + (unit.index - 1) % columns
            return lambda issued: self._from_mesh(unit.id, neighbour, issued, skew)
        origin = self._streams.origin(direction, unit.position, index)
        return lambda issued: _from_streams(self._streams.read(issued + skew, unit.id, origin, dtype.size, on), dtype)

    def _latest(self, alu: int, limit: int) -> Bits:
        # SELF is the newest result that has come round to the operand register, not the newest one issued.
        for issued, result in reversed(self._results[alu]):
            if issued <= limit:
                return result
        raise AssertionError("an ALU's list starts with a result that is held")

    def _from_mesh(self, unit: int, neighbour: int, issued: int, skew: int) -> Bits:
        due = issued - self._timing.chain
        # The mesh holds nothing: a neighbour's result passes in one cycle only.
        for when, result in self._results[neighbour]:
            if when == due:
                return result
        detail = f"ALU {neighbour} did not issue in cycle {due}"
        self._faults.report(issued + skew, unit, FaultKind.OPERAND_MISSED, detail)
        return self._zero


def _from_streams(streams: npt.NDArray[np.uint8], dtype: DType) -> Bits:
    if dtype.size == 1:
        lowest: npt.NDArray[np.uint8] = streams[0]
        return lowest.astype(np.uint32)
    numbers: Bits = np.ascontiguousarray(streams.T).view(f"<u{dtype.size}")[:, 0].astype(np.uint32)
    return numbers


def _to_streams(result: Bits, dtype: DType) -> npt.NDArray[np.uint8]:
    return result.view(np.uint8).reshape(-1, 4)[:, : dtype.size].T
