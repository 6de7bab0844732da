"""Where the weights of one superlane enter a plane."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.mxm.micro_op import load_op

__all__ = ["LoadTile"]


class LoadTile(wiring.Component):
    """Picks `lanes` outward streams, combinational, and hands the micro-op to the tile above.

    Parameters
    ----------
    config
        The machine.

    Attributes
    ----------
    op_in : in load_op
        Micro-op of this tile.
    op : out load_op
        The same one cycle later.
    streams : in streams * lanes * 8
        Outward stream registers of this superlane.
    columns : out lanes * lanes * 8
        The streams of the group that `op_in` names.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        layout = load_op(config)
        super().__init__(
            {
                "op_in": In(layout),
                "op": Out(layout),
                "streams": In(config.streams * config.lanes * 8),
                "columns": Out(config.lanes * config.lanes * 8),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.op.valid.eq(self.op_in.valid)
        with m.If(self.op_in.valid):
            m.d.sync += self.op.eq(self.op_in)
        width = len(self.columns)
        with m.Switch(self.op_in.group):
            for group in range(self.config.streams // self.config.lanes):
                with m.Case(group):
                    m.d.comb += self.columns.eq(self.streams[group * width : (group + 1) * width])
        return m
