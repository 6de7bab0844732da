"""The accesses of one element of GATHER or SCATTER."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["LaneSequencer"]


class LaneSequencer(wiring.Component):
    """Counts the lanes of an element, `share` cycles for each.

    With `element` in cycle t, lane l has the cycles ``t + 1 + l * share .. t + (l + 1) * share``. The next element
    comes in the last of them at the earliest.

    Parameters
    ----------
    lanes : int
    share : int
        Cycles per lane, at least 1.
    tail : int
        Cycles after the last lane in which `busy` is still high, 0 or 1.

    Attributes
    ----------
    start : In(1)
        Resets to idle.
    element : In(1)
        An element begins.
    first, last : Out(1)
        First and last cycle of a lane's share.
    active : Out(1)
        A lane's cycle.
    lane : Out
        The lane.
    busy : Out(1)
        A lane's cycle, or one of the tail.
    """

    def __init__(self, *, lanes: int, share: int, tail: int) -> None:
        self.lanes = lanes
        self.share = share
        self.tail = tail
        super().__init__(
            {
                "start": In(1),
                "element": In(1),
                "first": Out(1),
                "last": Out(1),
                "lane": Out(range(lanes)),
                "active": Out(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        active, tail = self.active, Signal()
        phase = Signal(range(self.share))
        m.d.comb += [
            self.first.eq(active & (phase == 0)),
            self.last.eq(active & (phase == self.share - 1)),
            self.busy.eq(active | tail),
        ]
        with m.If(self.start):
            m.d.sync += active.eq(0)
        with m.Elif(self.element):
            m.d.sync += [active.eq(1), self.lane.eq(0), phase.eq(0)]
        with m.Elif(self.last):
            m.d.sync += [active.eq(self.lane != self.lanes - 1), self.lane.eq(self.lane + 1), phase.eq(0)]
        with m.Elif(active):
            m.d.sync += phase.eq(phase + 1)
        if self.tail:
            m.d.sync += tail.eq(active & ~self.start)
        return m
