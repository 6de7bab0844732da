"""Start, run, end: the life of a program."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.geometry import positions
from arch.host import COUNTER_BITS

__all__ = ["RunControl", "drain_cycles"]


def drain_cycles(config: Config) -> int:
    """Return the cycles between START and cycle 0: enough for every stream register and pipeline to empty."""
    return positions(config) + 3 * config.superlanes + 16


class RunControl(wiring.Component):
    """Counts cycles, finds the first idle one, and stops at a fault.

    Parameters
    ----------
    config
    retires
        Retirement latency (`arch.timing.Latency.retire`) of each class of elements.

    Attributes
    ----------
    go : in 1
        START from the host; ignored while busy or with a fault.
    fault : in 1
        A fault is latched.
    fault_now : in 1
        A fault is found in this cycle.
    closed : in 1
        Every queue is closed.
    pending : in 1
        Some engine has elements to come.
    elements : in len(retires)
        An element of each class is performed in this cycle.
    start : out 1
        From a register. High for `drain_cycles` before cycle 0, and while a fault is latched: holds every controller in
        its idle state.
    run : out 1
        From a register. High from cycle 0 until the first idle cycle, or the first fault.
    cycle : out
        Number of the current cycle of the run; afterwards of its first idle cycle.
    busy, done : out 1
        Between START and the end; after an end without a fault.
    """

    def __init__(self, *, config: Config, retires: tuple[int, ...]) -> None:
        self.config = config
        self.retires = retires
        super().__init__(
            {
                "go": In(1),
                "fault": In(1),
                "fault_now": In(1),
                "closed": In(1),
                "pending": In(1),
                "elements": In(len(retires)),
                "start": Out(1),
                "run": Out(1),
                "cycle": Out(COUNTER_BITS),
                "busy": Out(1),
                "done": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        drain = Signal(range(drain_cycles(self.config)))
        draining = Signal()
        m.d.comb += [
            self.start.eq(draining | self.fault),
            self.busy.eq(draining | self.run),
        ]
        # Pipelines and stream registers have no reset in their data: holding all controllers for a while lets what an
        # earlier run left run out.
        with m.If(self.go & ~self.busy & ~self.fault):
            m.d.sync += [draining.eq(1), drain.eq(drain_cycles(self.config) - 1), self.done.eq(0), self.cycle.eq(0)]
        with m.If(draining):
            m.d.sync += drain.eq(drain - 1)
            with m.If(drain == 0):
                m.d.sync += [draining.eq(0), self.run.eq(1)]

        # Cycles until the last element performed so far has retired, seen from the next cycle.
        remaining = Signal(range(max(self.retires)))
        left = Mux(remaining == 0, 0, remaining - 1)
        # Ascending, so that the longest of several elements of a cycle is what stays.
        for number, retire in sorted(enumerate(self.retires), key=lambda item: item[1]):
            longer = Signal(range(max(self.retires)), name=f"left_{number}")
            m.d.comb += longer.eq(Mux(self.elements[number] & (left < retire - 1), retire - 1, left))
            left = longer
        m.d.sync += remaining.eq(Mux(self.start, 0, left))

        idle = Signal()
        m.d.comb += idle.eq(self.closed & ~self.pending & ~self.elements.any() & (remaining == 0))
        with m.If(self.run):
            with m.If(self.fault_now):
                m.d.sync += self.run.eq(0)
            with m.Elif(idle):
                m.d.sync += [self.run.eq(0), self.done.eq(1)]
            with m.Else():
                m.d.sync += self.cycle.eq(self.cycle + 1)
        return m
