"""From an encoder over flipping wires to a decoder."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.ecc.encode import encode_words
from hdl.ecc.reader import EccReader, ecc_ports

__all__ = ["FlippedPath"]


class FlippedPath(wiring.Component):
    """Two words: encoded, exclusive-or `flips`, and read.

    Parameters
    ----------
    config : Config
        With ECC.

    Attributes
    ----------
    data : In(2 * lanes * 8)
    flips : In(2 * stream_bits)
    when : In(1)
        The words are read.
    coded : Out(2 * stream_bits)
        Before `flips`.
    read : Out(2 * lanes * 8)
    corrected, uncorrectable : Out(1)
        `REPORT_DELAY` cycles later.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        data, coded = 16 * config.lanes, 2 * config.stream_bits
        super().__init__(
            {
                "data": In(data),
                "flips": In(coded),
                "when": In(1),
                "coded": Out(coded),
                "read": Out(data),
                **ecc_ports(config),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ecc = EccReader(m, self.config)
        m.d.comb += self.coded.eq(encode_words(m, self.config, "data", self.data))
        m.d.comb += self.read.eq(ecc.read(self.coded ^ self.flips, when=self.when))
        ecc.report(self)
        return m
