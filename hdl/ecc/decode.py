"""Correction of one flipped bit."""

from amaranth.hdl import Const, Instance, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.ecc import check_masks

__all__ = ["EccDecoder"]


class EccDecoder(wiring.Component):
    """Combinational: the data of a code word, see `arch.ecc`.

    Parameters
    ----------
    data_bits : int

    Attributes
    ----------
    en : In(1)
        The word is read; without it all outputs are 0, and it costs a simulator nothing.
    word : In
        Data bits lowest, then the check bits.
    data : Out(data_bits)
        Right with at most one flipped bit.
    corrected : Out(1)
        One bit was flipped, a check bit perhaps.
    uncorrectable : Out(1)
        Two bits were.
    """

    def __init__(self, *, data_bits: int) -> None:
        self.data_bits = data_bits
        super().__init__(
            {
                "en": In(1),
                "word": In(data_bits + len(check_masks(data_bits)) + 1),
                "data": Out(data_bits),
                "corrected": Out(1),
                "uncorrectable": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        masks = check_masks(self.data_bits)
        width = len(self.word)
        # A check bit belongs to its own sum, so that the sums of an intact word are all zero.
        packed = sum((mask | 1 << self.data_bits + check) << check * width for check, mask in enumerate(masks))
        m.submodules.decode = Instance(
            "takt_ecc_decode",
            p_DATA=self.data_bits,
            p_CHECKS=len(masks),
            p_MASKS=Const(packed, len(masks) * width),
            i_en=self.en,
            i_word=self.word,
            o_data=self.data,
            o_corrected=self.corrected,
            o_uncorrectable=self.uncorrectable,
        )
        return m
