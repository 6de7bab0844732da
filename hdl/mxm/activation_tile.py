"""Where the activations of one superlane enter a plane."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.mxm.micro_op import activation_op

__all__ = ["ActivationTile"]


class ActivationTile(wiring.Component):
    """Picks one outward stream, combinational, and hands the micro-op to the tile above.

    Parameters
    ----------
    config
        The machine.

    Attributes
    ----------
    op_in : in activation_op
        Micro-op of this tile.
    on : in 1
        This superlane acts on it.
    op : out activation_op
        The same one cycle later.
    streams : in streams * lanes * 8
        Outward stream registers of this superlane.
    x : out lanes * 8
        The stream that `op_in` names; 0 unless `on`.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        layout = activation_op(config)
        super().__init__(
            {
                "op_in": In(layout),
                "on": In(1),
                "op": Out(layout),
                "streams": In(config.streams * config.lanes * 8),
                "x": Out(config.lanes * 8),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.op.valid.eq(self.op_in.valid)
        with m.If(self.op_in.valid):
            m.d.sync += self.op.eq(self.op_in)
        width = len(self.x)
        with m.If(self.on), m.Switch(self.op_in.stream):
            for stream in range(self.config.streams):
                with m.Case(stream):
                    m.d.comb += self.x.eq(self.streams[stream * width : (stream + 1) * width])
        return m
