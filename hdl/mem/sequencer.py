"""The accesses of one element of GATHER or SCATTER."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["LaneSequencer"]


class LaneSequencer(wiring.Component):
    """Counts the lanes of an element, `share` cycles for each.

    With `element` in cycle a, lane l has the cycles ``a + 1 + l * share .. a + (l + 1) * share``. The next element
    comes in the last of them at the earliest.

    Parameters
    ----------
    lanes : int
    share : int
        Cycles per lane, at least 1.

    Attributes
    ----------
    element : In(1)
        An element begins.
    active : Out(1)
        A lane's cycle.
    first, last : Out(1)
        First and last cycle of a lane's share.
    lane : Out
        The lane.
    """

    def __init__(self, *, lanes: int, share: int) -> None:
        self.lanes = lanes
        self.share = share
        super().__init__(
            {
                "element": In(1),
                "active": Out(1),
                "first": Out(1),
                "last": Out(1),
                "lane": Out(range(lanes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        phase = Signal(range(self.share))
        m.d.comb += [
            self.first.eq(self.active & (phase == 0)),
            self.last.eq(self.active & (phase == self.share - 1)),
        ]
        with m.If(self.element):
            m.d.sync += [self.active.eq(1), self.lane.eq(0), phase.eq(0)]
        with m.Elif(self.last):
            m.d.sync += [self.active.eq(self.lane != self.lanes - 1), self.lane.eq(self.lane + 1), phase.eq(0)]
        with m.Elif(self.active):
            m.d.sync += phase.eq(phase + 1)
        return m
