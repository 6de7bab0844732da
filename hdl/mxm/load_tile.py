"""Tile through which the weights of one superlane enter a plane."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.ecc.reader import EccReader, ecc_ports
from hdl.mxm.micro_op import load_op
from hdl.mxm.outward import read_outward

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
    streams : in streams * stream_bits
        Outward stream registers of this superlane.
    columns : out lanes * lanes * 8
        The streams of the group that `op_in` names.
    corrected, uncorrectable : out 1
        With ECC: see `hdl.ecc.reader.ecc_ports`.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        layout = load_op(config)
        super().__init__(
            {
                "op_in": In(layout),
                "op": Out(layout),
                "streams": In(config.streams * config.stream_bits),
                "columns": Out(config.lanes * config.lanes * 8),
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
            m, self.config, ecc, self.streams, en=self.op_in.valid, group=self.op_in.group, size=self.config.lanes
        )
        m.d.comb += self.columns.eq(data)
        ecc.report(self)
        return m
