"""Where the operands of one superlane enter a shift unit."""

from amaranth.hdl import Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.sxm.micro_op import shift_op

__all__ = ["ShiftTile"]


class ShiftTile(wiring.Component):
    """Takes the two sources of a micro-op, and hands the micro-op to the tile above, both one cycle later.

    Parameters
    ----------
    config
        The machine.

    Attributes
    ----------
    op_in : in shift_op
        Micro-op of this tile.
    east, west : in streams * lanes * 8
        Stream registers of this superlane.
    op : out shift_op
        `op_in` one cycle later.
    src, low : out lanes * 8
        The sources, in the cycle of `op`; `low` is zero unless the micro-op joins.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        wide, narrow = config.streams * config.lanes * 8, config.lanes * 8
        super().__init__(
            {
                "op_in": In(shift_op(config)),
                "east": In(wide),
                "west": In(wide),
                "op": Out(shift_op(config)),
                "src": Out(narrow),
                "low": Out(narrow),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.op.valid.eq(self.op_in.valid)
        with m.If(self.op_in.valid):
            m.d.sync += self.op.eq(self.op_in)
            self._take(m, self.src, self.op_in.src_dir, self.op_in.src)
            with m.If(self.op_in.join):
                self._take(m, self.low, self.op_in.low_dir, self.op_in.low)
            with m.Else():
                m.d.sync += self.low.eq(0)
        return m

    def _take(self, m: Module, target: Value, direction: Value, stream: Value) -> None:
        width = len(target)
        with m.Switch(stream):
            for index in range(self.config.streams):
                part = slice(index * width, (index + 1) * width)
                with m.Case(index):
                    m.d.sync += target.eq(Mux(direction, self.west[part], self.east[part]))
