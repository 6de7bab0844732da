"""Conversions between integers, fp16 and fp32, before rounding or narrowing."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from arch.formats import CANONICAL_NAN, CANONICAL_NAN_FP16
from hdl.vxm.fp16_fields import FP16_BIAS
from hdl.vxm.fp32_fields import BIAS, FP32_FIELDS, INFINITY
from hdl.vxm.raw_number import raw_number

__all__ = ["CONVERSION", "Converter"]

CONVERSION = data.StructLayout({"from_integer": 1, "to_integer": 1, "widen": 1, "to_fp16": 1})
"""One bit set: integer to a float, float to integer, fp16 to fp32, fp32 to fp16."""

_LEAST = BIAS - FP16_BIAS + 1
"""Exponent, as fp32 counts it, of the smallest normal fp16 number."""

_FIRST_TOO_LARGE = BIAS + FP16_BIAS + 1
"""Exponent of 2**16."""

_DROPPED = 13
"""Bits of an fp32 fraction that an fp16 one does not have."""

_SPARE = 7
"""Bits below a significand in the shifter: its highest bit stands for 2**30."""


class Converter(wiring.Component):
    """Take a number from one format to another; the lane's shifter moves what has to move. Combinational.

    From fp32 to fp16 and to integers the shifter leaves the integer of units in the last place and what is below it,
    and `carry` rounds: fp32 subnormals are nothing in fp16, so nothing needs normalising. Integers become floats in
    the rounder; one of more than 24 bits is infinite in fp16, so its sticky bit does not matter there.

    Parameters
    ----------
    width : int
        Of the raw number, 32 or more.

    Attributes
    ----------
    integer : Signal(32), in
    number : Signal(FP32_FIELDS), in
        The float operand, fp16 as `hdl.vxm.fp16_fields` takes it apart.
    conversion : Signal(CONVERSION), in
    moving : Signal(32), out
        To be shifted right by `places`, 0 to 32.
    places : Signal(6), out
    exact : Signal(64), in
        The shifter's output.
    raw : Signal(raw_number(width)), out
        An fp16 result that is not from an integer: its 16 bits as an integer.
    """

    def __init__(self, *, width: int) -> None:
        self.width = width
        super().__init__(
            {
                "integer": In(32),
                "number": In(FP32_FIELDS),
                "conversion": In(CONVERSION),
                "moving": Out(32),
                "places": Out(6),
                "exact": In(64),
                "raw": Out(raw_number(width)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        number, to, raw = self.number, self.conversion, self.raw
        negative, special = Signal(), Signal()
        m.d.comb += [negative.eq(number.sign & ~number.nan), special.eq(number.nan | number.infinite)]

        # To an integer the highest bit of a significand moves down from 2**30, to fp16 from bit 30 to bit 10, or
        # further if the result is subnormal.
        normal, large, excess = Signal(), Signal(), Signal(9)
        m.d.comb += [
            normal.eq(to.to_fp16 & (number.exponent >= _LEAST)),
            large.eq(number.exponent >= _FIRST_TOO_LARGE),
            excess.eq(Mux(to.to_fp16, _LEAST + _SPARE + _DROPPED, BIAS + 30) - number.exponent),
            self.moving.eq(Cat(Const(0, _SPARE), Mux(number.nan, 0, number.significand))),
            self.places.eq(Mux(normal, _SPARE + _DROPPED, Mux(excess < 32, excess, 32))),
        ]
        whole, up = Signal(32), Signal()
        m.d.comb += [
            whole.eq(self.exact[31:63]),
            up.eq(self.exact[30] & (self.exact[:30].any() | whole[0])),
        ]

        # The hidden bit of a normal number counts its exponent up from _LEAST.
        fp16, steps = Signal(16), Signal(5)
        m.d.comb += [
            steps.eq(Mux(normal, number.exponent - _LEAST, 0)),
            fp16.eq(Cat((whole[:11] + Cat(Const(0, 10), steps))[:15], negative)),
        ]
        with m.If(large):
            m.d.comb += fp16.eq(Cat(Const(FP16_BIAS * 2 + 1 << 10, 15), negative))
        with m.If(number.nan):
            m.d.comb += fp16.eq(CANONICAL_NAN_FP16)

        magnitude = Signal(32)
        m.d.comb += [
            magnitude.eq(Mux(self.integer[31], -self.integer, self.integer)),
            raw.value.eq(self._at_top(magnitude)),
            raw.sign.eq(self.integer[31]),
            raw.exponent.eq(BIAS + 31),
            raw.float.eq(to.from_integer | (to.widen & ~special)),
            raw.over.eq(to.to_integer & (number.exponent > BIAS + 30) & ~number.nan),
        ]
        with m.If(to.to_integer):
            m.d.comb += [raw.value.eq(Mux(negative, ~whole, whole)), raw.carry.eq(up ^ negative)]
        with m.If(to.to_fp16):
            m.d.comb += [raw.value.eq(fp16), raw.carry.eq(up & ~large)]
        with m.If(to.widen):
            m.d.comb += [raw.value.eq(self._at_top(number.significand)), raw.exponent.eq(number.exponent)]
            with m.If(special):
                m.d.comb += raw.value.eq(Mux(number.nan, CANONICAL_NAN, Cat(Const(INFINITY, 31), negative)))
        return m

    def _at_top(self, significand: Value) -> Value:
        return Cat(Const(0, self.width - len(significand)), significand)
