"""Rotations of a window within one superlane."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib.wiring import Out

from arch.config import Config
from arch.timing import timing
from hdl.ecc.reader import EccReader
from hdl.stream_driver import stream_driver
from hdl.sxm.micro_op import rotate_op
from hdl.sxm.tile import SxmTile

__all__ = ["RotateTile"]

_SIZES = (2, 3, 4)


class RotateTile(SxmTile):
    """Takes a window and drives all of its rotations one cycle later; further ports as `SxmTile`.

    Parameters
    ----------
    config
        The machine.

    Attributes
    ----------
    driver : stream_driver of `lanes` streams
        With ``n = size``, lane n * i + j of stream n * a + b of the group is lane n * ((i + a) mod n) + (j + b) mod n
        of the source; further lanes are 0, further streams are left alone.
    """

    def __init__(self, *, config: Config) -> None:
        assert timing(config)["ROTATE"].d_func == 3, "read, driver, stream register"
        super().__init__(config=config, op=rotate_op(config), driver=Out(stream_driver(config, config.lanes)))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        op = self.op_in
        self.climb(m)
        ecc = EccReader(m, self.config)
        source = self.stream(m, ecc, "source", en=op.valid, direction=op.src_dir, stream=op.src)
        window = Signal(len(source), reset_less=True)
        with m.If(op.valid):
            m.d.sync += window.eq(source)
        m.d.comb += [self.driver.direction.eq(self.op.dst_dir), self.driver.group.eq(self.op.dst)]
        with m.Switch(self.op.size):
            for size in _SIZES:
                if size * size <= self.config.lanes:
                    with m.Case(size):
                        m.d.comb += self.driver.mask[: size * size].eq(self.op.valid.replicate(size * size))
                        m.d.comb += self.driver.data.eq(self._rotations(window, size))
        ecc.report(self)
        return m

    def _rotations(self, window: Signal, size: int) -> Cat:
        rest = Const(0, 8 * (self.config.lanes - size * size))
        streams = []
        for down in range(size):
            for right in range(size):
                lanes = [
                    window.word_select(size * ((row + down) % size) + (column + right) % size, 8)
                    for row in range(size)
                    for column in range(size)
                ]
                streams.append(Cat(*lanes, rest))
        return Cat(streams)
