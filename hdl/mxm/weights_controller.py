"""The controller of a plane's weights queue."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.isa.instruction import WORD_BITS
from arch.isa.table import BY_MNEMONIC
from hdl.icu.burst import BurstEngine
from hdl.icu.decode import fields_of
from hdl.mxm.micro_op import load_op
from hdl.span import span_shape

__all__ = ["WeightsController"]


class WeightsController(wiring.Component):
    """Turns LW words into one micro-op per step, one cycle after it.

    Parameters
    ----------
    config
        The machine.

    Attributes
    ----------
    start : in 1
    issue_valid, issue_word, issue_span : in
        A legal word of a weights queue, and the superlanes that it acts on.
    op : out load_op
        Micro-op of tile 0, in the cycle after `element`.
    element, pending, busy_fault : out 1
        Step in this cycle, more to come, BUSY.
    loading : out 1
        A step of a load that issued in an earlier cycle: an install in this cycle would miss weights.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        super().__init__(
            {
                "start": In(1),
                "issue_valid": In(1),
                "issue_word": In(WORD_BITS),
                "issue_span": In(span_shape(config)),
                "op": Out(load_op(config)),
                "element": Out(1),
                "pending": Out(1),
                "busy_fault": Out(1),
                "loading": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        fields = fields_of(BY_MNEMONIC["LW"], self.issue_word)
        m.submodules.burst = burst = BurstEngine(addr_bits=0, stride_bits=0)
        reach = Signal(self.op.reach.shape())
        m.d.comb += [
            burst.start.eq(self.start),
            burst.issue.eq(self.issue_valid),
            burst.count.eq(fields.count),
            burst.interval.eq(1),
            self.element.eq(burst.element),
            self.pending.eq(burst.pending),
            self.busy_fault.eq(burst.busy),
            # An ABC that installs in the very cycle of an LW meets the buffer without it (docs/machine.md, section 5).
            self.loading.eq(burst.element & ~self.issue_valid),
            # Step i goes to column block count - 1 - i.
            reach.eq(Mux(self.issue_valid, fields.count - 1, self.op.reach - 1)),
        ]
        m.d.sync += self.op.valid.eq(burst.element & ~self.start)
        with m.If(burst.element):
            m.d.sync += self.op.reach.eq(reach)
        with m.If(self.issue_valid):
            m.d.sync += self.op.group.eq(fields.stream[(self.config.lanes - 1).bit_length() :])
            m.d.sync += self.op.span.eq(self.issue_span)
        return m
