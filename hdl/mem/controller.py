"""The controller of one MEM slice."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.isa.instruction import WORD_BITS
from arch.timing import timing
from hdl.mem.engine import MemEngine
from hdl.mem.indexed_control import IndexedControl
from hdl.mem.micro_op import access_op, indexed_op
from hdl.shared import place
from hdl.span import span_shape
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
    issue_valid, issue_word, issue_span : In
        A legal word of a MEM queue issues, and acts on so many superlanes.
    read_op, write_op : Out(access_op)
    gather_op, scatter_op : Out(indexed_op)
    indexed_busy : Out(1)
        From registers: something of GATHER or SCATTER enters tile 0, or will.
    indexed_clk, indexed_rst : In(1)
        See `hdl.mem.indexed_clock`.
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
                "issue_span": In(span_shape(config)),
                "read_op": Out(access_op(config)),
                "write_op": Out(access_op(config)),
                "gather_op": Out(indexed_op(config)),
                "scatter_op": Out(indexed_op(config)),
                "indexed_busy": Out(1),
                "indexed_clk": In(1),
                "indexed_rst": In(1),
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
        # The pipeline below is written for these latencies; the table is where they would change.
        assert table.mem_access == 1
        assert all(table[name].d_skew == 1 for name in MEM_ELEMENTS[1:])
        assert table["READ"].d_func == table.mem_access + config.sram_latency + 1
        assert table["GATHER"].d_func == 4 + config.lanes + config.sram_latency
        assert table.mem_free["GATHER"] == config.lanes + 3

        m.submodules.read = read = MemEngine(config=config, writes=False)
        m.submodules.write = write = MemEngine(config=config, writes=True)
        indexed = IndexedControl(config=config)
        m.submodules.indexed_control = place(
            indexed, clk=self.indexed_clk, rst=self.indexed_rst, gather_in=read.indexed, scatter_in=write.indexed
        )
        m.d.comb += [
            self.indexed_busy.eq(read.indexed.take | write.indexed.take | indexed.occupied.any()),
            self.read_op.eq(read.op),
            self.write_op.eq(write.op),
            self.gather_op.eq(indexed.gather),
            self.scatter_op.eq(indexed.scatter),
        ]
        for number, engine in enumerate((read, write)):
            m.d.comb += [
                engine.start.eq(self.start),
                engine.issue_valid.eq(self.issue_valid),
                engine.issue_word.eq(self.issue_word),
                engine.issue_span.eq(self.issue_span),
                engine.occupied.eq(indexed.occupied[number]),
            ]
        # An indexed element uses its bank for many cycles, in which `sharing` says so.
        read_banks, write_banks = (
            _bank(engine.op.valid, engine.op.addr) | _bank(sharing, engine.indexed.addr)
            for engine, sharing in zip((read, write), indexed.sharing, strict=True)
        )
        m.d.comb += [
            self.elements.eq(Cat(read.element, write.element, read.element_indexed, write.element_indexed)),
            self.pending.eq(read.pending | write.pending),
            self.busy_fault.eq(read.busy_fault | write.busy_fault),
            self.bank_conflict_fault.eq((read_banks & write_banks).any()),
            # Of the writing engine, WRITE and SCATTER name their data alike.
            self.reads.eq(
                self._stream(write.op.valid | write.indexed.take, write.op.direction, write.op.stream)
                | self._indices(read.indexed)
                | self._indices(write.indexed)
            ),
        ]

        # Cycles to t + d_func - 1: the word comes out of the SRAM. A vector and a word never come together.
        valid, direction, stream = self._delayed(m, read.op)
        m.d.comb += self.drives.eq(
            self._stream(
                valid | indexed.drive_valid,
                Mux(indexed.drive_valid, indexed.drive_direction, direction),
                Mux(indexed.drive_valid, indexed.drive_stream, stream),
            )
        )
        return m

    def _delayed(self, m: Module, op: Any) -> tuple[Value, Value, Value]:
        """Return ``valid``, ``direction`` and ``stream`` of a micro-op `sram_latency` cycles later."""
        valid, direction, stream = op.valid, op.direction, op.stream
        for cycle in range(self.config.sram_latency):
            later = [
                Signal(len(value), name=f"s{2 + cycle}_{part}", reset_less=True)
                for part, value in (("valid", valid), ("direction", direction), ("stream", stream))
            ]
            m.d.sync += later[0].eq(valid & ~self.start)
            with m.If(valid):
                m.d.sync += [later[1].eq(direction), later[2].eq(stream)]
            valid, direction, stream = later
        return valid, direction, stream

    def _stream(self, valid: Value, direction: Value, stream: Value) -> Value:
        return stream_set(valid, direction, stream, 1, self.config.streams)

    def _indices(self, op: Any) -> Value:
        return stream_set(op.take, op.map_direction, op.map_group, 2, self.config.streams)


def _bank(valid: Value, addr: Value) -> Value:
    """Return two bits that mark the bank of an address."""
    return Mux(valid, Const(1, 2) << addr[-1], 0)
