"""The multiplier of a lane, for integers and fp32."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.formats import CANONICAL_NAN
from hdl.vxm.fp32_fields import BIAS, FP32_FIELDS, INFINITY
from hdl.vxm.raw_number import raw_number

__all__ = ["Multiplier"]

_WIDTH = 48


class Multiplier(wiring.Component):
    """One signed 32 x 32 bit multiplier: of two integers, or of two fp32 significands. Combinational and exact.

    Attributes
    ----------
    a, b : Signal(32), in
        Integers.
    float_a, float_b : Signal(FP32_FIELDS), in
    float : Signal(1), in
        Multiply the fp32 numbers.
    raw : Signal(raw_number(48)), out
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "a": In(32),
                "b": In(32),
                "float_a": In(FP32_FIELDS),
                "float_b": In(FP32_FIELDS),
                "float": In(1),
                "raw": Out(raw_number(_WIDTH)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a, b, raw = self.float_a, self.float_b, self.raw
        left, right, product = Signal(32), Signal(32), Signal(64)
        special, invalid = Signal(), Signal()
        m.d.comb += [
            left.eq(Mux(self.float, a.significand, self.a)),
            right.eq(Mux(self.float, b.significand, self.b)),
            product.eq(left.as_signed() * right.as_signed()),
            raw.value.eq(product),
            raw.sign.eq(Mux(self.float, a.sign ^ b.sign, product[63])),
            # Two significands in [1, 2) make a product in [1, 4): its highest bit counts twos.
            raw.exponent.eq(a.exponent + b.exponent - (BIAS - 1)),
            raw.over.eq(~self.float & (product[31:] != 0) & ~product[31:].all()),
            special.eq(a.nan | b.nan | a.infinite | b.infinite),
            invalid.eq(a.nan | b.nan | (a.magnitude == 0) | (b.magnitude == 0)),
            raw.float.eq(self.float & ~special),
        ]
        with m.If(self.float & special):
            m.d.comb += raw.value.eq(Mux(invalid, CANONICAL_NAN, Cat(Const(INFINITY, 31), a.sign ^ b.sign)))
        return m
