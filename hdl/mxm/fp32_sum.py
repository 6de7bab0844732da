"""An fp32 adder."""

from amaranth.hdl import Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.vxm.fp32_add import Fp32Add
from hdl.vxm.fp32_fields import fp32_fields
from hdl.vxm.fp32_round import Fp32Round
from hdl.vxm.shifter import Shifter

__all__ = ["Fp32Sum"]


class Fp32Sum(wiring.Component):
    """a + b in fp32, rounded to nearest even, canonical NaN. Combinational.

    Attributes
    ----------
    a, b : in 32
    sum : out 32
    """

    a: In(32)
    b: In(32)
    sum: Out(32)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.adder = adder = Fp32Add()
        m.submodules.shifter = shifter = Shifter()
        m.submodules.round = rounder = Fp32Round(width=32, tiny=False)
        m.d.comb += [
            adder.a.eq(fp32_fields(m, "a_fields", self.a)),
            adder.b.eq(fp32_fields(m, "b_fields", self.b)),
            shifter.value.eq(adder.small),
            shifter.places.eq(adder.places),
            adder.exact.eq(shifter.exact),
            rounder.sign.eq(adder.raw.sign),
            rounder.exponent.eq(adder.raw.exponent),
            rounder.significand.eq(adder.raw.value),
            self.sum.eq(Mux(adder.raw.float, rounder.result, adder.raw.value)),
        ]
        return m
