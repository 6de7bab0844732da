"""The controller of one MEM slice."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.isa.instruction import WORD_BITS
from arch.timing import timing
from hdl.activity_gate import ActivityGate
from hdl.mem.engine import MemEngine
from hdl.mem.micro_op import access_op, indexed_op
from hdl.stream_set import stream_set

__all__ = ["MEM_ELEMENTS", "MemController"]

MEM_ELEMENTS = ("READ", "WRITE", "GATHER", "SCATTER")
"""Bits of `MemController.elements`."""


class MemController(wiring.Component):
    """A read engine (READ, GATHER) and a write engine (WRITE, SCATTER): turns words into accesses of tile 0.

    The micro-op of an element performed in cycle t is in `read_op` or `write_op`, from registers, in cycle
    ``t + mem_access`` (``t + d_skew`` for a write, the same cycle), in which tile 0 accesses its bank. Those of GATHER
    and SCATTER are in `gather_op` and `scatter_op` from ``t + d_skew`` on.

    Parameters
    ----------
    config : Config

    Attributes
    ----------
    start : In(1)
        Resets both engines.
    issue_valid, issue_word : In(1), In(64)
        A legal word of a MEM queue issues.
    read_op, write_op : Out(access_op)
    gather_op, scatter_op : Out(indexed_op)
    indexed_clk, indexed_rst : Out(1)
        Clock and reset for `hdl.mem.indexed_tile.IndexedTile` in every superlane.
    elements : Out(4)
        An element of READ, WRITE, GATHER, SCATTER is performed in this cycle.
    pending, busy_fault : Out(1)
        In the cycle of the element, see ``docs/rtl.md``.
    bank_conflict_fault : Out(1)
        In the cycle of the access.
    reads, drives : Out(2 * streams)
        In ``t + d_skew`` of all but READ, and ``t + d_func - 1`` of READ and GATHER.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        super().__init__(
            {
                "start": In(1),
                "issue_valid": In(1),
                "issue_word": In(WORD_BITS),
                "read_op": Out(access_op(config)),
                "write_op": Out(access_op(config)),
                "gather_op": Out(indexed_op(config)),
                "scatter_op": Out(indexed_op(config)),
                "indexed_clk": Out(1),
                "indexed_rst": Out(1),
                "elements": Out(len(MEM_ELEMENTS)),
                "pending": Out(1),
                "busy_fault": Out(1),
                "bank_conflict_fault": Out(1),
                "reads": Out(2 * config.streams),
                "drives": Out(2 * config.streams),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        table = timing(config)
        assert table.mem_access == 1
        assert all(table[name].d_skew == 1 for name in MEM_ELEMENTS[1:])
        assert table["READ"].d_func == table.mem_access + config.sram_latency + 1
        assert table["GATHER"].d_func == 3 + config.lanes + config.sram_latency

        m.submodules.read = read = MemEngine(config=config, writes=False)
        m.submodules.write = write = MemEngine(config=config, writes=True)
        for engine, op, indexed in (
            (read, self.read_op, self.gather_op),
            (write, self.write_op, self.scatter_op),
        ):
            m.d.comb += [
                engine.start.eq(self.start),
                engine.issue_valid.eq(self.issue_valid),
                engine.issue_word.eq(self.issue_word),
                op.eq(engine.op),
                indexed.eq(engine.indexed),
            ]
        m.d.comb += [
            self.elements.eq(Cat(read.element, write.element, read.element_indexed, write.element_indexed)),
            self.pending.eq(read.pending | write.pending),
            self.busy_fault.eq(read.busy_fault | write.busy_fault),
            self.bank_conflict_fault.eq((read.banks & write.banks).any()),
            self.reads.eq(
                self._stream(self.write_op.valid, self.write_op)
                | self._stream(self.scatter_op.take, self.scatter_op)
                | self._indices(self.gather_op)
                | self._indices(self.scatter_op)
            ),
        ]

        # From the first micro-op to the driver of the top tile.
        m.submodules.gate = gate = ActivityGate(linger=config.superlanes + config.sram_latency + 2)
        active = [op.take | op.read | op.write for op in (self.gather_op, self.scatter_op)]
        m.d.comb += [
            gate.busy.eq(Cat(active).any()),
            gate.flush.eq(self.start),
            self.indexed_clk.eq(gate.clock),
            self.indexed_rst.eq(gate.reset),
        ]

        # Cycles to t + d_func - 1: the word comes out of the SRAM; a gathered vector takes one more.
        last = self.gather_op.read & (self.gather_op.lane == config.lanes - 1)
        word = self._delayed(m, "read", self.read_op.valid, self.read_op, config.sram_latency)
        vector = self._delayed(m, "gather", last, self.gather_op, config.sram_latency + 1)
        m.d.comb += self.drives.eq(word | vector)
        return m

    def _delayed(self, m: Module, name: str, valid: Value, op: Any, cycles: int) -> Value:
        """Return the stream of a micro-op so many cycles after it was valid."""
        direction, stream = op.direction, op.stream
        for cycle in range(1, cycles + 1):
            later = [
                Signal(len(value), name=f"s{cycle}_{name}_{part}", reset_less=True)
                for part, value in (("valid", valid), ("direction", direction), ("stream", stream))
            ]
            m.d.sync += later[0].eq(valid & ~self.start)
            with m.If(valid):
                m.d.sync += [later[1].eq(direction), later[2].eq(stream)]
            valid, direction, stream = later
        return stream_set(valid, direction, stream, 1, self.config.streams)

    def _stream(self, valid: Value, op: Any) -> Value:
        return stream_set(valid, op.direction, op.stream, 1, self.config.streams)

    def _indices(self, op: Any) -> Value:
        return stream_set(op.take, op.map_direction, op.map_group, 2, self.config.streams)
