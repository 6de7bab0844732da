"""fp32 addition before rounding."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.formats import CANONICAL_NAN
from hdl.vxm.fp32_fields import FP32_FIELDS, INFINITY
from hdl.vxm.raw_number import raw_number

__all__ = ["Fp32Add"]

_WIDTH = 32
_SPARE = 7
"""Bits below a significand; with a carry above it that makes 32. Three would do, the shifter has them anyway."""


class Fp32Add(wiring.Component):
    """Add the smaller magnitude, aligned by the lane's shifter, to the greater. Combinational.

    Exact but for bit 0, which is set if anything was shifted out below it. A difference that loses leading bits to
    cancellation was aligned by at most one place and is exact, as the rounder requires.

    Attributes
    ----------
    a, b : Signal(FP32_FIELDS), in
    subtract : Signal(1), in
    small : Signal(32), out
        To be shifted right by `places`, 0 to 32.
    places : Signal(6), out
    exact : Signal(64), in
        The shifter's output.
    raw : Signal(raw_number(32)), out
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "a": In(FP32_FIELDS),
                "b": In(FP32_FIELDS),
                "subtract": In(1),
                "small": Out(32),
                "places": Out(6),
                "exact": In(64),
                "raw": Out(raw_number(_WIDTH)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a, b, raw = self.a, self.b, self.raw
        swap, differ, b_sign, big_sign = Signal(), Signal(), Signal(), Signal()
        big, exponent, distance = Signal(24), Signal(8), Signal(8)
        m.d.comb += [
            # The larger magnitude stays in place: only the other one is shifted, and the difference is never negative.
            swap.eq(b.magnitude > a.magnitude),
            b_sign.eq(b.sign ^ self.subtract),
            differ.eq(a.sign ^ b_sign),
            big_sign.eq(Mux(swap, b_sign, a.sign)),
            big.eq(Mux(swap, b.significand, a.significand)),
            exponent.eq(Mux(swap, b.exponent, a.exponent)),
            distance.eq(Mux(swap, b.exponent - a.exponent, a.exponent - b.exponent)),
            self.small.eq(Cat(Const(0, _SPARE), Mux(swap, a.significand, b.significand))),
            # From 32 places on nothing but the sticky bit is left.
            self.places.eq(Mux(distance < 32, distance, 32)),
        ]
        special, invalid = Signal(), Signal()
        aligned, total = Signal(_WIDTH), Signal(_WIDTH)
        m.d.comb += [
            aligned.eq(Cat(self.exact[31] | self.exact[:31].any(), self.exact[32:63])),
            # The complement's one comes in as a carry; the sticky bit below takes part in it, as if all bits were
            # there.
            total.eq(Cat(Const(0, _SPARE), big) + Mux(differ, ~aligned, aligned) + differ),
            # x - x is +0; the other zero sums have two zeros of one sign.
            raw.value.eq(total),
            raw.sign.eq(big_sign & ~(differ & (total == 0))),
            raw.exponent.eq(exponent + 1),
            special.eq(a.nan | b.nan | a.infinite | b.infinite),
            invalid.eq(a.nan | b.nan | (a.infinite & b.infinite & differ)),
            raw.float.eq(~special),
        ]
        with m.If(special):
            m.d.comb += raw.value.eq(Mux(invalid, CANONICAL_NAN, Cat(Const(INFINITY, 31), big_sign)))
        return m
