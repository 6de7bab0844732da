"""Tile through which the operands of one superlane enter a shift unit."""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.ecc.reader import EccReader
from hdl.sxm.micro_op import shift_op
from hdl.sxm.tile import SxmTile

__all__ = ["ShiftTile"]


class ShiftTile(SxmTile):
    """Takes the two sources of a micro-op; further ports as `SxmTile`.

    Parameters
    ----------
    config
        The machine.

    Attributes
    ----------
    on : in 1
        This superlane acts on the micro-op.
    src, low : out lanes * 8
        The sources, in the cycle of `op`; zero unless `on`, and `low` is zero unless the micro-op joins.
    """

    def __init__(self, *, config: Config) -> None:
        narrow = config.lanes * 8
        super().__init__(config=config, op=shift_op(config), on=In(1), src=Out(narrow), low=Out(narrow))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        op = self.op_in
        self.climb(m)
        ecc = EccReader(m, self.config)
        src = self.stream(m, ecc, "source", en=op.valid & self.on, direction=op.src_dir, stream=op.src)
        low = self.stream(m, ecc, "second", en=op.valid & op.join & self.on, direction=op.low_dir, stream=op.low)
        with m.If(op.valid):
            m.d.sync += [self.src.eq(src), self.low.eq(low)]
        ecc.report(self)
        return m
