"""The controller of the transpose unit."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.isa.instruction import WORD_BITS
from arch.isa.table import BY_MNEMONIC
from hdl.icu.legality import fields_of
from hdl.stream_set import stream_set
from hdl.sxm.micro_op import transpose_op

__all__ = ["TransposeController"]


class TransposeController(wiring.Component):
    """Turns TRANSPOSE words into micro-ops, one cycle later.

    Parameters
    ----------
    config
        The machine.

    Attributes
    ----------
    start : in 1
    issue_valid, issue_word : in 1, 64
        A legal word of a transpose queue.
    op : out transpose_op
        Micro-op of tile 0, in cycle t + 1.
    element : out 1
        In the cycle of the issue.
    reads : out 2 * streams
        In cycle t + 1.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        super().__init__(
            {
                "start": In(1),
                "issue_valid": In(1),
                "issue_word": In(WORD_BITS),
                "op": Out(transpose_op(config)),
                "element": Out(1),
                "reads": Out(2 * config.streams),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes, streams = self.config.lanes, self.config.streams
        fields = fields_of(BY_MNEMONIC["TRANSPOSE"], self.issue_word)
        in_group = (lanes - 1).bit_length()
        m.d.comb += self.element.eq(self.issue_valid)
        m.d.sync += self.op.valid.eq(self.issue_valid & ~self.start)
        with m.If(self.issue_valid):
            m.d.sync += [
                self.op.src_dir.eq(fields.src_dir),
                self.op.src.eq(fields.src[in_group:]),
                self.op.dst_dir.eq(fields.dst_dir),
                self.op.dst.eq(fields.dst[in_group:]),
            ]
        m.d.comb += self.reads.eq(stream_set(self.op.valid, self.op.src_dir, self.op.src, lanes, streams))
        return m
