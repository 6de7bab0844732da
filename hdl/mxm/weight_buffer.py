"""Weights of one supercell on their way in."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["WeightBuffer"]


class WeightBuffer(wiring.Component):
    """Stage of the shift register that fills a superlane's buffers from the west, one supercell of weights per cycle.

    What is at `columns_in` with `load_in` is at `columns` one cycle later, and goes on east if it has further to go.

    Parameters
    ----------
    lanes
        Rows and columns of a supercell.
    superlanes
        Column blocks of the plane.

    Attributes
    ----------
    load_in : in 1
    reach_in : in log2(superlanes)
        Column blocks that these weights still pass after this one.
    columns_in : in lanes * lanes * 8
        Column j and row l at byte ``j * lanes + l``.
    load, reach, columns : out
        For the neighbour in the east. `columns` keeps the last weights that were loaded, through resets too.
    """

    def __init__(self, *, lanes: int, superlanes: int) -> None:
        self.lanes = lanes
        self.superlanes = superlanes
        reach = range(max(2, superlanes))
        super().__init__(
            {
                "load_in": In(1),
                "reach_in": In(reach),
                "columns_in": In(lanes * lanes * 8),
                "load": Out(1),
                "reach": Out(reach),
                "columns": Out(lanes * lanes * 8),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        buffer = Signal(self.lanes * self.lanes * 8, reset_less=True)
        m.d.comb += self.columns.eq(buffer)
        m.d.sync += self.load.eq(self.load_in & (self.reach_in != 0))
        with m.If(self.load_in):
            m.d.sync += [self.reach.eq(self.reach_in - 1), buffer.eq(self.columns_in)]
        return m
