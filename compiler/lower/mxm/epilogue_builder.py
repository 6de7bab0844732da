"""A product's epilogue as actions: sums come in on streams, results leave on streams, operands meet them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arch.geometry import Direction, UnitKind, units, vxm_position
from arch.timing import timing
from compiler.ir.matmul import MatMul
from compiler.lower.mxm.epilogue import is_of_sums, latency, sum_level
from compiler.lower.storage import OperationStorage
from compiler.lower.vxm.cells import Streams, driving, instruction, repeating
from compiler.memory.copies import Cycles, Template
from compiler.memory.words import Numbers
from compiler.mesh.mapping import Cell, Mapping
from compiler.schedule.flow import Flow
from compiler.schedule.macro import Action
from compiler.schedule.pattern import Pattern
from compiler.schedule.transfer import Transfers


@dataclass(frozen=True)
class Exit:
    """Exit of results for a while: rows ``first .. first + rows - 1`` onto `flow`."""

    first: int
    rows: int
    flow: Flow


class EpilogueBuilder:
    """Adds the epilogues of the planes of a group to its macro-operation.

    Parameters
    ----------
    op : MatMul
    placed : OperationStorage
    template : Template
    """

    def __init__(self, op: MatMul, placed: OperationStorage, template: Template) -> None:
        self._op = op
        self._config = op.config
        self._timing = timing(op.config)
        self._placed = placed
        self._template = template
        self._macro = template.macro
        self._transfers = Transfers(op.config, template.macro)
        self._alus = [unit for unit in units(op.config) if unit.kind is UnitKind.VXM]
        self._middle = vxm_position(op.config)
        self._skew = self._timing["PASS"].d_skew or 0
        self._taken: dict[int, set[int]] = {}

    def latency(self, mapping: Mapping) -> int:
        """Cycles from a sum's arrival at the VXM to the result on the register there."""
        return latency(self._op, mapping)

    def build(
        self,
        mapping: Mapping,
        plane: tuple[int, int],
        sums: Sequence[Flow],
        arrival: int,
        vectors: tuple[int, int],
        exits: list[Exit],
    ) -> None:
        """Work on the sums of a plane.

        Parameters
        ----------
        mapping : Mapping
        plane : (int, int)
            Numbers of the feeder, and of the plane in it.
        sums : sequence of Flow
            Of each part of K.
        arrival : int
            When the first sum is on the VXM's register.
        vectors : (int, int)
            First sum of the product, sums.
        exits : list of Exit
        """
        first, rows = vectors
        # Sums cannot wait, so everything is timed by them: levels above theirs start before they come.
        start = arrival - self._skew - self._timing.chain * sum_level(self._op, mapping)
        steps = first + np.arange(rows)
        arriving = []
        keeping: dict[int, int] = {}
        for number, stream in enumerate(mapping.streams):
            at = start + self._timing.chain * stream.level
            if is_of_sums(self._op, stream):
                arriving.append(sums[stream.port != self._op.sum_port])
            elif mapping.holds(number):
                flow, keeping[number] = self._read_kept(number, stream.port, int(steps[0]), at, rows)
                arriving.append(flow)
            else:
                arriving.append(self._read((*plane, number), steps, at))
        for number, cell in enumerate(mapping.cells):
            at = start + self._timing.chain * cell.level
            fields, streams = instruction(cell, arriving)
            if cell.node.holds:
                self._keep(cell, fields, streams, at, rows, keeping[cell.sources[0].index])
            elif number != mapping.outputs[0]:
                self._issue(cell, fields, streams, at, rows)
            else:
                for part in exits:
                    # Rows for another side or place need other stream fields, and so another word.
                    driven, onto = driving(fields, streams, part.flow)
                    self._issue(cell, driven, onto, at + part.first * self._op.interval, part.rows)

    def _read(self, key: tuple[int, int, int], steps: Cycles, at: int) -> Flow:
        """Read an operand's words of some steps so that they arrive with the issues from cycle `at` on."""
        port = self._placed.ports[key]
        slices, addrs, ready = port.words()
        slices, addrs, ready = slices[:, steps], addrs[:, steps], ready[steps]
        flow = self._flow(("operand", *key), slices)
        arrival = at + self._skew + self._op.interval * np.arange(len(steps))
        for member in range(flow.width):
            self._transfers.read(flow, member, slices[member], addrs[member], arrival, self._middle, self._op.interval)
            access = arrival - self._transfers.read_travel(slices[member], self._middle)
            self._template.reads(port.copy, port.accesses(member, steps, access), ready)
        return flow

    def _read_kept(self, number: int, port: int, step: int, at: int, rows: int) -> tuple[Flow, int]:
        """Read the word of an ALU that keeps it from the issue at cycle `at` on; return the flow and the cycles ahead.

        At best the first issues read it, until the ALU sees its own result. Where another ALU reads the slice just
        then, the word is read once, so much ahead.
        """
        kept = self._placed.ports[(port,)]
        words, places, since = kept.words()
        slices, addrs, ready = words[:, step], places[:, step], since[[step]]
        flow = self._flow(("kept", number, port), slices[:, None])
        travel = self._transfers.read_travel(slices, self._middle).tolist()
        fresh, ahead = self._fresh(rows), 0
        # Slices have one engine for READs. Stationary operands lie together in few slices: they come one after
        # another.
        while any(self._is_taken(int(slices[m]), at - ahead - travel[m], fresh) for m in range(flow.width)):
            fresh, ahead = 1, max(ahead + 1, self._timing.held)
        for member in range(flow.width):
            first = at - ahead - travel[member]
            self._taken.setdefault(int(slices[member]), set()).update(self._span(first, fresh))
            arrival, interval = at - ahead + self._skew, self._op.interval
            # Pauses are for others that read the slice.
            cycles = Pattern(arrival, 1, 1, fresh) if interval == 1 else Pattern(arrival, fresh, interval)
            self._transfers.read_constant(flow, member, int(slices[member]), int(addrs[member]), cycles, self._middle)
            access = first + self._skew + interval * np.arange(fresh)
            self._template.reads(kept.copy, kept.accesses(member, np.full(fresh, step), access), ready)
        return flow, ahead

    def _fresh(self, rows: int) -> int:
        """Return the issues until an ALU sees its own first result."""
        return min(rows, -(-self._timing.held // self._op.interval))

    def _span(self, first: int, count: int) -> range:
        return range(first, first + (count - 1) * self._op.interval + 1)

    def _is_taken(self, number: int, first: int, count: int) -> bool:
        return not self._taken.get(number, set()).isdisjoint(self._span(first, count))

    def _keep(self, cell: Cell, fields: dict[str, int], streams: Streams, at: int, rows: int, ahead: int) -> None:
        """Let an ALU present a word in `rows` issues: from streams until it holds it, then its own result."""
        fresh = 1 if ahead else self._fresh(rows)
        self._issue(cell, fields, streams, at - ahead, fresh)
        first = 0 if ahead else fresh
        if first < rows:
            self._issue(cell, repeating(fields), {}, at + first * self._op.interval, rows - first)
        # Nothing else may issue in between: its result would be taken for the word.
        key = ("alu", self._alus[cell.alu].id)
        if ahead > 1:
            self._macro.holds.append((key, Pattern(at - ahead + 1, length=ahead - 1)))
        if self._op.interval > 1 and rows > 1:
            self._macro.holds.append((key, Pattern(at + 1, rows - 1, self._op.interval, self._op.interval - 1)))

    def _flow(self, key: tuple[object, ...], slices: Numbers) -> Flow:
        direction: Direction = units(self._config)[int(slices[0, 0])].inward
        flow = Flow(key, direction, len(slices))
        self._macro.flows.append(flow)
        return flow

    def _issue(self, cell: Cell, fields: dict[str, int], streams: Streams, at: int, issues: int) -> None:
        unit = self._alus[cell.alu]
        self._macro.actions.append(
            Action(unit, cell.node.mnemonic, at, dict(fields), dict(streams), issues, self._op.interval)
        )
