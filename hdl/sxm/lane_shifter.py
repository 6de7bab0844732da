"""The lane shifter of a shift unit, across all superlanes."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.sxm.micro_op import shift_op

__all__ = ["LaneShifter"]


class LaneShifter(wiring.Component):
    """Rotates a vector and joins it with another, combinational.

    Parameters
    ----------
    config
        The machine; S is its `superlanes`.

    Attributes
    ----------
    op : in shift_op
        What to do.
    src, low : in S * lanes * 8
        The sources, superlane 0 lowest.
    result : out S * lanes * 8
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        width = config.vector_length * 8
        super().__init__({"op": In(shift_op(config)), "src": In(width), "low": In(width), "result": Out(width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Rotate up by 1, 2, 4 ... lanes; keep one side of the bound.
        length = self.config.vector_length
        rotated = self.src
        for bit in range(len(self.op.rotate)):
            stage = Signal(length * 8, name=f"rotated_{1 << bit}")
            top = (length - (1 << bit)) * 8
            with m.If(self.op.rotate[bit]):
                m.d.comb += stage.eq(Cat(rotated[top:], rotated[:top]))
            with m.Else():
                m.d.comb += stage.eq(rotated)
            rotated = stage
        keep = Signal(length * 8)
        m.d.comb += keep.eq(Cat(((lane < self.op.bound) == self.op.below).replicate(8) for lane in range(length)))
        m.d.comb += self.result.eq((rotated & keep) | (self.low & ~keep))
        return m
