"""The costly functions of one lane: EXP, TANH, RSQRT, RECIP, LOG, SIGMOID."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.formats import CANONICAL_NAN
from arch.functions.format import ARGUMENT_BITS, FRACTION_BITS
from hdl.vxm.fp32_fields import BIAS, INFINITY
from hdl.vxm.fp32_round import Fp32Round
from hdl.vxm.function_reduce import FunctionReduce
from hdl.vxm.function_terms import ADDEND_BITS, FUNCTION_TERMS, SUM_BITS, FunctionSpecial

__all__ = ["FunctionUnit"]

_WIDTH = SUM_BITS + 7
"""Bits of the sum: a logarithm is below 2**7."""


class FunctionUnit(wiring.Component):
    """One lane's function of an fp32 number; two stages, one function per cycle, no valid bits and no stalls.

    Operand and `function` in cycle c; `result`, combinational from registers, in cycle c + 1, for the lane's result
    register to take: the stages of :class:`hdl.vxm.lane.VxmLane`. The only registers are those between the stages; they
    have no reset and take what is there at every edge of the clock, which may be gated: it must tick at the end of
    cycle c, and need not otherwise.

    A simulator computes the first stage whenever registers before it may change. An ALU that also does other things
    should keep `operand` and `function` in registers of their own on the clock that ticks for functions only.

    Attributes
    ----------
    operand : Signal(32), in
        fp32.
    function : Signal(3), in
        An :class:`arch.functions.function.Function`; its mnemonic's opcode less that of EXP.
    result : Signal(32), out
        fp32; as ``golden.numerics.functions``, bit for bit.
    """

    operand: In(32)
    function: In(3)
    result: Out(32)

    def elaborate(self, platform: object) -> Module:
        m = Module()

        # Cycle 1: reduce the operand, look up the polynomial, begin to evaluate it.
        m.submodules.reduce = reduce = FunctionReduce()
        m.d.comb += [reduce.operand.eq(self.operand), reduce.function.eq(self.function)]
        s2 = Signal(FUNCTION_TERMS, name="s2_terms", reset_less=True)
        m.d.sync += s2.eq(reduce.terms)

        # Cycle 2: the rest of the polynomial, the sum, one rounding.
        quadratic, linear = Signal(signed(len(s2.slope) + ARGUMENT_BITS)), Signal(signed(len(s2.c1) + 1))
        cubic, value = Signal(signed(len(linear) + ARGUMENT_BITS)), Signal(FRACTION_BITS + 2)
        product, addend, total = Signal(len(value) + len(s2.factor)), Signal(_WIDTH), Signal(_WIDTH)
        m.d.comb += [
            quadratic.eq(s2.slope * s2.argument),
            linear.eq(s2.c1 + (quadratic >> ARGUMENT_BITS)),
            cubic.eq(linear * s2.argument),
            value.eq(s2.c0 + (cubic >> ARGUMENT_BITS)),
            product.eq(value * s2.factor),
            addend.eq(s2.addend << SUM_BITS - ADDEND_BITS),
            total.eq(Mux(s2.subtract, addend - product, addend + product)),
        ]
        m.submodules.round = rounder = Fp32Round(width=_WIDTH, tiny=True)
        m.d.comb += [
            rounder.sign.eq(s2.negative),
            rounder.exponent.eq(s2.exponent + (BIAS + _WIDTH - 1 - SUM_BITS)),
            rounder.significand.eq(total),
            self.result.eq(rounder.result),
        ]
        magnitude = Signal(31)
        with m.Switch(s2.special):
            for special, bits in ((FunctionSpecial.ONE, BIAS << 23), (FunctionSpecial.INFINITY, INFINITY)):
                with m.Case(special):
                    m.d.comb += magnitude.eq(bits)
        with m.If(s2.is_special):
            m.d.comb += self.result.eq(
                Mux(s2.special == FunctionSpecial.NAN, Const(CANONICAL_NAN, 32), Cat(magnitude, s2.negative))
            )
        return m
