"""First stage of the costly functions: what the table is asked, and what its answer goes into."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.functions.format import ARGUMENT_BITS, DEPTH, FIRST, LOG2E_BITS
from arch.functions.function import Function
from arch.functions.table import LN2, LOG2E
from hdl.vxm.function_operand import FunctionOperand, function_operand
from hdl.vxm.function_rom import look_up
from hdl.vxm.function_terms import ADDEND_BITS, EXPONENT_OF_ONE, FACTOR_BITS, FUNCTION_TERMS, FunctionSpecial

__all__ = ["FunctionReduce"]

_INDEX_BITS = 5
"""Of the segments of EXP and TANH."""

_MOST = 6
"""Exponent of the greatest operand that is multiplied: from 128 up, every result is a special one."""

_TEN, _TWENTY = 0x41200000, 0x41A00000


class FunctionReduce(wiring.Component):
    """From an operand and a function to the terms of the result. Combinational.

    Attributes
    ----------
    operand : Signal(32), in
        fp32.
    function : Signal(Function), in
    terms : FUNCTION_TERMS, out
    """

    operand: In(32)
    function: In(3)
    terms: Out(FUNCTION_TERMS)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        x = function_operand(m, self.operand)
        terms = self.terms
        one = {function: Signal(name=f"is_{function.name.lower()}") for function in Function}
        m.d.comb += [is_function.eq(self.function == function) for function, is_function in one.items()]
        exp, tanh, rsqrt, recip, log, sigmoid = (one[function] for function in Function)

        # A SIGMOID below -20 is an EXP.
        power, near, ten, twenty = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            ten.eq(x.magnitude >= _TEN),
            twenty.eq(x.magnitude >= _TWENTY),
            power.eq(exp | (sigmoid & x.negative & twenty)),
            near.eq(tanh & (x.exponent < 0)),
        ]

        # Fixed point: x * log2(e) or 2x with 31 fraction bits, SIGMOID's x with 30.
        fixed = _fixed(m, x, power, sigmoid & ~power)
        fraction_bits = ARGUMENT_BITS + _INDEX_BITS
        reduced, whole = Signal(fraction_bits), Signal(9)
        m.d.comb += Cat(reduced, whole).eq(Mux(power & x.negative, -fixed, fixed))

        # Where the table is looked up. The first segments have zeros where an index goes.
        segment, odd = Signal(range(DEPTH)), x.exponent[0]
        fraction = x.fraction
        m.d.comb += [
            segment.eq(fixed[ARGUMENT_BITS : ARGUMENT_BITS + len(segment) - 1]),
            terms.argument.eq(reduced[:ARGUMENT_BITS]),
        ]
        with m.If(power):
            m.d.comb += segment.eq(FIRST["EXP"] | reduced[ARGUMENT_BITS:])
        with m.If(near):
            m.d.comb += segment.eq(FIRST["TANH"] | reduced[ARGUMENT_BITS:])
        with m.If(recip | log):
            m.d.comb += [
                segment.eq(Mux(log, FIRST["LOG"], FIRST["RECIP"]) | fraction[-6:]),
                terms.argument.eq(Cat(Const(0, ARGUMENT_BITS - 17), fraction[:17])),
            ]
        with m.If(rsqrt):
            m.d.comb += [
                segment.eq(FIRST["RSQRT"] | Cat(fraction[-5:], odd)),
                terms.argument.eq(Cat(Const(0, ARGUMENT_BITS - 18), fraction[:18])),
            ]
        word = look_up(m, segment)
        cubic = Signal(signed(len(word.c3) + ARGUMENT_BITS))
        m.d.comb += [
            cubic.eq(word.c3 * terms.argument),
            terms.c0.eq(word.c0),
            terms.c1.eq(word.c1),
            terms.slope.eq(word.c2 + cubic[ARGUMENT_BITS:].as_signed()),
        ]

        # What the value goes into. LOG: x = (1 + f) * 2**e with f from -1/4 up, below 1/2.
        high, size = Signal(), Signal(FACTOR_BITS - 1)
        e, distance = Signal(signed(9)), Signal(8)
        one_less = Signal()
        m.d.comb += [
            high.eq(fraction[-1]),
            size.eq(Mux(high, Cat(Const(0, 1), -fraction), Cat(Const(0, 2), fraction))),
            e.eq(x.exponent + high),
            distance.eq(Mux(e < 0, -e, e)),
            one_less.eq((tanh & ~near) | (sigmoid & ~x.negative)),
            terms.factor.eq(1 << FACTOR_BITS),
            terms.negative.eq(x.negative & (tanh | recip | rsqrt)),
            terms.subtract.eq(one_less),
        ]
        with m.If(one_less):
            m.d.comb += [
                terms.factor.eq(Mux(tanh, 2 << FACTOR_BITS - 1, 1 << FACTOR_BITS - 1) >> word.less),
                terms.addend.eq(1 << ADDEND_BITS),
            ]
        with m.If(near):
            m.d.comb += terms.factor.eq(Cat(Const(0, 2), fraction, ~x.zero))
        with m.If(log):
            m.d.comb += [
                terms.factor.eq(size),
                terms.addend.eq(distance * LN2),
                terms.subtract.eq((e != 0) & ((e < 0) ^ high)),
                terms.negative.eq(Mux(e == 0, high, e < 0)),
            ]

        # Its exponent: n, e, -e - 1, -k - 1 or that of the segment.
        invert, raw = Signal(), Signal(9)
        m.d.comb += [
            invert.eq(rsqrt | recip | (sigmoid & x.negative & ~power)),
            raw.eq(Mux(near | recip, x.exponent, 0)),
            terms.exponent.eq((raw ^ invert.replicate(9)).as_signed() + EXPONENT_OF_ONE),
        ]
        with m.If(power):
            m.d.comb += raw.eq(whole)
        with m.If(sigmoid & x.negative & ~power):
            m.d.comb += raw.eq(word.less)
        with m.If(rsqrt):
            m.d.comb += raw.eq(Cat(x.exponent[1:], x.exponent[-1]))
        self._special(m, x, one, beyond=Mux(tanh, ten, twenty))
        return m

    def _special(self, m: Module, x: FunctionOperand, one: dict[Function, Signal], *, beyond: Value) -> None:
        """Results that need no evaluation. SIGMOID and TANH end at 1 where `beyond` holds."""
        kind, found = self.terms.special, self.terms.is_special
        exp, tanh, rsqrt, recip, log, sigmoid = (one[function] for function in Function)
        m.d.comb += kind.eq(FunctionSpecial.ZERO)
        with m.If(exp | (sigmoid & x.negative)):
            m.d.comb += [
                found.eq(x.exponent > _MOST),
                kind.eq(Mux(x.negative, FunctionSpecial.ZERO, FunctionSpecial.INFINITY)),
            ]
        with m.If(tanh | (sigmoid & ~x.negative)):
            m.d.comb += [found.eq(beyond), kind.eq(FunctionSpecial.ONE)]
        with m.If(rsqrt | recip | log):
            m.d.comb += [
                found.eq(x.zero | x.infinite),
                kind.eq(Mux(x.zero | log, FunctionSpecial.INFINITY, FunctionSpecial.ZERO)),
            ]
        with m.If(x.nan | ((rsqrt | log) & x.negative & ~x.zero)):
            m.d.comb += [found.eq(1), kind.eq(FunctionSpecial.NAN)]


def _fixed(m: Module, x: FunctionOperand, power: Value, halved: Value) -> Signal:
    """|x| * log2(e) if `power`, else |x|, with 31 fraction bits (30 if `halved`), rounded down; |x| is below 128."""
    significand, product, places = Signal(24), Signal(LOG2E_BITS + 25), Signal(9)
    fixed = Signal(ARGUMENT_BITS + _INDEX_BITS + _MOST + 2, name="fixed")
    least = 23 + LOG2E_BITS - (ARGUMENT_BITS + _INDEX_BITS) - _MOST
    m.d.comb += [
        significand.eq(Cat(x.fraction, 1)),
        product.eq(Mux(power, significand * LOG2E, significand << LOG2E_BITS)),
        places.eq(_MOST - x.exponent + halved),
        fixed.eq(product[least:] >> Mux(places[6:].any(), 63, places[:6])),
    ]
    return fixed
