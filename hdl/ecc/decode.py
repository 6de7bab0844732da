"""Correction of one flipped bit."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
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
                "word": In(data_bits + len(check_masks(data_bits)) + 1),
                "data": Out(data_bits),
                "corrected": Out(1),
                "uncorrectable": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        masks = check_masks(self.data_bits)
        data = self.word[: self.data_bits]
        # The number of the flipped bit; a power of two is that of a check bit, 0 that of the parity bit.
        syndrome = Signal(len(masks))
        covered = [
            (self.word & Const(mask | 1 << self.data_bits + check, len(self.word))).xor()
            for check, mask in enumerate(masks)
        ]
        m.d.comb += [
            syndrome.eq(Cat(covered)),
            self.corrected.eq(self.word.xor()),
            self.uncorrectable.eq(~self.corrected & (syndrome != 0)),
        ]
        # Data bits are numbered from 3 on, powers of two left out: below a number lie as many as it has bits.
        place = Signal(len(masks))
        skipped = Signal(range(len(masks) + 2))
        for bit in range(len(masks)):
            with m.If(syndrome[bit]):
                m.d.comb += skipped.eq(bit + 2)
        m.d.comb += place.eq(syndrome - skipped)
        is_data = self.corrected & ((syndrome & (syndrome - 1)[: len(masks)]) != 0)
        m.d.comb += self.data.eq(data ^ Mux(is_data, (Const(1, 1) << place)[: self.data_bits], 0))
        return m
