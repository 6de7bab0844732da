"""The one place where fp32 results are normalised and rounded."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.vxm.fp16_fields import FP16_BIAS
from hdl.vxm.fp32_fields import BIAS

__all__ = ["Fp32Round"]

_KEPT = 24
_INFINITY = 255

_DROPPED = 13
"""Bits of an fp32 fraction that an fp16 one does not have."""


class Fp32Round(wiring.Component):
    """Round a finite raw number to fp32, nearest even, subnormals included. Combinational.

    The raw number is ``(-1)**sign * significand / 2**(width - 1) * 2**(exponent - 127)``: `exponent` is the biased
    exponent of the significand's highest bit, which need not be set. Bit 0 may stand for "something is left below"
    (sticky) wherever at most ``width - 26`` leading bits are zero.

    Parameters
    ----------
    width : int
        Bits of the significand, 32 to 64.
    tiny : bool
        Whether `exponent` can be below 1 (products).

    Attributes
    ----------
    fp16 : Signal(1), in
        Round to fp16 instead, in the low 16 bits of `result`; for integers, which are no subnormals there.
    sign : Signal(1), in
    exponent : Signal(signed(10)), in
        At least 1 unless `tiny`.
    significand : Signal(width), in
    result : Signal(32), out
        Infinity from ``2**128 - 2**103`` up; a zero keeps `sign`.
    """

    def __init__(self, *, width: int, tiny: bool) -> None:
        assert 32 <= width <= 64
        self.width = width
        self.tiny = tiny
        super().__init__(
            {
                "fp16": In(1),
                "sign": In(1),
                "exponent": In(signed(10)),
                "significand": In(width),
                "result": Out(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        normal, left = _normalise(m, self.significand, self.exponent - 1)
        exponent = Signal(10)
        m.d.comb += exponent.eq(self.exponent - left)
        kept, guard, sticky = Signal(_KEPT), Signal(), Signal()
        tail = self.width - _KEPT
        m.d.comb += [
            kept.eq(normal[tail:]),
            guard.eq(normal[tail - 1]),
            sticky.eq(normal[: tail - 1].any()),
        ]
        if self.tiny:
            # Below exponent 1 the number moves down instead; from 31 places on only the sticky bit is left.
            down, places, head = Signal(10), Signal(5), Signal(_KEPT + 2)
            lowered = Signal(len(head) + 31)
            m.d.comb += [
                down.eq(1 - self.exponent),
                places.eq(Mux(down < 31, down, 31)),
                head.eq(Cat(self.significand[: tail - 1].any(), self.significand[tail - 1 :])),
                lowered.eq(Cat(Const(0, 31), head) >> places),
            ]
            with m.If(self.exponent < 1):
                m.d.comb += [
                    kept.eq(lowered[-_KEPT:]),
                    guard.eq(lowered[-_KEPT - 1]),
                    sticky.eq(lowered[: -_KEPT - 1].any()),
                ]
        # Exponent and fraction as one integer: a carry out of the fraction gives the right exponent, 0 to 1 and
        # 254 to infinity included.
        field, packed, up, up_fp16 = Signal(8), Signal(31), Signal(), Signal()
        hidden = kept[-1]
        m.d.comb += [
            field.eq(Mux(hidden, exponent[:8], 0)),
            up.eq(guard & (sticky | kept[0])),
            up_fp16.eq(kept[_DROPPED - 1] & (guard | sticky | kept[: _DROPPED - 1].any() | kept[_DROPPED])),
            packed.eq(Cat(kept[:-1], field) + Mux(self.fp16, Cat(Const(0, _DROPPED), up_fp16), up)),
            self.result.eq(Cat(packed, self.sign)),
        ]
        with m.If(hidden & (exponent >= _INFINITY)):
            m.d.comb += self.result.eq(Cat(Const(0, 23), Const(_INFINITY, 8), self.sign))
        with m.If(self.fp16):
            # An exponent of 127 to 142 is one of 15 to 30 with its highest bit turned over.
            magnitude = Signal(15)
            m.d.comb += [magnitude.eq(packed[_DROPPED:28] ^ 0x4000), self.result.eq(Cat(magnitude, self.sign))]
            with m.If(packed[23:] > BIAS + FP16_BIAS):
                m.d.comb += magnitude.eq(0x7C00)
            with m.If(~hidden):
                m.d.comb += magnitude.eq(0)
        return m


def _normalise(m: Module, value: Signal, limit: Value) -> tuple[Signal, Signal]:
    """Shift `value` left until its highest bit is set, by `limit` (not negative) places at most.

    Bit by bit from the top, the places are those of min(leading zeros, limit): a step is taken if the top is empty
    and the limit has room for it; a limit whose bit was not used up is out of reach of all lower steps together.

    Returns
    -------
    tuple of Signal
        What comes out, and the places.
    """
    steps = (len(value) - 1).bit_length()
    room, places = Signal(steps, name="room"), Signal(steps, name="places")
    beyond = Signal(name="beyond")
    wide = Signal(10, name="limit")
    m.d.comb += [
        wide.eq(limit),
        beyond.eq(wide[steps:].any()),
        room.eq(Mux(beyond, (1 << steps) - 1, wide[:steps])),
    ]
    for step in reversed(range(steps)):
        size = 1 << step
        take = Signal(name=f"take{size}")
        shifted = Signal(len(value), name=f"normal{size}")
        m.d.comb += [
            take.eq((value[-size:] == 0) & room[step]),
            places[step].eq(take),
            shifted.eq(Mux(take, Cat(Const(0, size), value[:-size]), value)),
        ]
        value = shifted
        if step:
            rest = Signal(step, name=f"room{size}")
            m.d.comb += rest.eq(Mux(room[step] & ~take, size - 1, room[:step]))
            room = rest
    return value, places
