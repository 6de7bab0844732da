"""Instruction queue: issues one unit's words in their cycles."""

from amaranth.hdl import ClockSignal, Instance, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.geometry import Unit, UnitKind
from arch.isa.instruction import WORD_BITS
from arch.isa.table import BY_MNEMONIC
from hdl.icu.decode import fields_of, has_opcode
from hdl.icu.legality import CONTROL, is_legal_control, is_legal_operation
from hdl.span import span_shape

__all__ = ["InstructionQueue"]


class InstructionQueue(wiring.Component):
    """A ring of `queue_depth` words that START rewinds, and the control instructions.

    The word at the head shows combinationally in the cycle in which it issues (latency 0, one per cycle). The SRAM read
    of the next word runs one cycle ahead, so that a word that is written in cycle c can issue from c + 2 on. The clock
    may stand still while the queue is closed or parked and nothing else happens to it: see `idle`.

    Parameters
    ----------
    config
    kind
        Unit it feeds: decides which words are legal.
    column
        What legality depends on: VXM: mesh column of the ALU, MXM activations: plane; else 0.

    Attributes
    ----------
    push, fetch, push_word : in
        Append a word: the host's, while the machine is stopped, or a fetched one.
    clear : in 1
        Empty the queue.
    start : in 1
        The cycle before cycle 0: go to place 0 and the host's words.
    run : in 1
        High in every cycle of the run from cycle 0 on.
    release : in 1
        Parked queues go on in the next cycle.
    issue_valid, issue_word : out
        A legal word of the unit issues in this cycle.
    issue_span : out
        Superlanes that it acts on, from superlane 0 up: what the last CONFIG said.
    fetch_valid, notify : out 1
        A legal IFETCH (which `issue_word` shows) or a NOTIFY issues in this cycle.
    closed : out 1
        No word will issue any more: END has issued before this cycle, or the queue has no words.
    parked : out 1
        A SYNC has issued before this cycle and waits for its release.
    idle : out 1
        Closed or parked; from registers.
    illegal_fault, underrun_fault : out 1
        In this cycle (see `arch.faults`).
    overrun_fault : out 1
        `push` or `fetch` to a full queue.
    """

    def __init__(self, *, config: Config, kind: UnitKind, column: int = 0) -> None:
        self.config = config
        self.kind = kind
        self.column = column
        super().__init__(
            {
                "push": In(1),
                "fetch": In(1),
                "push_word": In(WORD_BITS),
                "clear": In(1),
                "start": In(1),
                "run": In(1),
                "release": In(1),
                "issue_valid": Out(1),
                "issue_word": Out(WORD_BITS),
                "issue_span": Out(span_shape(config)),
                "fetch_valid": Out(1),
                "notify": Out(1),
                "closed": Out(1, init=1),
                "parked": Out(1),
                "idle": Out(1),
                "illegal_fault": Out(1),
                "underrun_fault": Out(1),
                "overrun_fault": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        head, consume = Signal(WORD_BITS), Signal()
        lacking = self._ring(m, head, consume)

        # Every word comes to the head with ticks = 1: for REPEAT that is one cycle after the last issue.
        ticks = Signal(BY_MNEMONIC["NOP"].offsets["count"][1].width)
        repeats = Signal(BY_MNEMONIC["REPEAT"].offsets["count"][1].width)
        last_word = Signal(WORD_BITS, reset_less=True)
        repeatable = Signal()

        active = Signal()
        is_ = {name: Signal(name=f"is_{name.lower()}") for name in CONTROL}
        nop_fields, repeat_fields, config_fields = (
            fields_of(BY_MNEMONIC[name], head) for name in ("NOP", "REPEAT", "CONFIG")
        )
        legal_repeat, legal_fetch, legal_config, legal = Signal(), Signal(), Signal(), Signal()
        unit = Unit(0, self.kind, "", 0, None, self.column)
        m.d.comb += [
            self.idle.eq(self.closed | self.parked),
            active.eq(self.run & ~self.idle),
            self.underrun_fault.eq(active & lacking),
            *(signal.eq(has_opcode(name, head)) for name, signal in is_.items()),
            legal_repeat.eq(repeatable & is_legal_control("REPEAT", self.config, unit, head)),
            legal_fetch.eq(is_legal_control("IFETCH", self.config, unit, head)),
            legal_config.eq(is_legal_control("CONFIG", self.config, unit, head)),
            # Legality is judged beside the word's use, not before it: a word must issue in the cycle in which it is at
            # the head.
            legal.eq(is_legal_operation(m, self.config, unit, head)),
            self.issue_word.eq(Mux(is_["REPEAT"], last_word, head)),
        ]
        with m.If(active & ~self.underrun_fault):
            with m.If(is_["NOP"]):
                m.d.comb += [
                    self.illegal_fault.eq(nop_fields.count == 0),
                    consume.eq(ticks == nop_fields.count),
                ]
            # REPEAT stays at the head until its last issue; what it repeats is in `last_word`.
            with m.Elif(is_["REPEAT"]):
                fire = Signal()
                m.d.comb += [
                    self.illegal_fault.eq(~legal_repeat),
                    fire.eq(legal_repeat & (ticks == repeat_fields.interval)),
                    self.issue_valid.eq(fire),
                    consume.eq(fire & (repeats + 1 == repeat_fields.count)),
                ]
                with m.If(fire):
                    m.d.sync += repeats.eq(Mux(consume, 0, repeats + 1))
            with m.Elif(is_["END"]):
                m.d.comb += consume.eq(1)
                m.d.sync += self.closed.eq(1)
            with m.Elif(is_["SYNC"]):
                m.d.comb += consume.eq(1)
                # A release that comes in the very cycle of a SYNC is for it too: the next word issues one cycle later
                # either way.
                m.d.sync += self.parked.eq(~self.release)
            with m.Elif(is_["NOTIFY"]):
                m.d.comb += [consume.eq(1), self.notify.eq(1)]
            with m.Elif(is_["IFETCH"]):
                m.d.comb += [
                    self.illegal_fault.eq(~legal_fetch),
                    self.fetch_valid.eq(legal_fetch),
                    consume.eq(legal_fetch),
                ]
            with m.Elif(is_["CONFIG"]):
                m.d.comb += [self.illegal_fault.eq(~legal_config), consume.eq(legal_config)]
                with m.If(legal_config):
                    m.d.sync += self.issue_span.eq(config_fields.superlanes)
            with m.Else():
                m.d.comb += [
                    self.illegal_fault.eq(~legal),
                    self.issue_valid.eq(legal),
                    consume.eq(legal),
                ]
                m.d.sync += last_word.eq(head)
            m.d.sync += ticks.eq(Mux(consume | self.issue_valid, 1, ticks + 1))
            with m.If(consume):
                m.d.sync += repeatable.eq(self.issue_valid)
        with m.If(self.parked & self.release):
            m.d.sync += self.parked.eq(0)
        with m.If(self.start):
            m.d.sync += [ticks.eq(1), repeats.eq(0), repeatable.eq(0), self.parked.eq(0)]
            m.d.sync += self.issue_span.eq(self.config.superlanes)
        return m

    def _ring(self, m: Module, head: Signal, consume: Signal) -> Signal:
        """Add the words and their places; return whether the head shows none in this cycle.

        Places count modulo ``2 * queue_depth``, so that a full ring differs from an empty one. The read of the next
        word comes with `consume`; that of a parked queue, whose next word may arrive later, with its release.
        """
        depth = self.config.queue_depth
        hosted, written, visible, index = (
            Signal(range(2 * depth), name=name) for name in ("hosted", "written", "visible", "head_index")
        )
        write, lacking = Signal(), Signal()
        m.submodules.words = Instance(
            "takt_sram_1r1w",
            p_WIDTH=WORD_BITS,
            p_DEPTH=depth,
            i_clk=ClockSignal(),
            i_re=self.start | consume | (self.parked & self.release),
            i_raddr=Mux(self.start, 0, (index + consume)[: len(index) - 1]),
            o_rdata=head,
            i_we=write,
            i_waddr=Mux(self.push, hosted, written)[: len(index) - 1],
            i_wdata=self.push_word,
        )
        full = Mux(self.push, hosted == depth, (written - index)[: len(index)] == depth)
        m.d.comb += [
            lacking.eq(visible == index),
            self.overrun_fault.eq((self.push | self.fetch) & full),
            write.eq((self.push | self.fetch) & ~full),
        ]
        # The SRAM returns the old word in the cycle of a write: a new one is visible one cycle later.
        m.d.sync += visible.eq(written)
        with m.If(self.clear):
            m.d.sync += hosted.eq(0)
        # `hosted` stays when text is fetched, since START begins a further run with the host's words alone.
        with m.Elif(self.push & write):
            m.d.sync += hosted.eq(hosted + 1)
        with m.If(self.fetch & write):
            m.d.sync += written.eq(written + 1)
        with m.If(consume):
            m.d.sync += index.eq(index + 1)
        with m.If(self.start):
            m.d.sync += [written.eq(hosted), visible.eq(hosted), index.eq(0), self.closed.eq(hosted == 0)]
        return lacking
