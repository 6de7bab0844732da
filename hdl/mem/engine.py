"""One engine of a MEM slice."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.isa.instruction import WORD_BITS
from arch.isa.table import BY_MNEMONIC
from hdl.icu.burst import BurstEngine
from hdl.icu.decode import fields_of, has_opcode
from hdl.mem.micro_op import access_op, address_bits, indexed_op
from hdl.span import span_shape

__all__ = ["MemEngine"]


class MemEngine(wiring.Component):
    """The engine that reads (READ and GATHER) or the one that writes (WRITE and SCATTER).

    Micro-ops come from registers one cycle after the element.

    Parameters
    ----------
    config : Config
    writes : bool

    Attributes
    ----------
    start : In(1)
        Resets to idle.
    issue_valid, issue_word, issue_span : In
        A legal word of a MEM queue issues, of whichever engine, and acts on so many superlanes.
    op : Out(access_op)
        In cycle t + 1 of an element of READ or WRITE.
    indexed : Out(indexed_op)
        The fields of a GATHER or SCATTER; ``take`` in cycle t + 1 of its element, ``read`` and ``write`` never.
    occupied : In(1)
        An element of GATHER or SCATTER needs the engine in this cycle.
    element, element_indexed : Out(1)
        An element of READ or WRITE, of GATHER or SCATTER, is performed in this cycle.
    pending : Out(1)
        Elements are still to come after this cycle.
    busy_fault : Out(1)
    """

    def __init__(self, *, config: Config, writes: bool) -> None:
        self.config = config
        self.writes = writes
        super().__init__(
            {
                "start": In(1),
                "issue_valid": In(1),
                "issue_word": In(WORD_BITS),
                "issue_span": In(span_shape(config)),
                "op": Out(access_op(config)),
                "indexed": Out(indexed_op(config)),
                "occupied": In(1),
                "element": Out(1),
                "element_indexed": Out(1),
                "pending": Out(1),
                "busy_fault": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plain, indexed = ("WRITE", "SCATTER") if self.writes else ("READ", "GATHER")
        by_index = Signal()
        burst = self._burst(m, plain, indexed, by_index)
        m.d.comb += [
            self.element.eq(burst.element & ~by_index),
            self.element_indexed.eq(burst.element & by_index),
            self.pending.eq(burst.pending),
            self.busy_fault.eq(burst.busy | (burst.issue & (self.indexed.take | self.occupied))),
        ]

        # A register between queue and bank: two SRAMs, one behind the other, would not fit a cycle.
        m.d.sync += self.op.valid.eq(self.element & ~self.start)
        with m.If(self.element):
            m.d.sync += self.op.addr.eq(burst.element_addr)
        m.d.sync += self.indexed.take.eq(self.element_indexed & ~self.start)
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
            # One burst engine serves both kinds, since an engine of a slice performs one burst at a time.
            by_index.eq(Mux(engine.issue, is_indexed, kept)),
            engine.start.eq(self.start),
            engine.issue.eq(self.issue_valid & (is_indexed | has_opcode(plain, word))),
            *(getattr(engine, name).eq(either[name]) for name in ("addr", "count", "interval")),
            # An indexed burst stays at its address, from which a READ or WRITE with `cont` then goes on.
            engine.stride.eq(Mux(is_indexed, 0, f.stride)),
            engine.cont.eq(f.cont & ~is_indexed),
        ]
        with m.If(engine.issue):
            m.d.sync += [
                kept.eq(is_indexed),
                self.op.direction.eq(either["dir"]),
                self.op.stream.eq(either["stream"]),
                self.op.span.eq(self.issue_span),
                self.indexed.direction.eq(either["dir"]),
                self.indexed.stream.eq(either["stream"]),
                self.indexed.span.eq(self.issue_span),
                self.indexed.addr.eq(g.addr),
                self.indexed.map_direction.eq(g.map_dir),
                self.indexed.map_group.eq(g.map[1:]),
            ]
        return engine
