"""The controller of a plane's activations queue."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.formats import DType
from arch.isa.instruction import WORD_BITS
from arch.isa.table import BY_MNEMONIC
from arch.timing import timing
from hdl.icu.burst import BurstEngine
from hdl.icu.decode import fields_of
from hdl.mxm.micro_op import activation_op
from hdl.span import span_shape

__all__ = ["ActivationsController"]


class ActivationsController(wiring.Component):
    """Turns ABC words into one micro-op per activation vector, one cycle after its element.

    What planes of a pair have to know of each other is in `hdl.mxm.pair.MxmPair`.

    Parameters
    ----------
    config
        The machine.

    Attributes
    ----------
    start : in 1
    issue_valid, issue_word, issue_span : in
        A legal word of an activations queue, and the superlanes that it acts on.
    loading : in 1
        From the weights controller.
    op, fp16_op : out activation_op
        Micro-op of tile 0, for the plane's array or the pair's fp16 array, in the cycle after `element`; installs with
        the first element only.
    fp16 : out 1
        The burst of `element` and `pending` is fp16.
    installs : out 1
        A burst that installs issues in this cycle.
    element, pending, busy_fault : out 1
        Element in this cycle, more to come, BUSY.
    operand_missed_fault : out 1
        In the cycle after the issue: it installed weights that were still on their way.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        assert timing(config)["ABC"].d_skew == 1, "the fault is raised with the read"
        super().__init__(
            {
                "start": In(1),
                "issue_valid": In(1),
                "issue_word": In(WORD_BITS),
                "issue_span": In(span_shape(config)),
                "loading": In(1),
                "op": Out(activation_op(config)),
                "fp16_op": Out(activation_op(config)),
                "fp16": Out(1),
                "installs": Out(1),
                "element": Out(1),
                "pending": Out(1),
                "busy_fault": Out(1),
                "operand_missed_fault": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        fields = fields_of(BY_MNEMONIC["ABC"], self.issue_word)
        m.submodules.burst = burst = BurstEngine(addr_bits=0, stride_bits=0)
        m.d.comb += [
            burst.start.eq(self.start),
            burst.issue.eq(self.issue_valid),
            burst.count.eq(fields.count),
            burst.interval.eq(fields.interval),
            self.element.eq(burst.element),
            self.pending.eq(burst.pending),
            self.busy_fault.eq(burst.busy),
        ]
        fp16 = Signal()
        m.d.comb += [
            self.installs.eq(self.issue_valid & fields.install),
            # Element 0 belongs to the word that issues, later ones to the burst.
            self.fp16.eq(Mux(self.issue_valid, fields.dtype == DType.FP16, fp16)),
        ]
        m.d.sync += [
            fp16.eq(self.fp16),
            self.op.valid.eq(burst.element & ~self.fp16 & ~self.start),
            self.fp16_op.valid.eq(burst.element & self.fp16 & ~self.start),
            self.op.install.eq(self.installs),
            self.fp16_op.install.eq(self.installs),
            self.operand_missed_fault.eq(self.installs & self.loading & ~self.start),
        ]
        with m.If(self.issue_valid):
            # What stays the same during a burst is held once, here, and not with every element.
            m.d.sync += [self.op.stream.eq(fields.stream), self.fp16_op.stream.eq(fields.stream)]
            m.d.sync += [self.op.span.eq(self.issue_span), self.fp16_op.span.eq(self.issue_span)]
        return m
