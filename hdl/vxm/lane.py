"""The datapath of one ALU in one lane."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from arch.formats import CANONICAL_NAN
from hdl.vxm.converter import Converter
from hdl.vxm.extend import sign_extended
from hdl.vxm.fp16_fields import fp16_fields
from hdl.vxm.fp32_add import Fp32Add
from hdl.vxm.fp32_fields import fp32_fields
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
    multiply, float_add, functions : bool
        As in :class:`hdl.vxm.capability.Capability`.

    Attributes
    ----------
    a, b : Signal(32), in
        Four captured streams, or a result; not yet narrowed.
    c : Signal(8), in
        The mask of SEL.
    control : Signal(LANE_CONTROL), in
    finish : Signal(FINISH_CONTROL), in
    store : Signal(1), in
        An operation is in the cycle of its `finish`.
    function_result : Signal(32), in
        Only with `functions`: the result of a costly function, in the cycle of its `finish`.
    result : Signal(32), out
        0 after reset.
    """

    def __init__(self, *, multiply: bool, float_add: bool, functions: bool) -> None:
        self.multiply = multiply
        self.float_add = float_add
        self.functions = functions
        super().__init__(
            {
                "a": In(32),
                "b": In(32),
                "c": In(8),
                "control": In(LANE_CONTROL.size),
                "finish": In(FINISH_CONTROL.size),
                "store": In(1),
                "result": Out(32),
                **({"function_result": In(32)} if functions else {}),
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
        finish = data.View(FINISH_CONTROL, self.finish)
        m.d.comb += [
            rounder.fp16.eq(finish.fp16),
            rounder.sign.eq(s2_raw.sign),
            rounder.exponent.eq(s2_raw.exponent),
            rounder.significand.eq(s2_raw.value),
        ]
        narrowed = _narrow(m, finish, s2_raw)
        result: Value = Mux(s2_raw.float, rounder.result, narrowed)
        if self.functions:
            result = Mux(finish.function, self.function_result, result)
        with m.If(self.store):
            m.d.sync += self.result.eq(result)
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

        # Integer sum, and bits.
        addend, total, bits = Signal(signed(32)), Signal(33), Signal(32)
        m.d.comb += [
            addend.eq(Mux(control.subtract, ~b, b)),
            total.eq(a.as_signed() + addend + control.subtract),
            bits.eq(Mux(control.all, a & b, Mux(control.any, a | b, a ^ Mux(control.invert, ~Const(0, 32), b)))),
        ]

        # Order: fp32 numbers are in the order of their bits as integers once those below a sign are turned round. A
        # comparison, unlike an extreme, takes the two zeros for one.
        a_key, b_key, less = Signal(signed(32)), Signal(signed(32)), Signal()
        extreme, equal, holds, relation = Signal(32), Signal(), Signal(), control.relation
        m.d.comb += [
            a_key.eq(Mux(control.float & a[31], a ^ 0x7FFFFFFF, a)),
            b_key.eq(Mux(control.float & b[31], b ^ 0x7FFFFFFF, b)),
            less.eq(a_key < b_key),
            extreme.eq(Mux(less ^ control.minimum, b, a)),
            equal.eq((a == b) | (control.float & (float_a.magnitude == 0) & (float_b.magnitude == 0))),
            holds.eq(
                Mux(
                    nan_any,
                    relation.unordered,
                    Mux(equal, relation.equal, Mux(less, relation.less, relation.greater)),
                )
            ),
        ]

        # Choice.
        take_a, chosen, nan_chosen = Signal(), Signal(32), Signal()
        m.d.comb += [
            take_a.eq(self.c != 0),
            chosen.eq(Mux(take_a, a, b)),
            nan_chosen.eq(control.float & Mux(take_a, float_a.nan, float_b.nan)),
        ]

        # Shifts.
        m.submodules.shifter = shifter = Shifter()
        whole, left_over = Signal(32), Signal()
        m.d.comb += [
            shifter.value.eq(_unsigned(a, control)),
            shifter.fill.eq(a[31] & ~control.unsigned & ~control.float),
            shifter.places.eq(Mux(one.LEFT, ~b[:5], b[:5])),
            whole.eq(shifter.exact[31:63]),
            left_over.eq((shifter.exact[31:] != 0) & ~shifter.exact[31:].all()),
        ]

        m.d.comb += [
            raw.value.eq(a),
            raw.sign.eq(a[31] & ~control.unsigned),
            raw.over.eq(
                (one.SUM & (total[32] ^ total[31]))
                | (one.LEFT & left_over)
                | (one.RIGHT & control.unsigned & whole[31])
            ),
        ]
        with m.If(one.RELU & a[31]):
            m.d.comb += raw.value.eq(0)
        with m.If(one.BITS):
            m.d.comb += raw.value.eq(bits)
        with m.If(one.EXTREME):
            m.d.comb += raw.value.eq(extreme)
        with m.If(one.COMPARE):
            m.d.comb += raw.value.eq(Mux(holds, 0xFFFFFFFF, 0))
        with m.If(one.SELECT):
            m.d.comb += raw.value.eq(chosen)
        with m.If((one.EXTREME & nan_any) | ((one.PASS | one.RELU) & nan_a) | (one.SELECT & nan_chosen)):
            m.d.comb += raw.value.eq(CANONICAL_NAN)
        with m.If(one.SUM):
            m.d.comb += [raw.value.eq(total[:32]), raw.sign.eq(total[32])]
        with m.If(one.LEFT):
            m.d.comb += raw.value.eq(shifter.exact[:32])
        with m.If(one.RIGHT):
            m.d.comb += raw.value.eq(whole)

        fp16_a = fp16_fields(m, "fp16_a", a[:16])
        m.submodules.converter = converter = Converter(width=raw_width(self.multiply))
        m.d.comb += [
            converter.integer.eq(a),
            converter.number.eq(Mux(control.fp16, fp16_a, float_a)),
            converter.conversion.eq(control.conversion),
            converter.exact.eq(shifter.exact),
        ]
        with m.If(one.CONVERT):
            m.d.comb += [
                shifter.value.eq(converter.moving),
                shifter.fill.eq(0),
                shifter.places.eq(converter.places),
                raw.eq(converter.raw),
            ]
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
    with m.If(control.two_bytes):
        m.d.comb += operand.eq(sign_extended(moved[:16], 32))
    return operand


def _unsigned(a: Value, control: data.View) -> Value:
    """`a` without the sign's copies above the operand's width if it counts as unsigned."""
    narrow = Mux(control.byte, a[:8], Mux(control.two_bytes, a[:16], a))
    return Mux(control.unsigned, narrow, a)


def _narrow(m: Module, finish: data.View, raw: data.View) -> Signal:
    """The integer of a raw number in the result's format, sign-extended to 32 bits."""
    number, narrowed, largest = Signal(32), Signal(32), Signal(32)
    above_byte, above_two_bytes, beyond, negative = Signal(), Signal(), Signal(), Signal()
    m.d.comb += [
        number.eq(raw.value[:32] + raw.carry),
        negative.eq(Mux(raw.over, raw.sign, number[31])),
        above_byte.eq((number[7:] != 0) & ~number[7:].all()),
        above_two_bytes.eq((number[15:] != 0) & ~number[15:].all()),
        beyond.eq(raw.over | (finish.byte & above_byte) | (finish.two_bytes & above_two_bytes)),
        largest.eq(Mux(finish.byte, 0x7F, Mux(finish.two_bytes, 0x7FFF, 0x7FFFFFFF))),
        narrowed.eq(number),
    ]
    with m.If(finish.byte):
        m.d.comb += narrowed.eq(sign_extended(number[:8], 32))
    with m.If(finish.two_bytes):
        m.d.comb += narrowed.eq(sign_extended(number[:16], 32))
    with m.If(finish.saturate & beyond):
        m.d.comb += narrowed.eq(Mux(negative, ~largest, largest))
    return narrowed
