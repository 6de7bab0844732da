"""The controller of a plane's results queue."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.isa.instruction import WORD_BITS
from arch.isa.table import BY_MNEMONIC
from arch.timing import timing
from hdl.icu.burst import BurstEngine
from hdl.icu.decode import fields_of
from hdl.mxm.micro_op import result_op
from hdl.span import span_shape

__all__ = ["ResultsController"]


class ResultsController(wiring.Component):
    """Turns ACC words into one micro-op per result, one cycle after its element, and counts the array's results.

    Parameters
    ----------
    config
        The machine.

    Attributes
    ----------
    start : in 1
    issue_valid, issue_word, issue_span : in
        A legal word of a results queue, and the superlanes that it acts on.
    activation, fp16_activation : in 1
        An int8 or fp16 element of the activations queue in this cycle: its result must be taken by the element
        `acc_after_abc` or `acc_after_fp16_abc` cycles later.
    op : out result_op
        Micro-op of tile 0, in the cycle after `element`.
    element, pending, busy_fault : out 1
        Element in this cycle, more to come, BUSY.
    operand_missed_fault : out 1
        A result that no element of its format takes, or an element without a result of its format, in the cycle in
        which it was due.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        assert timing(config)["ACC"].d_skew == 1, "the fault is raised with the micro-op"
        super().__init__(
            {
                "start": In(1),
                "issue_valid": In(1),
                "issue_word": In(WORD_BITS),
                "issue_span": In(span_shape(config)),
                "activation": In(1),
                "fp16_activation": In(1),
                "op": Out(result_op(config)),
                "element": Out(1),
                "pending": Out(1),
                "busy_fault": Out(1),
                "operand_missed_fault": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        fields = fields_of(BY_MNEMONIC["ACC"], self.issue_word)
        m.submodules.burst = burst = BurstEngine(addr_bits=len(self.op.addr), stride_bits=len(fields.stride))
        m.d.comb += [
            burst.start.eq(self.start),
            burst.issue.eq(self.issue_valid),
            burst.count.eq(fields.count),
            burst.interval.eq(fields.interval),
            burst.addr.eq(fields.addr),
            burst.stride.eq(fields.stride),
            self.element.eq(burst.element),
            self.pending.eq(burst.pending),
            self.busy_fault.eq(burst.busy),
        ]
        m.d.sync += self.op.valid.eq(burst.element & ~self.start)
        with m.If(burst.element):
            m.d.sync += self.op.addr.eq(burst.element_addr)
        with m.If(self.issue_valid):
            m.d.sync += [
                self.op.add.eq(fields.add),
                self.op.emit.eq(fields.emit),
                self.op.fp32.eq(fields.float),
                self.op.group.eq(fields.stream[2:]),
                self.op.span.eq(self.issue_span),
            ]

        # Bit k: an activation entered the array k + 1 cycles ago.
        coming = Signal(timing(self.config).acc_after_abc)
        fp16_coming = Signal(timing(self.config).acc_after_fp16_abc)
        fp16 = Signal()
        m.d.comb += fp16.eq(Mux(self.issue_valid, fields.float, self.op.fp32))
        m.d.sync += [
            coming.eq(Cat(self.activation, coming)[: len(coming)]),
            fp16_coming.eq(Cat(self.fp16_activation, fp16_coming)[: len(fp16_coming)]),
            self.operand_missed_fault.eq(
                # A result without an ACC, and an ACC without a result, are the same fault.
                (coming[-1] ^ (burst.element & ~fp16)) | (fp16_coming[-1] ^ (burst.element & fp16))
            ),
        ]
        with m.If(self.start):
            m.d.sync += [coming.eq(0), fp16_coming.eq(0), self.operand_missed_fault.eq(0)]
        return m
