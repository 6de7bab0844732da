"""Small designs with a size that can be counted by hand."""

from amaranth.hdl import ClockSignal, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.shared import place

LEAF_WIDTH = 8
MEMORY = (12, 16)
"""Width and depth."""


class Leaf(wiring.Component):
    """A register of the exclusive or of two words: `width` gates, `width` flip-flops."""

    def __init__(self, *, width: int) -> None:
        self.width = width
        super().__init__({"a": In(width), "b": In(width), "q": Out(width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.q.eq(self.a ^ self.b)
        return m


class Pair(wiring.Component):
    """Two leaves in series, and a register of its own."""

    a: In(LEAF_WIDTH)
    q: Out(LEAF_WIDTH)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        own = Signal(LEAF_WIDTH)
        m.submodules.first = place(first := Leaf(width=LEAF_WIDTH), a=self.a)
        m.submodules.second = place(Leaf(width=LEAF_WIDTH), a=first.q, b=own, q=self.q)
        m.d.comb += first.b.eq(own)
        m.d.sync += own.eq(self.a)
        return m


class Tree(wiring.Component):
    """Three pairs, a leaf and a memory."""

    a: In(LEAF_WIDTH)
    q: Out(LEAF_WIDTH)
    en: In(1)
    we: In(1)
    addr: In(4)
    wdata: In(MEMORY[0])
    rdata: Out(MEMORY[0])

    def elaborate(self, platform: object) -> Module:
        m = Module()
        value = self.a
        for index in range(3):
            m.submodules[f"pair{index}"] = place(pair := Pair(), a=value)
            value = pair.q
        m.submodules.last = place(Leaf(width=LEAF_WIDTH), a=value, b=self.a, q=self.q)
        width, depth = MEMORY
        m.submodules.memory = Instance(
            "takt_sram",
            p_WIDTH=width,
            p_DEPTH=depth,
            p_LATENCY=1,
            i_clk=ClockSignal(),
            i_en=self.en,
            i_we=self.we,
            i_addr=self.addr,
            i_wdata=self.wdata,
            o_rdata=self.rdata,
        )
        return m


class Through(wiring.Component):
    """An inverter: two of them in a ring are a loop that neither shows."""

    a: In(1)
    q: Out(1)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.q.eq(~self.a)
        return m


class Ring(wiring.Component):
    """Two inverters in a ring."""

    q: Out(1)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        back = Signal()
        m.submodules.first = place(first := Through(), a=back)
        m.submodules.second = place(Through(), a=first.q, q=back)
        m.d.comb += self.q.eq(back)
        return m
