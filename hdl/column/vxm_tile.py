"""The tile of the VXM's column."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.ecc.reader import ecc_ports
from hdl.shared import place
from hdl.stream.hop import StreamHop
from hdl.vxm.micro_op import climbing_op
from hdl.vxm.tile import VxmTile

__all__ = ["VxmColumnTile"]

_ALU_STREAMS = 4


class VxmColumnTile(wiring.Component):
    """One superlane of the VXM, and its stream registers.

    Parameters
    ----------
    config

    Attributes
    ----------
    east_in, west_in, east_out, west_out
        See `hdl.stream.hop.StreamHop`.
    op_in, op_out, corrected, uncorrectable
        See `hdl.vxm.tile.VxmTile`.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        bus = config.stream_bits * config.streams
        super().__init__(
            {
                "east_in": In(bus),
                "west_in": In(bus),
                "east_out": Out(bus),
                "west_out": Out(bus),
                "op_in": In(config.alus * climbing_op(config).size),
                "op_out": Out(config.alus * climbing_op(config).size),
                **ecc_ports(config, config.alus),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        alus = self.config.alus
        vxm = VxmTile(config=self.config)
        m.submodules.vxm = place(
            vxm,
            op_in=self.op_in,
            op_out=self.op_out,
            east=self.east_out,
            west=self.west_out,
            **{name: getattr(self, name) for name in ecc_ports(self.config)},
        )
        drivers = {}
        for part in ("mask", "direction", "group", "data"):
            value = getattr(vxm, part)
            for alu in range(alus):
                drivers[f"{part}{alu}"] = value.word_select(alu, len(value) // alus)
        m.submodules.hop = place(
            StreamHop(config=self.config, drivers=(_ALU_STREAMS,) * alus),
            east_in=self.east_in,
            west_in=self.west_in,
            east_out=self.east_out,
            west_out=self.west_out,
            **drivers,
        )
        return m
