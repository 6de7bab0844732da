"""One engine of a MEM slice."""

from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.isa.instruction import WORD_BITS
from arch.isa.mem_rows import gather_accesses, scatter_accesses
from arch.isa.table import BY_MNEMONIC
from arch.timing import timing
from hdl.icu.burst import BurstEngine
from hdl.icu.legality import fields_of, has_opcode
from hdl.mem.micro_op import access_op, address_bits, indexed_op
from hdl.mem.sequencer import LaneSequencer

__all__ = ["MemEngine"]


class MemEngine(wiring.Component):
    """The engine that reads (READ and GATHER) or the one that writes (WRITE and SCATTER).

    Micro-ops come from registers one cycle after what causes them.

    Parameters
    ----------
    config : Config
    writes : bool

    Attributes
    ----------
    start : In(1)
        Resets to idle.
    issue_valid, issue_word : In(1), In(64)
        A legal word of a MEM queue issues, of whichever engine.
    op : Out(access_op)
        In cycle t + 1 of an element of READ or WRITE.
    indexed : Out(indexed_op)
        From t + 1 on of an element of GATHER or SCATTER.
    element, element_indexed : Out(1)
        An element of READ or WRITE, of GATHER or SCATTER, is performed in this cycle.
    pending : Out(1)
        Elements are still to come after this cycle.
    busy_fault : Out(1)
    banks : Out(2)
        Banks that this engine has for itself in this cycle.
    """

    def __init__(self, *, config: Config, writes: bool) -> None:
        self.config = config
        self.writes = writes
        super().__init__(
            {
                "start": In(1),
                "issue_valid": In(1),
                "issue_word": In(WORD_BITS),
                "op": Out(access_op(config)),
                "indexed": Out(indexed_op(config)),
                "element": Out(1),
                "element_indexed": Out(1),
                "pending": Out(1),
                "busy_fault": Out(1),
                "banks": Out(2),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        plain, indexed = ("WRITE", "SCATTER") if self.writes else ("READ", "GATHER")
        accesses = (scatter_accesses if self.writes else gather_accesses)(config)
        tail = timing(config).mem_free[indexed] - accesses - 1
        m.submodules.sequencer = sequencer = LaneSequencer(
            lanes=config.lanes, share=accesses // config.lanes, tail=tail
        )
        by_index = Signal()
        burst = self._burst(m, plain, indexed, by_index)
        m.d.comb += [
            self.element.eq(burst.element & ~by_index),
            self.element_indexed.eq(burst.element & by_index),
            self.pending.eq(burst.pending),
            self.busy_fault.eq(burst.busy | (burst.issue & sequencer.busy)),
            sequencer.start.eq(self.start),
            sequencer.element.eq(self.element_indexed),
        ]

        m.d.sync += self.op.valid.eq(self.element & ~self.start)
        with m.If(self.element):
            m.d.sync += self.op.addr.eq(burst.element_addr)
        sharing = Signal()
        m.d.sync += [
            self.indexed.take.eq(self.element_indexed & ~self.start),
            self.indexed.read.eq(sequencer.first & ~self.start),
            self.indexed.write.eq(sequencer.last & ~self.start if self.writes else Const(0, 1)),
            sharing.eq(sequencer.active & ~self.start),
        ]
        with m.If(sequencer.active):
            m.d.sync += self.indexed.lane.eq(sequencer.lane)
        m.d.comb += self.banks.eq(_bank(self.op.valid, self.op.addr) | _bank(sharing, self.indexed.addr))
        return m

    def _burst(self, m: Module, plain: str, indexed: str, by_index: Signal) -> BurstEngine:
        """Add the burst engine, and the parts of micro-ops that stay the same during a burst."""
        word = self.issue_word
        f, g = fields_of(BY_MNEMONIC[plain], word), fields_of(BY_MNEMONIC[indexed], word)
        is_indexed = has_opcode(indexed, word)
        engine = BurstEngine(addr_bits=address_bits(self.config), stride_bits=len(f.stride))
        m.submodules.burst = engine
        kept = Signal()
        either: dict[str, Any] = {
            name: Mux(is_indexed, getattr(g, name), getattr(f, name))
            for name in ("addr", "count", "interval", "dir", "stream")
        }
        m.d.comb += [
            by_index.eq(Mux(engine.issue, is_indexed, kept)),
            engine.start.eq(self.start),
            engine.issue.eq(self.issue_valid & (is_indexed | has_opcode(plain, word))),
            *(getattr(engine, name).eq(either[name]) for name in ("addr", "count", "interval")),
            engine.stride.eq(Mux(is_indexed, 0, f.stride)),
            engine.cont.eq(f.cont & ~is_indexed),
        ]
        with m.If(engine.issue):
            m.d.sync += [
                kept.eq(is_indexed),
                self.op.direction.eq(either["dir"]),
                self.op.stream.eq(either["stream"]),
                self.indexed.direction.eq(either["dir"]),
                self.indexed.stream.eq(either["stream"]),
                self.indexed.addr.eq(g.addr),
                self.indexed.map_direction.eq(g.map_dir),
                self.indexed.map_group.eq(g.map[1:]),
            ]
        return engine


def _bank(valid: Value, addr: Value) -> Value:
    """Return two bits that mark the bank of an address."""
    return Mux(valid, Const(1, 2) << addr[-1], 0)
