"""The one shifter of a lane."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Shifter"]


class Shifter(wiring.Component):
    """Arithmetic right shift of 32 bits that keeps what falls out. Combinational.

    It serves every shift of a lane: a left shift by s is the right shift by ``31 - s`` with the result read 31 bits
    lower; fp32 operands are aligned, and turned to integers, with guard and sticky bits.

    Attributes
    ----------
    value : Signal(32), in
    fill : Signal(1), in
        Shifted in at the top.
    places : Signal(6), in
        0 to 32.
    exact : Signal(64), out
        ``{fill, value} * 2**31``, shifted: bits 31 to 62 are the integer part, bit 30 the half, below it the rest.
    """

    value: In(32)
    fill: In(1)
    places: In(6)
    exact: Out(64)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        whole = Signal(64)
        m.d.comb += [
            whole.eq(Cat(Const(0, 31), self.value, self.fill)),
            self.exact.eq(whole.as_signed() >> self.places),
        ]
        return m
