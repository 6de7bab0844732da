"""The way of program text down a column, in one superlane."""

from amaranth.hdl import Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.ecc.reader import EccReader, ecc_ports
from hdl.icu.fetch_op import fetch_op
from hdl.stream.select import select_stream

__all__ = ["FetchTile"]


class FetchTile(wiring.Component):
    """Takes this superlane's portion of a vector from a stream register and hands it down, one tile per cycle.

    A micro-op climbs one tile per cycle, the portions come down at the same speed: that of superlane r is at the foot
    2 r cycles after that of superlane 0. Vectors follow one another every ``2 * superlanes`` cycles, so that no two
    portions ever meet. Latency from `op_in` to `down_out`: 1 cycle. With ECC flipped bits are corrected before they go
    down.

    Parameters
    ----------
    config

    Attributes
    ----------
    op_in, op_out : fetch_op
        Of this tile, and the same one cycle later.
    east, west : in streams * stream_bits
        The position's stream registers.
    down_in, down_out : in, out lanes * 8
        Portion from the tile above; to the tile below, or the foot.
    corrected, uncorrectable : out 1
        With ECC, see `hdl.ecc.reader`.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        bus = config.streams * config.stream_bits
        super().__init__(
            {
                "op_in": In(fetch_op(config)),
                "op_out": Out(fetch_op(config)),
                "east": In(bus),
                "west": In(bus),
                "down_in": In(8 * config.lanes),
                "down_out": Out(8 * config.lanes),
                **ecc_ports(config),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        op = self.op_in
        ecc = EccReader(m, self.config)
        word = select_stream(
            m, self.config, self.east, self.west, en=op.valid, direction=op.direction, stream=op.stream
        )
        portion = ecc.read(word, en=op.valid)
        ecc.report(self)
        # No two portions meet: what is read here takes an empty place among those that come down.
        m.d.sync += [self.op_out.eq(op), self.down_out.eq(Mux(op.valid, portion, self.down_in))]
        return m
