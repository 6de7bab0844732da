"""Tile through which the fp16 activations of one superlane enter a pair's array."""

from amaranth.hdl import Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.ecc.reader import EccReader, ecc_ports
from hdl.mxm.fp16_number import FP16_SLOT, fp16_numbers
from hdl.mxm.micro_op import activation_op

__all__ = ["Fp16Tile"]


class Fp16Tile(wiring.Component):
    """Picks two adjacent outward streams and decodes them, combinational, and hands the micro-op to the tile above.

    Parameters
    ----------
    config
        The machine.

    Attributes
    ----------
    op_in : in activation_op
        Micro-op of this tile; its stream is even.
    on : in 1
        This superlane acts on it.
    op : out activation_op
        The same one cycle later.
    streams : in streams * stream_bits
        Outward stream registers of this superlane.
    x : out lanes * FP16_SLOT
        The numbers whose low bytes are on the stream that `op_in` names, their high bytes on the next one; zeros
        unless `on`.
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
                "x": Out(config.lanes * FP16_SLOT),
                **ecc_ports(config),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.op.valid.eq(self.op_in.valid)
        with m.If(self.op_in.valid):
            m.d.sync += self.op.eq(self.op_in)
        width = self.config.stream_bits
        halves = Signal(2 * width)
        m.submodules.select = Instance(
            "takt_select",
            p_WIDTH=2 * width,
            p_COUNT=self.config.streams // 2,
            # A superlane that is off multiplies zeros.
            i_en=self.op_in.valid & self.on,
            i_index=self.op_in.stream[1:],
            i_words=self.streams,
            o_word=halves,
        )
        ecc = EccReader(m, self.config)
        data = ecc.read(halves, en=self.op_in.valid & self.on)
        low, high = data[: 8 * self.config.lanes], data[8 * self.config.lanes :]
        m.d.comb += self.x.eq(fp16_numbers(m, "decode", en=self.op_in.valid, low=low, high=high))
        ecc.report(self)
        return m
