"""SYNC and NOTIFY across the chip."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.timing import timing

__all__ = ["Barrier"]


class Barrier(wiring.Component):
    """The way of a NOTIFY to every queue: a delay line of `arch.timing.Timing.barrier` cycles, the release included.

    Parameters
    ----------
    config

    Attributes
    ----------
    start : in 1
        Empties the delay line.
    notify : in 1
        A NOTIFY issues in this cycle, u.
    idle, parked : in 1
        Every queue is closed or parked; some queue is parked.
    release : out 1
        From a register, in cycle ``u + barrier - 1``: queues that are parked, or whose SYNC issues in this very cycle,
        go on in the next one.
    deadlock : out 1
        In this cycle (see `arch.faults`).
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        super().__init__(
            {
                "start": In(1),
                "notify": In(1),
                "idle": In(1),
                "parked": In(1),
                "release": Out(1),
                "deadlock": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        way = Signal(timing(self.config).barrier - 1)
        with m.If(self.start):
            m.d.sync += way.eq(0)
        with m.Elif(self.notify | way.any()):
            # A shift register stands for wires that reach every queue of the chip.
            m.d.sync += way.eq(way << 1 | self.notify)
        m.d.comb += [
            self.release.eq(way[-1]),
            self.deadlock.eq(self.idle & self.parked & ~way.any()),
        ]
        return m
