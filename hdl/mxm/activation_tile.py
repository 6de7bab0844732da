"""Tile through which the activations of one superlane enter a plane."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.ecc.reader import EccReader, ecc_ports
from hdl.mxm.micro_op import activation_op
from hdl.mxm.outward import read_outward

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
    streams : in streams * stream_bits
        Outward stream registers of this superlane.
    x : out lanes * 8
        The stream that `op_in` names; 0 unless `on`.
    corrected, uncorrectable : out 1
        With ECC: see `hdl.ecc.reader.ecc_ports`.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        layout = activation_op(config)
        super().__init__(
            {
                "op_in": In(layout),
                "on": In(1),
                "op": Out(layout),
                "streams": In(config.streams * config.stream_bits),
                "x": Out(config.lanes * 8),
                **ecc_ports(config),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.op.valid.eq(self.op_in.valid)
        with m.If(self.op_in.valid):
            m.d.sync += self.op.eq(self.op_in)
        ecc = EccReader(m, self.config)
        data = read_outward(
            m, self.config, ecc, self.streams, en=self.op_in.valid & self.on, group=self.op_in.stream, size=1
        )
        with m.If(self.on):
            m.d.comb += self.x.eq(data)
        ecc.report(self)
        return m
