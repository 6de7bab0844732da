"""A pass as a macro-operation: words from MEM through the mesh to MEM."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.geometry import Direction, Unit, UnitKind, units, vxm_position
from arch.isa.codes import Source as Code
from arch.timing import timing
from compiler.ir.tensor import Tensor
from compiler.ir.vector import Pass, Result
from compiler.lower.storage import OperationStorage
from compiler.lower.vxm.cells import Streams, driving, instruction, repeating
from compiler.lower.vxm.steps import Steps, fresh_steps, working_steps
from compiler.memory.copies import Cycles, Template, TensorCopy
from compiler.memory.words import Numbers
from compiler.mesh.mapping import Cell, Mapping
from compiler.schedule.flow import Flow
from compiler.schedule.macro import Action, Macro
from compiler.schedule.pattern import Pattern
from compiler.schedule.transfer import Transfers


class PassBuilder:
    """Builds the macro-operation of a pass for one mapping.

    Step i of a cell of level L issues in cycle ``chain * L + times[i]``.
    """

    def __init__(self, op: Pass, placed: OperationStorage, mapping: Mapping) -> None:
        self._op = op
        self._config: Config = op.config
        self._timing = timing(op.config)
        self._placed = placed
        self._mapping = mapping
        self._times = op.times
        self._middle = vxm_position(op.config)
        self._alus = [unit for unit in units(op.config) if unit.kind is UnitKind.VXM]
        self._sides: npt.NDArray[np.int64] = np.array(
            [int(unit.inward) for unit in units(op.config)[: op.config.slices]]
        )
        self._template = Template(Macro(op.name))
        self._macro = self._template.macro
        self._transfers = Transfers(op.config, self._macro)
        self._steps_of, self._steps_read = working_steps(op, mapping)

    def build(self, like: "PassBuilder | None" = None) -> Template:
        """Return the pass's template.

        Parameters
        ----------
        like : PassBuilder, optional
            One that has built the pass for a mapping with the same levels, in other ALUs: all accesses of MEM are the
            same then.
        """
        if like is None:
            self._arriving = [self._read(number) for number in range(len(self._mapping.streams))]
            self._leaving: dict[int, list[tuple[int, int, Flow | None]]] = {}
            for number, result in enumerate(self._op.results):
                self._leaving[self._mapping.outputs[number]] = self._write(number, result)
            self._macro.flows.sort(key=lambda flow: -flow.width)
            self._accesses = list(self._macro.actions)
            self.access = Macro(self._op.name, self._accesses, self._macro.flows)
            """The accesses of MEM alone."""
        else:
            self._arriving, self._leaving, self._accesses = like._arriving, like._leaving, like._accesses
            self._macro.actions, self._macro.flows = list(like._accesses), like._macro.flows
            self._template.needs, self._template.written = like._template.needs, like._template.written
            self._template.read, self._template.meant = like._template.read, like._template.meant
        everywhere: list[tuple[int, int, Flow | None]] = [(0, self._op.steps, None)]
        for number, cell in enumerate(self._mapping.cells):
            self._cell(cell, self._steps_of[number], self._arriving, self._leaving.get(number, everywhere))
        return self._template

    @property
    def needs(self) -> int:
        """Earliest start of what was built."""
        return self._template.needs

    def _read(self, number: int) -> Flow:
        """Read a stream's words so that they arrive when the cells of its level want them."""
        stream = self._mapping.streams[number]
        skew = self._timing["PASS"].d_skew
        assert skew is not None
        port = self._placed.ports[number]
        slices, addrs, ready = port.words()
        read = np.flatnonzero(self._steps_read[number])
        slices, addrs, ready = slices[:, read], addrs[:, read], ready[read]
        direction = Direction(int(self._sides[slices[0, 0]]))
        flow = Flow(("pass", number, len(slices)), direction, len(slices))
        self._macro.flows.append(flow)
        arrival = self._timing.chain * stream.level + skew + self._times[read]
        for member in range(len(slices)):
            self._transfers.read(flow, member, slices[member], addrs[member], arrival, self._middle)
            access = arrival - self._transfers.read_travel(slices[member], self._middle)
            self._template.reads(port.copy, port.accesses(member, read, access), ready)
        return flow

    def _write(self, number: int, result: Result) -> list[tuple[int, int, Flow | None]]:
        """Write an output's words; return which steps (first, steps) leave on which flow."""
        func = self._timing["PASS"].d_func
        assert func is not None
        layouts = self._placed.outputs[number]
        cell = self._mapping.cells[self._mapping.outputs[number]]
        vectors = np.where(result.steps < 0, 0, result.steps)
        holds = np.stack([(layout.slices[0, vectors] >= 0) & (result.steps >= 0) for layout in layouts])
        cycles = self._timing.chain * cell.level + func + self._times
        # The copies of a vector lie on one side.
        east = np.max([layout.slices[0, vectors] for layout in layouts], axis=0) >= self._config.mem_slices
        written: npt.NDArray[np.bool_] = np.any(holds, axis=0)
        flows: dict[bool, Flow] = {}
        for side in (False, True):
            mine = written & (east == side)
            if mine.any():
                direction, size = Direction.EAST if side else Direction.WEST, result.tensor.itemsize
                flows[side] = Flow(("result", number, size), direction, size)
                self._macro.flows.append(flows[side])
                # All vectors of a side together: those that one copy has are in regular order, whatever others have.
                self._store(flows[side], result.tensor, layouts, holds[:, mine], vectors[mine], cycles[mine])
        return [
            (start, end - start, flows[bool(east[start])] if written[start] else None)
            for start, end in runs_of(np.vstack([written, written & east]))
        ]

    def _store(
        self,
        flow: Flow,
        tensor: Tensor,
        layouts: list[TensorCopy],
        holds: npt.NDArray[np.bool_],
        vectors: Cycles,
        cycles: Cycles,
    ) -> None:
        """Write vectors to the copies that hold them, shape (copies, n)."""
        found = [(layout, mine) for layout, mine in zip(layouts, holds, strict=True) if mine.any()]
        done = []
        for member in range(flow.width):
            copies: list[tuple[Numbers, Numbers]] = [
                (np.where(mine, layout.slices[member, vectors], -1), layout.addrs[member, vectors])
                for layout, mine in found
            ]
            done.append(self._transfers.write(flow, member, copies, cycles, self._middle))
        for (layout, mine), its in zip(found, zip(*done, strict=True), strict=True):
            self._template.writes(layout, tensor, vectors[mine], np.array(its)[:, mine])

    def _cell(
        self, cell: Cell, works: Steps, arriving: list[Flow], leaving: list[tuple[int, int, Flow | None]]
    ) -> None:
        """Add a cell's instructions, for the steps in which it works."""
        node = cell.node
        fields, streams = instruction(cell, arriving)
        base = self._timing.chain * cell.level
        if node.accumulates:
            self._hold(cell, base)
        if node.holds:
            self._keep(cell, works, fields, streams)
            return
        for start, steps, flow in leaving:
            driven, onto = driving(fields, streams, flow)
            if not node.accumulates:
                mine = start + np.flatnonzero(works[start : start + steps])
                self._issue(self._alus[cell.alu], node.mnemonic, base + self._times[mine], driven, onto)
                continue
            restarts = self._op.restarts[start : start + steps]
            for first, last in runs_of(restarts[None]):
                begins = bool(restarts[first])
                mnemonic = "PASS" if begins else node.mnemonic
                chosen = driven | {"b_src": int(Code.ZERO)} if begins else driven
                self._issue(
                    self._alus[cell.alu], mnemonic, base + self._times[start + first : start + last], chosen, onto
                )

    def _hold(self, cell: Cell, base: int) -> None:
        """Keep others from the ALU between the steps of a turn: their results would be taken for its own."""
        op = self._op
        if op.turn > 1:
            for offset in range(1, op.within):
                idle = Pattern(base + offset, op.steps // op.turn, op.interval, op.turn - 1, op.within)
                self._macro.holds.append((("alu", self._alus[cell.alu].id), idle))

    def _keep(self, cell: Cell, works: Steps, fields: dict[str, int], streams: Streams) -> None:
        """Let an ALU present a word as long as it stays the same: from the stream until it holds it, then its own."""
        unit, base = self._alus[cell.alu], self._timing.chain * cell.level
        fresh = fresh_steps(self._op, self._mapping, cell, works)
        for first, last in runs_of(np.vstack([fresh, works])):
            if works[first]:
                times = base + self._times[first:last]
                chosen = (fields, streams) if fresh[first] else (repeating(fields), {})
                self._issue(unit, cell.node.mnemonic, times, *chosen)
        # Nothing else may issue in between: its result would be taken for the word.
        for first, last in runs_of(works[None]):
            if not works[first] and first > 0 and last < len(works):
                start = base + int(self._times[first])
                self._macro.holds.append((("alu", unit.id), Pattern(start, length=last - first)))

    def _issue(
        self,
        unit: Unit,
        mnemonic: str,
        times: Cycles,
        fields: dict[str, int],
        streams: dict[str, tuple[Flow, int]],
    ) -> None:
        """Issue an instruction at some cycles, in order."""
        while len(times):
            gaps = np.diff(times)
            # Steps of one run are equally far apart; a lone pause belongs to the next one.
            odd = np.flatnonzero(gaps != gaps[0]) if len(gaps) else gaps
            count = int(odd[0]) + 1 if len(odd) else len(times)
            every = int(gaps[0]) if count > 1 else 1
            self._macro.actions.append(Action(unit, mnemonic, int(times[0]), dict(fields), dict(streams), count, every))
            times = times[count:]


def runs_of(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and last + 1 of runs of equal columns of flags, shape (k, n)."""
    changes = np.flatnonzero((flags[:, 1:] != flags[:, :-1]).any(axis=0)) + 1
    return list(pairwise([0, *changes.tolist(), flags.shape[1]]))
