"""Distribution within one superlane."""

from amaranth.hdl import Const, Instance, Module
from amaranth.lib.wiring import Out

from arch.config import Config
from arch.timing import timing
from hdl.ecc.reader import ecc_ports
from hdl.shared import place
from hdl.stream_driver import stream_driver
from hdl.sxm.mapped_tile import MappedTile
from hdl.sxm.micro_op import mapped_op
from hdl.sxm.tile import SxmTile

__all__ = ["DistributeTile"]


class DistributeTile(SxmTile):
    """Takes a source and a lane map, and drives the result one cycle later; further ports as `SxmTile`.

    Parameters
    ----------
    config
        The machine.

    Attributes
    ----------
    driver : stream_driver of 1 stream
    """

    def __init__(self, *, config: Config) -> None:
        assert timing(config)["DISTRIBUTE"].d_func == 3, "read, driver, stream register"
        super().__init__(config=config, op=mapped_op(config, "DISTRIBUTE"), driver=Out(stream_driver(config, 1)))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        operands = MappedTile(config=self.config, mnemonic="DISTRIBUTE")
        m.submodules.operands = place(
            operands,
            op_in=self.op_in,
            on=Const(1, 1),
            east=self.east,
            west=self.west,
            op=self.op,
            **{name: getattr(self, name) for name in ecc_ports(self.config)},
        )
        moves = self.op.valid & ~self.op.load
        m.submodules.crossbar = Instance(
            "takt_crossbar",
            p_WIDTH=8,
            p_COUNT=self.config.lanes,
            i_en=moves,
            i_index=operands.map,
            i_words=operands.src,
            o_out=self.driver.data,
        )
        m.d.comb += [
            self.driver.mask.eq(moves),
            self.driver.direction.eq(self.op.dst_dir),
            self.driver.group.eq(self.op.dst),
        ]
        return m
