"""The fetch port of a position."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.isa.instruction import OPCODE_BITS, WORD_BITS
from arch.isa.table import BY_MNEMONIC
from arch.timing import timing
from hdl.ecc.reader import REPORT_DELAY, ecc_ports
from hdl.icu.decode import fields_of
from hdl.icu.fetch_op import fetch_op
from hdl.stream_set import stream_set

__all__ = ["FIELD_BITS", "FetchPort"]

_ROW = BY_MNEMONIC["IFETCH"]
FIELD_BITS = sum(field.width for field in _ROW.fields)
"""Bits of an IFETCH above the opcode that mean something."""


class FetchPort(wiring.Component):
    """Carries out the IFETCHes of a position's queues, one at a time.

    Of an IFETCH that issues at t, vector k is read in tile 0 in cycle ``t + 1 + 2 * superlanes * k``; its portions come
    down every other cycle from the next one on and leave as words of 64 bits: `lanes` = 16 two in two cycles, 8 one, 4
    one of every two portions.

    Parameters
    ----------
    config
    queues
        Number of queues at the position, in queue order.

    Attributes
    ----------
    start : in 1
        Forgets everything.
    request : in queues
        A legal IFETCH issues in this cycle.
    fields_0, fields_1, ... : in FIELD_BITS
        Its fields.
    busy_fault : out queues
        In the same cycle.
    element : out 1
        In cycle ``t + 2 * superlanes * k`` of vector k. It retires later than the next one is performed, so that a run
        does not end between two.
    under_way : out 1
        From registers: something of a fetch is under way, here or in the tiles.
    op : out fetch_op
        Of tile 0, in the cycle after `element`.
    reads : out queues * 2 * streams
        Streams read for each queue in that cycle; eastward lowest.
    portion : in lanes * 8
        From tile 0.
    push : out queues; push_word : out 64
        A word for a queue.
    tile_corrected, tile_uncorrectable : in superlanes
        With ECC: what the tiles report, see `hdl.ecc.reader`.
    corrected, uncorrectable : out queues * superlanes
        The same by queue, in the same cycle; superlane 0 lowest.
    """

    def __init__(self, *, config: Config, queues: int) -> None:
        self.config = config
        self.queues = queues
        super().__init__(
            {
                "start": In(1),
                "request": In(queues),
                **{f"fields_{index}": In(FIELD_BITS) for index in range(queues)},
                "busy_fault": Out(queues),
                "element": Out(1),
                "under_way": Out(1),
                "op": Out(fetch_op(config)),
                "reads": Out(queues * 2 * config.streams),
                "portion": In(8 * config.lanes),
                "push": Out(queues),
                "push_word": Out(WORD_BITS),
                **{f"tile_{name}": In(config.superlanes) for name in ecc_ports(config)},
                **ecc_ports(config, queues * config.superlanes),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, queues = self.config, self.queues
        spacing = 2 * config.superlanes
        assert timing(config)["IFETCH"].d_skew == 1 and timing(config)["IFETCH"].retire > spacing

        # The lowest queue that asks is served.
        word = Signal(FIELD_BITS)
        first = Signal(queues)
        issue = Signal()
        for index in reversed(range(queues)):
            with m.If(self.request[index]):
                m.d.comb += [word.eq(getattr(self, f"fields_{index}")), first.eq(1 << index)]
        fields = fields_of(_ROW, Cat(Const(0, OPCODE_BITS), word))

        # `left` counts the vectors not yet down, the one under way included; the last cycle of one has `wait` 0.
        left = Signal(len(fields.count))
        wait = Signal(range(spacing))
        owner = Signal(queues)
        running, last = Signal(), Signal()
        m.d.comb += [
            issue.eq(self.request.any()),
            running.eq(left != 0),
            last.eq((left == 1) & (wait == 0)),
            self.busy_fault.eq(self.request & ~Mux(running & ~last, 0, first)),
            self.element.eq(issue | (running & (wait == 0) & (left != 1))),
        ]
        with m.If(issue):
            m.d.sync += [left.eq(fields.count), wait.eq(spacing - 1), owner.eq(first)]
            m.d.sync += [self.op.direction.eq(fields.dir), self.op.stream.eq(fields.stream)]
        with m.Elif(running):
            m.d.sync += wait.eq(Mux(wait == 0, spacing - 1, wait - 1))
            with m.If(wait == 0):
                m.d.sync += left.eq(left - 1)
        m.d.sync += self.op.valid.eq(self.element)
        reads = stream_set(self.op.valid, self.op.direction, self.op.stream, 1, config.streams)
        m.d.comb += self.reads.eq(Cat(Mux(owner[index], reads, 0) for index in range(queues)))

        # A portion comes down in the second of every two cycles.
        arrived = Signal()
        m.d.comb += arrived.eq(running & ~wait[0])
        second = self._words(m, arrived, wait, owner)
        reports = self._reports(m, owner) if config.ecc else Const(0, 1)
        m.d.comb += self.under_way.eq(running | second | reports)
        with m.If(self.start):
            m.d.sync += [left.eq(0), self.op.valid.eq(0)]
        return m

    def _reports(self, m: Module, owner: Signal) -> Value:
        """Give the tiles' reports to the queue for which they read; return whether there may be some to come."""
        rows = self.config.superlanes
        # Who read in tile 0 so many cycles before: superlane r reports REPORT_DELAY + r cycles after that.
        reader: Value = Mux(self.op.valid, owner, 0)
        readers = []
        for stage in range(REPORT_DELAY + rows - 1):
            later = Signal(self.queues, name=f"s{stage + 1}_reader")
            m.d.sync += later.eq(Mux(self.start, 0, reader))
            reader = later
            readers.append(later)
        for name in ecc_ports(self.config):
            found = getattr(self, f"tile_{name}")
            m.d.comb += getattr(self, name).eq(
                Cat(
                    found[row] & readers[REPORT_DELAY - 1 + row][queue]
                    for queue in range(self.queues)
                    for row in range(rows)
                )
            )
        return Cat(readers).any()

    def _words(self, m: Module, arrived: Value, wait: Signal, owner: Signal) -> Value:
        """Make words of portions; return whether one is left after the last portion."""
        size = len(self.portion)
        if size == WORD_BITS:
            m.d.comb += [self.push_word.eq(self.portion), self.push.eq(Mux(arrived, owner, 0))]
            return Const(0, 1)
        if size < WORD_BITS:
            # Superlanes of a vector are an even number here, so that its last portion, in which `wait` is 0, is odd.
            lower = Signal(size, reset_less=True)
            odd = (wait & 2) == 0
            with m.If(arrived & ~odd):
                m.d.sync += lower.eq(self.portion)
            m.d.comb += [
                self.push_word.eq(Cat(lower, self.portion)),
                self.push.eq(Mux(arrived & odd, owner, 0)),
            ]
            return Const(0, 1)
        upper = Signal(size - WORD_BITS, reset_less=True)
        follows = Signal()
        follower = Signal(self.queues, reset_less=True)
        m.d.sync += follows.eq(arrived & ~self.start)
        with m.If(arrived):
            m.d.sync += [upper.eq(self.portion[WORD_BITS:]), follower.eq(owner)]
        m.d.comb += [
            self.push_word.eq(Mux(follows, upper, self.portion[:WORD_BITS])),
            self.push.eq(Mux(follows, follower, Mux(arrived, owner, 0))),
        ]
        return follows
