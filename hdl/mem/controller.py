"""The controller of one MEM slice."""

from typing import Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.isa.instruction import WORD_BITS
from arch.isa.table import BY_MNEMONIC
from arch.timing import timing
from hdl.icu.burst import BurstEngine
from hdl.icu.legality import fields_of, has_opcode
from hdl.mem.micro_op import access_op, address_bits
from hdl.stream_set import stream_set

__all__ = ["MemController"]


class MemController(wiring.Component):
    """A read and a write engine: turns READ and WRITE words into accesses of tile 0.

    The micro-op of an element performed in cycle t is in `read_op` or `write_op`, from registers, in cycle
    ``t + mem_access`` (``t + d_skew`` for a write, the same cycle), in which tile 0 accesses its bank.

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
    element_read, element_write : Out(1)
        An element is performed in this cycle.
    pending, busy_fault : Out(1)
        In the cycle of the element, see ``docs/rtl.md``.
    bank_conflict_fault : Out(1)
        In the cycle of the access.
    reads, drives : Out(2 * streams)
        In ``t + d_skew`` of WRITE and ``t + d_func - 1`` of READ.
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
                "element_read": Out(1),
                "element_write": Out(1),
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
        assert table.mem_access == 1 and table["WRITE"].d_skew == 1
        assert table["READ"].d_func == table.mem_access + config.sram_latency + 1

        read = self._engine(m, "read", "READ", self.read_op)
        write = self._engine(m, "write", "WRITE", self.write_op)
        bank = address_bits(config) - 1
        m.d.comb += [
            self.element_read.eq(read.element),
            self.element_write.eq(write.element),
            self.pending.eq(read.pending | write.pending),
            self.busy_fault.eq(read.busy | write.busy),
            self.bank_conflict_fault.eq(
                self.read_op.valid & self.write_op.valid & (self.read_op.addr[bank] == self.write_op.addr[bank])
            ),
            self.reads.eq(_streams(self.write_op, config)),
        ]

        # Cycles to t + d_func - 1: the word comes out of the SRAM.
        op = self.read_op
        for cycle in range(config.sram_latency):
            later = Signal(access_op(config), name=f"s{2 + cycle}_read_op", reset_less=True)
            m.d.sync += later.valid.eq(op.valid & ~self.start)
            with m.If(op.valid):
                m.d.sync += [later.direction.eq(op.direction), later.stream.eq(op.stream)]
            op = later
        m.d.comb += self.drives.eq(_streams(op, config))
        return m

    def _engine(self, m: Module, name: str, mnemonic: str, op: Any) -> BurstEngine:
        """Add a burst engine and the register of its micro-op."""
        fields = fields_of(BY_MNEMONIC[mnemonic], self.issue_word)
        engine = BurstEngine(addr_bits=address_bits(self.config), stride_bits=len(fields.stride))
        m.submodules[name] = engine
        m.d.comb += [
            engine.start.eq(self.start),
            engine.issue.eq(self.issue_valid & has_opcode(mnemonic, self.issue_word)),
            *(getattr(engine, field).eq(getattr(fields, field)) for field in ("count", "interval", "stride", "cont")),
            engine.addr.eq(fields.addr),
        ]
        m.d.sync += op.valid.eq(engine.element & ~self.start)
        with m.If(engine.element):
            m.d.sync += op.addr.eq(engine.element_addr)
        with m.If(engine.issue):
            m.d.sync += [op.direction.eq(fields.dir), op.stream.eq(fields.stream)]
        return engine


def _streams(op: Any, config: Config) -> Value:
    return stream_set(op.valid, op.direction, op.stream, 1, config.streams)
