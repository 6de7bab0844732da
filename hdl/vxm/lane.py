"""The datapath of one ALU in one lane."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from arch.formats import CANONICAL_NAN
from hdl.vxm.extend import sign_extended
from hdl.vxm.fp32_add import Fp32Add
from hdl.vxm.fp32_fields import BIAS, fp32_fields
from hdl.vxm.fp32_round import Fp32Round
from hdl.vxm.lane_control import FINISH_CONTROL, LANE_CONTROL
from hdl.vxm.multiplier import Multiplier
from hdl.vxm.raw_number import raw_number, raw_width
from hdl.vxm.shifter import Shifter

__all__ = ["VxmLane"]


class VxmLane(wiring.Component):
    """All operations of an ALU on one lane; two stages, one operation per cycle.

    Operands and `control` of an operation in cycle c, its `finish` in cycle c + 1, its `result` from cycle c + 2 until
    the next result.

    Parameters
    ----------
    multiply, float_add : bool
        As in :class:`hdl.vxm.capability.Capability`.

    Attributes
    ----------
    a, b : Signal(32), in
        Four captured streams, or a result; not yet narrowed.
    control : Signal(LANE_CONTROL), in
    finish : Signal(FINISH_CONTROL), in
    store : Signal(1), in
        An operation is in the cycle of its `finish`.
    result : Signal(32), out
        0 after reset.
    """

    def __init__(self, *, multiply: bool, float_add: bool) -> None:
        self.multiply = multiply
        self.float_add = float_add
        super().__init__(
            {
                "a": In(32),
                "b": In(32),
                "control": In(LANE_CONTROL.size),
                "finish": In(FINISH_CONTROL.size),
                "store": In(1),
                "result": Out(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = raw_width(self.multiply)

        # Cycle 1: take the operands apart, operate.
        s1_raw = Signal(raw_number(width))
        s2_raw = Signal(raw_number(width), reset_less=True)
        self._operate(m, s1_raw)
        m.d.sync += s2_raw.eq(s1_raw)

        # Cycle 2: round or narrow.
        m.submodules.round = rounder = Fp32Round(width=width, tiny=self.multiply)
        m.d.comb += [
            rounder.sign.eq(s2_raw.sign),
            rounder.exponent.eq(s2_raw.exponent),
            rounder.significand.eq(s2_raw.value),
        ]
        narrowed = _narrow(m, data.View(FINISH_CONTROL, self.finish), s2_raw)
        with m.If(self.store):
            m.d.sync += self.result.eq(Mux(s2_raw.float, rounder.result, narrowed))
        return m

    def _operate(self, m: Module, raw: data.View) -> None:
        control = data.View(LANE_CONTROL, self.control)
        one = control.result
        a = _operand(m, "a", self.a, control.a_byte, control)
        b = _operand(m, "b", self.b, control.b_byte, control)
        float_a = fp32_fields(m, "float_a", a)
        float_b = fp32_fields(m, "float_b", b)
        nan_a, nan_any = Signal(), Signal()
        m.d.comb += [
            nan_a.eq(control.float & float_a.nan),
            nan_any.eq(nan_a | (control.float & float_b.nan)),
        ]

        # Integer sum; the greater or the smaller: fp32 numbers are in the order of their bits as integers once those
        # below a sign are turned round.
        addend, total = Signal(signed(32)), Signal(33)
        a_key, b_key = Signal(signed(32)), Signal(signed(32))
        extreme = Signal(32)
        m.d.comb += [
            addend.eq(Mux(control.subtract, ~b, b)),
            total.eq(a.as_signed() + addend + control.subtract),
            a_key.eq(Mux(control.float & a[31], a ^ 0x7FFFFFFF, a)),
            b_key.eq(Mux(control.float & b[31], b ^ 0x7FFFFFFF, b)),
            extreme.eq(Mux((a_key < b_key) ^ control.minimum, b, a)),
        ]

        # Shifts. An fp32 significand's highest bit at bit 30 stands for 2**30: to an integer it moves right.
        m.submodules.shifter = shifter = Shifter()
        excess, whole, up = Signal(9), Signal(32), Signal()
        left_over = Signal()
        m.d.comb += [
            shifter.value.eq(_unsigned(a, control)),
            shifter.fill.eq(a[31] & ~control.unsigned & ~control.float),
            shifter.places.eq(Mux(one.LEFT, ~b[:5], b[:5])),
            excess.eq(BIAS + 30 - float_a.exponent),
            whole.eq(shifter.exact[31:63]),
            up.eq(shifter.exact[30] & (shifter.exact[:30].any() | whole[0])),
            left_over.eq((shifter.exact[31:] != 0) & ~shifter.exact[31:].all()),
        ]
        with m.If(one.TO_INTEGER):
            m.d.comb += [
                shifter.value.eq(Cat(Const(0, 7), Mux(nan_a, 0, float_a.significand))),
                shifter.places.eq(Mux(excess < 32, excess, 32)),
            ]

        magnitude = Signal(32)
        m.d.comb += magnitude.eq(Mux(a[31], -a, a))
        m.d.comb += [
            raw.value.eq(a),
            raw.sign.eq(a[31] & ~control.unsigned),
            raw.exponent.eq(BIAS + 31),
            raw.over.eq(
                (one.SUM & (total[32] ^ total[31]))
                | (one.LEFT & left_over)
                | (one.RIGHT & control.unsigned & whole[31])
                | (one.TO_INTEGER & (float_a.exponent > BIAS + 30) & ~nan_a)
            ),
            raw.carry.eq(one.TO_INTEGER & (up ^ (a[31] & ~nan_a))),
            raw.float.eq(one.FROM_INTEGER),
        ]
        with m.If(one.RELU & a[31]):
            m.d.comb += raw.value.eq(0)
        with m.If(one.EXTREME):
            m.d.comb += raw.value.eq(extreme)
        with m.If((one.EXTREME & nan_any) | ((one.PASS | one.RELU) & nan_a)):
            m.d.comb += raw.value.eq(CANONICAL_NAN)
        with m.If(one.SUM):
            m.d.comb += [raw.value.eq(total[:32]), raw.sign.eq(total[32])]
        with m.If(one.LEFT):
            m.d.comb += raw.value.eq(shifter.exact[:32])
        with m.If(one.RIGHT):
            m.d.comb += raw.value.eq(whole)
        with m.If(one.TO_INTEGER):
            m.d.comb += raw.value.eq(Mux(a[31] & ~nan_a, ~whole, whole))
        with m.If(one.FROM_INTEGER):
            m.d.comb += raw.value.eq(Cat(Const(0, len(raw.value) - 32), magnitude))
        if self.float_add:
            m.submodules.adder = adder = Fp32Add()
            m.d.comb += [
                adder.a.eq(float_a),
                adder.b.eq(float_b),
                adder.subtract.eq(control.subtract),
                adder.exact.eq(shifter.exact),
            ]
            with m.If(one.FLOAT_SUM):
                m.d.comb += [shifter.value.eq(adder.small), shifter.places.eq(adder.places), raw.eq(adder.raw)]
        if self.multiply:
            m.submodules.multiplier = multiplier = Multiplier()
            m.d.comb += [
                multiplier.a.eq(a),
                multiplier.b.eq(b),
                multiplier.float_a.eq(float_a),
                multiplier.float_b.eq(float_b),
                multiplier.float.eq(control.float),
            ]
            with m.If(one.PRODUCT):
                m.d.comb += raw.eq(multiplier.raw)


def _operand(m: Module, name: str, captured: Value, byte: Value, control: data.View) -> Signal:
    """Four captured bytes from `byte` up as a number of the operand's format, sign-extended to 32 bits."""
    moved, operand = Signal(32, name=f"{name}_moved"), Signal(32, name=f"{name}_operand")
    m.d.comb += [moved.eq(captured >> Cat(Const(0, 3), byte)), operand.eq(moved)]
    with m.If(control.byte):
        m.d.comb += operand.eq(sign_extended(moved[:8], 32))
    with m.If(control.half):
        m.d.comb += operand.eq(sign_extended(moved[:16], 32))
    return operand


def _unsigned(a: Value, control: data.View) -> Value:
    """`a` without the sign's copies above the operand's width if it counts as unsigned."""
    narrow = Mux(control.byte, a[:8], Mux(control.half, a[:16], a))
    return Mux(control.unsigned, narrow, a)


def _narrow(m: Module, finish: data.View, raw: data.View) -> Signal:
    """The integer of a raw number in the result's format, sign-extended to 32 bits."""
    number, narrowed, largest = Signal(32), Signal(32), Signal(32)
    above_byte, above_half, beyond, negative = Signal(), Signal(), Signal(), Signal()
    m.d.comb += [
        number.eq(raw.value[:32] + raw.carry),
        negative.eq(Mux(raw.over, raw.sign, number[31])),
        above_byte.eq((number[7:] != 0) & ~number[7:].all()),
        above_half.eq((number[15:] != 0) & ~number[15:].all()),
        beyond.eq(raw.over | (finish.byte & above_byte) | (finish.half & above_half)),
        largest.eq(Mux(finish.byte, 0x7F, Mux(finish.half, 0x7FFF, 0x7FFFFFFF))),
        narrowed.eq(number),
    ]
    with m.If(finish.byte):
        m.d.comb += narrowed.eq(sign_extended(number[:8], 32))
    with m.If(finish.half):
        m.d.comb += narrowed.eq(sign_extended(number[:16], 32))
    with m.If(finish.saturate & beyond):
        m.d.comb += narrowed.eq(Mux(negative, ~largest, largest))
    return narrowed
