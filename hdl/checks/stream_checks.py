"""Checks of who drives and who reads the streams at one position."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config

__all__ = ["StreamChecks"]


class StreamChecks(wiring.Component):
    """Finds two drivers of one stream register, and reads of registers that hold no value.

    Looks at tile 0 only: the other superlanes do the same later. The shadow bits that say which registers hold a value
    move with the streams; they exist only with ``config.checks``.

    Parameters
    ----------
    config
    units
        Number of queues at the position, in queue order.

    Attributes
    ----------
    start : in 1
        Empties the shadow bits.
    reads_0, reads_1, ... : in 2 * streams
        Streams that each unit reads in this cycle; eastward lowest.
    drives_0, drives_1, ... : in 2 * streams
        Streams that each unit drives with the next clock edge.
    east_in, west_in : in streams
        Shadow bits of the neighbours' registers.
    east_out, west_out : out streams
        Shadow bits of this position's registers.
    unwritten : out units
        UNWRITTEN of each unit, in the cycle of the read.
    double_drive : out units
        DOUBLE_DRIVE of each unit, in the cycle in which the value is on the register.
    """

    def __init__(self, *, config: Config, units: int) -> None:
        self.config = config
        self.units = units
        streams = config.streams
        super().__init__(
            {
                "start": In(1),
                **{f"reads_{i}": In(2 * streams) for i in range(units)},
                **{f"drives_{i}": In(2 * streams) for i in range(units)},
                "east_in": In(streams),
                "west_in": In(streams),
                "east_out": Out(streams),
                "west_out": Out(streams),
                "unwritten": Out(units),
                "double_drive": Out(units),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        streams = self.config.streams
        drives = [getattr(self, f"drives_{i}") for i in range(self.units)]
        taken = Const(0, 2 * streams)
        collisions = []
        for i, mine in enumerate(drives):
            # The later queue in queue order is to blame: `taken` has those before it only.
            collisions.append((mine & taken).any())
            union = Signal(2 * streams, name=f"driven_to_{i}")
            m.d.comb += union.eq(taken | mine)
            taken = union
        m.d.sync += self.double_drive.eq(Cat(collisions))
        if self.config.checks:
            written = Cat(self.east_out, self.west_out)
            # One bit per stream register at tile 0, moving as the vectors do; the other superlanes are the same, only
            # later.
            m.d.sync += written.eq(Cat(self.east_in, self.west_in) | taken)
            m.d.comb += [
                self.unwritten[i].eq((getattr(self, f"reads_{i}") & ~written).any()) for i in range(self.units)
            ]
            with m.If(self.start):
                m.d.sync += written.eq(0)
        with m.If(self.start):
            m.d.sync += self.double_drive.eq(0)
        return m
