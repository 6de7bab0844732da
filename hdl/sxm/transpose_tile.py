"""Transposition within one superlane."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import Out

from arch.config import Config
from arch.timing import timing
from hdl.ecc.reader import EccReader
from hdl.stream_driver import stream_driver
from hdl.sxm.micro_op import transpose_op
from hdl.sxm.tile import SxmTile

__all__ = ["TransposeTile"]


class TransposeTile(SxmTile):
    """Takes a group of `lanes` streams and drives another with its transpose one cycle later.

    Further ports as `SxmTile`.

    Parameters
    ----------
    config
        The machine.

    Attributes
    ----------
    driver : stream_driver of `lanes` streams
        Lane l of stream j of the group is lane j of source stream l.
    """

    def __init__(self, *, config: Config) -> None:
        assert timing(config)["TRANSPOSE"].d_func == 3, "read, driver, stream register"
        super().__init__(config=config, op=transpose_op(config), driver=Out(stream_driver(config, config.lanes)))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = self.config.lanes
        width = lanes * self.config.stream_bits
        block = Signal(width, reset_less=True)
        self.climb(m)
        with m.If(self.op_in.valid), m.Switch(self.op_in.src):
            for group in range(self.config.streams // lanes):
                part = slice(group * width, (group + 1) * width)
                with m.Case(group):
                    m.d.sync += block.eq(Mux(self.op_in.src_dir, self.west[part], self.east[part]))
        ecc = EccReader(m, self.config)
        data = ecc.read(block, after=1, when=self.op.valid)
        m.d.comb += [
            self.driver.mask.eq(self.op.valid.replicate(lanes)),
            self.driver.direction.eq(self.op.dst_dir),
            self.driver.group.eq(self.op.dst),
            self.driver.data.eq(
                Cat(data.word_select(lane * lanes + stream, 8) for stream in range(lanes) for lane in range(lanes))
            ),
        ]
        ecc.report(self)
        return m
