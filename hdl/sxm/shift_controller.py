"""The controller of a shift unit."""

from amaranth.hdl import Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.isa.instruction import WORD_BITS
from arch.isa.table import BY_MNEMONIC
from hdl.icu.legality import fields_of, has_opcode
from hdl.stream_set import stream_set
from hdl.sxm.micro_op import shift_op

__all__ = ["ShiftController"]

_COMMON = ("src_dir", "src", "dst_dir", "dst", "amount")


class ShiftController(wiring.Component):
    """Turns SHIFT and SELECT words into micro-ops, one cycle later.

    Parameters
    ----------
    config
        The machine.

    Attributes
    ----------
    start : in 1
    issue_valid, issue_word : in 1, 64
        A legal word of a shift queue.
    op : out shift_op
        Micro-op of tile 0, in cycle t + 1.
    element : out 1
        In the cycle of the issue.
    reads : out 2 * streams
        In cycle t + 1.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        shift, select = BY_MNEMONIC["SHIFT"].offsets, BY_MNEMONIC["SELECT"].offsets
        assert all(shift[name][0] == select[name][0] for name in _COMMON), "one slice serves both"
        super().__init__(
            {
                "start": In(1),
                "issue_valid": In(1),
                "issue_word": In(WORD_BITS),
                "op": Out(shift_op(config)),
                "element": Out(1),
                "reads": Out(2 * config.streams),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        length, streams = self.config.vector_length, self.config.streams
        shift = fields_of(BY_MNEMONIC["SHIFT"], self.issue_word)
        select = fields_of(BY_MNEMONIC["SELECT"], self.issue_word)
        joins = has_opcode("SELECT", self.issue_word)
        down = has_opcode("SHIFT", self.issue_word) & shift.down
        from_top = length - shift.amount

        # Cycle t: issue.
        m.d.comb += self.element.eq(self.issue_valid)
        m.d.sync += self.op.valid.eq(self.issue_valid & ~self.start)
        with m.If(self.issue_valid):
            m.d.sync += [
                self.op.src_dir.eq(shift.src_dir),
                self.op.src.eq(shift.src),
                self.op.join.eq(joins),
                self.op.low_dir.eq(select.low_dir),
                self.op.low.eq(select.low),
                self.op.bound.eq(Mux(down, from_top, shift.amount)),
                self.op.below.eq(down),
                self.op.dst_dir.eq(shift.dst_dir),
                self.op.dst.eq(shift.dst),
            ]
            # A shift by the whole vector keeps no lane, so that its rotation does not matter.
            with m.If(joins | (shift.amount == 0)):
                m.d.sync += self.op.rotate.eq(0)
            with m.Else():
                m.d.sync += self.op.rotate.eq(Mux(down, from_top, shift.amount))

        # Cycle t + 1: operands.
        m.d.comb += self.reads.eq(
            stream_set(self.op.valid, self.op.src_dir, self.op.src, 1, streams)
            | stream_set(self.op.valid & self.op.join, self.op.low_dir, self.op.low, 1, streams)
        )
        return m
