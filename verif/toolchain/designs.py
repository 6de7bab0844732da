"""Small components that exercise the toolchain."""

from amaranth.hdl import Cat, ClockSignal, Instance, Module, ResetSignal, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.shared import place

__all__ = ["Accumulator", "Grid", "Row", "SramBench", "WideBus"]


class Accumulator(wiring.Component):
    """Adds ``a`` to ``q`` while ``en``; counts its elaborations."""

    elaborations = 0

    def __init__(self, *, width: int) -> None:
        self.width = width
        super().__init__({"a": In(width), "en": In(1), "q": Out(width)})

    def elaborate(self, platform: object) -> Module:
        Accumulator.elaborations += 1
        m = Module()
        with m.If(self.en):
            m.d.sync += self.q.eq(self.q + self.a)
        return m


class Row(wiring.Component):
    """``count`` accumulators in a chain, the last one in a clock domain gated by the registered ``en``."""

    def __init__(self, *, width: int, count: int) -> None:
        self.width = width
        self.count = count
        super().__init__({"a": In(width), "en": In(1), "q": Out(width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        value = self.a
        for i in range(self.count - 1):
            m.submodules[f"cell{i}"] = place(cell := Accumulator(width=self.width))
            m.d.comb += [cell.a.eq(value), cell.en.eq(self.en)]
            value = cell.q
        gated = Signal()
        s1_en = Signal()
        m.d.sync += s1_en.eq(self.en)
        m.submodules.gate = Instance("takt_clock_gate", i_clk=ClockSignal(), i_en=s1_en | ResetSignal(), o_gclk=gated)
        m.submodules.last = place(Accumulator(width=self.width), clk=gated, a=value, en=1, q=self.q)
        return m


class Grid(wiring.Component):
    """Two equal rows and an Amaranth memory beside them."""

    a: In(8)
    en: In(1)
    q0: Out(8)
    q1: Out(8)
    word: Out(8)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.row0 = place(Row(width=8, count=3), a=self.a, en=self.en, q=self.q0)
        m.submodules.row1 = place(Row(width=8, count=3), a=self.a, en=self.en, q=self.q1)
        m.submodules.memory = store = memory.Memory(shape=8, depth=16, init=[3, 1, 4, 1, 5])
        read, write = store.read_port(), store.write_port()
        m.d.comb += [
            *(port.addr.eq(self.a) for port in (read, write)),
            write.data.eq(self.a),
            write.en.eq(self.en),
            read.en.eq(1),
            self.word.eq(read.data),
        ]
        return m


class SramBench(wiring.Component):
    """The hand-written SRAM under Amaranth's clock."""

    def __init__(self, *, width: int, depth: int, latency: int) -> None:
        self.width = width
        self.depth = depth
        self.latency = latency
        address = max(1, (depth - 1).bit_length())
        super().__init__({"en": In(1), "we": In(1), "addr": In(address), "wdata": In(width), "rdata": Out(width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.sram = Instance(
            "takt_sram",
            p_WIDTH=self.width,
            p_DEPTH=self.depth,
            p_LATENCY=self.latency,
            i_clk=ClockSignal(),
            i_en=self.en,
            i_we=self.we,
            i_addr=self.addr,
            i_wdata=self.wdata,
            o_rdata=self.rdata,
        )
        return m


class WideBus(wiring.Component):
    """Registers a vector of bytes, each one more than its input."""

    def __init__(self, *, lanes: int) -> None:
        self.lanes = lanes
        super().__init__({"a": In(8 * lanes), "q": Out(8 * lanes)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.q.eq(Cat((self.a.word_select(i, 8) + 1)[:8] for i in range(self.lanes)))
        return m
