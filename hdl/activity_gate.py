"""Clock of a datapath that runs only while something is under way in it."""

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["ActivityGate"]


class ActivityGate(wiring.Component):
    """Passes the clock edges that end a cycle with work, and the `linger` cycles after it.

    An idle datapath then costs no power, and no time in a simulator. `linger` covers the longest way of an element
    through the datapath and one cycle more, so that every valid bit is clear when the clock stops.

    Parameters
    ----------
    linger
        Cycles after the last one with `busy` high whose edges still pass, at least 1.

    Attributes
    ----------
    busy : in 1
        An element enters the datapath in this cycle. From a register.
    flush : in 1
        Resets the datapath: its edge passes, and `reset` is high. From a register.
    clock : out 1
        The gated clock.
    reset : out 1
        Synchronous reset for the datapath: the parent's, or `flush`.
    """

    def __init__(self, *, linger: int) -> None:
        if linger < 1:
            raise ValueError(f"linger must be at least 1, not {linger!r}")
        self.linger = linger
        super().__init__({"busy": In(1), "flush": In(1), "clock": Out(1), "reset": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        left = Signal(range(self.linger + 1))
        with m.If(self.busy):
            m.d.sync += left.eq(self.linger)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        m.d.comb += self.reset.eq(ResetSignal() | self.flush)
        m.submodules.gate = Instance(
            "takt_clock_gate",
            i_clk=ClockSignal(),
            i_en=self.busy | (left != 0) | self.reset,
            o_gclk=self.clock,
        )
        return m
