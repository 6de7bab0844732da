"""Instruction queue: issues one unit's words in their cycles."""

from amaranth.hdl import ClockSignal, Instance, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.geometry import Unit, UnitKind
from arch.isa.instruction import WORD_BITS
from arch.isa.table import BY_MNEMONIC
from hdl.icu.legality import fields_of, has_opcode, is_legal_operation

__all__ = ["InstructionQueue"]


class InstructionQueue(wiring.Component):
    """A FIFO of `queue_depth` words that START rewinds, and the control instructions NOP, REPEAT and END.

    The word at the head shows combinationally in the cycle in which it issues (latency 0, one per cycle). The SRAM read
    of the next word runs one cycle ahead.

    Parameters
    ----------
    config
    kind
        Unit it feeds: decides which words are legal.
    column
        What legality depends on: VXM: mesh column of the ALU, MXM activations: plane; else 0.

    Attributes
    ----------
    push, push_word : in
        Append a word; while the machine is stopped.
    clear : in 1
        Empty the queue.
    start : in 1
        The cycle before cycle 0: rewind.
    run : in 1
        High in every cycle of the run from cycle 0 on.
    issue_valid, issue_word : out
        A legal word of the unit issues in this cycle.
    closed : out 1
        No word will issue any more: END has issued before this cycle, or the queue has no words.
    illegal_fault, underrun_fault : out 1
        In this cycle (see `arch.faults`).
    overrun_fault : out 1
        `push` to a full queue.
    """

    def __init__(self, *, config: Config, kind: UnitKind, column: int = 0) -> None:
        self.config = config
        self.kind = kind
        self.column = column
        super().__init__(
            {
                "push": In(1),
                "push_word": In(WORD_BITS),
                "clear": In(1),
                "start": In(1),
                "run": In(1),
                "issue_valid": Out(1),
                "issue_word": Out(WORD_BITS),
                "closed": Out(1, init=1),
                "illegal_fault": Out(1),
                "underrun_fault": Out(1),
                "overrun_fault": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        depth = self.config.queue_depth
        unit = Unit(0, self.kind, "", 0, None, self.column)

        fill = Signal(range(depth + 1))
        head_index = Signal(range(depth + 1))
        head = Signal(WORD_BITS)
        consume = Signal()
        address = Signal(range(depth))
        m.submodules.words = Instance(
            "takt_sram",
            p_WIDTH=WORD_BITS,
            p_DEPTH=depth,
            p_LATENCY=1,
            i_clk=ClockSignal(),
            i_en=self.start | consume | (self.push & ~self.overrun_fault),
            i_we=self.push,
            i_addr=address,
            i_wdata=self.push_word,
            o_rdata=head,
        )
        m.d.comb += [
            self.overrun_fault.eq(self.push & (fill == depth)),
            address.eq(Mux(self.push, fill, Mux(self.start, 0, head_index + 1))),
        ]
        with m.If(self.clear):
            m.d.sync += fill.eq(0)
        with m.Elif(self.push & ~self.overrun_fault):
            m.d.sync += fill.eq(fill + 1)

        # Every word comes to the head with ticks = 1: for REPEAT that is one cycle after the last issue.
        ticks = Signal(BY_MNEMONIC["NOP"].offsets["count"][1].width)
        repeats = Signal(BY_MNEMONIC["REPEAT"].offsets["count"][1].width)
        last_word = Signal(WORD_BITS, reset_less=True)
        repeatable = Signal()

        active = Signal()
        nop, repeat, end = (Signal(name=name) for name in ("is_nop", "is_repeat", "is_end"))
        nop_fields, repeat_fields = (fields_of(BY_MNEMONIC[name], head) for name in ("NOP", "REPEAT"))
        legal_repeat, legal = Signal(), Signal()
        m.d.comb += [
            active.eq(self.run & ~self.closed),
            self.underrun_fault.eq(active & (head_index == fill)),
            nop.eq(has_opcode("NOP", head)),
            repeat.eq(has_opcode("REPEAT", head)),
            end.eq(has_opcode("END", head)),
            legal_repeat.eq(repeatable & (repeat_fields.count != 0) & (repeat_fields.interval != 0)),
            legal.eq(is_legal_operation(m, self.config, unit, head)),
            self.issue_word.eq(Mux(repeat, last_word, head)),
        ]
        with m.If(active & ~self.underrun_fault):
            with m.If(nop):
                m.d.comb += [
                    self.illegal_fault.eq(nop_fields.count == 0),
                    consume.eq(ticks == nop_fields.count),
                ]
            with m.Elif(repeat):
                fire = Signal()
                m.d.comb += [
                    self.illegal_fault.eq(~legal_repeat),
                    fire.eq(legal_repeat & (ticks == repeat_fields.interval)),
                    self.issue_valid.eq(fire),
                    consume.eq(fire & (repeats + 1 == repeat_fields.count)),
                ]
                with m.If(fire):
                    m.d.sync += repeats.eq(Mux(consume, 0, repeats + 1))
            with m.Elif(end):
                m.d.sync += self.closed.eq(1)
            with m.Else():
                m.d.comb += [
                    self.illegal_fault.eq(~legal),
                    self.issue_valid.eq(legal),
                    consume.eq(legal),
                ]
                m.d.sync += last_word.eq(head)
            m.d.sync += ticks.eq(Mux(consume | self.issue_valid, 1, ticks + 1))
            with m.If(consume):
                m.d.sync += [head_index.eq(head_index + 1), repeatable.eq(~nop)]
        with m.If(self.start):
            m.d.sync += [
                head_index.eq(0),
                ticks.eq(1),
                repeats.eq(0),
                repeatable.eq(0),
                self.closed.eq(fill == 0),
            ]
        return m
