"""The costly functions of one lane: EXP, TANH, RSQRT, RECIP, LOG, SIGMOID."""

from types import SimpleNamespace

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.formats import CANONICAL_NAN
from arch.functions.format import ARGUMENT_BITS, FRACTION_BITS
from hdl.vxm.fp32_fields import BIAS, INFINITY
from hdl.vxm.fp32_round import Fp32Round
from hdl.vxm.function_reduce import FunctionReduce
from hdl.vxm.function_terms import ADDEND_BITS, FUNCTION_TERMS, SUM_BITS, SUM_WIDTH, FunctionSpecial

__all__ = ["FunctionUnit"]


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
        registers = {}
        for name, member in FUNCTION_TERMS.members.items():
            registers[name] = Signal(member.shape, name=f"s2_{name}", reset_less=True)
            m.d.sync += registers[name].eq(getattr(reduce.terms, name))
        s2 = SimpleNamespace(**registers)

        # Cycle 2: the rest of the polynomial, the sum, one rounding.
        quadratic, linear = Signal(signed(len(s2.slope) + ARGUMENT_BITS)), Signal(signed(len(s2.c1) + 1))
        cubic, value = Signal(signed(len(linear) + ARGUMENT_BITS)), Signal(FRACTION_BITS + 2)
        product, addend, total = Signal(len(value) + len(s2.factor)), Signal(SUM_WIDTH), Signal(SUM_WIDTH)
        m.d.comb += [
            quadratic.eq(s2.slope * s2.argument),
            linear.eq(s2.c1 + quadratic[ARGUMENT_BITS:].as_signed()),
            cubic.eq(linear * s2.argument),
            value.eq(s2.c0 + cubic[ARGUMENT_BITS:].as_signed()),
            product.eq(value * s2.factor),
            addend.eq(s2.addend << SUM_BITS - ADDEND_BITS),
            total.eq(Mux(s2.subtract, addend - product, addend + product)),
        ]
        m.submodules.round = rounder = Fp32Round(width=SUM_WIDTH, tiny=True)
        m.d.comb += [
            rounder.sign.eq(s2.negative),
            rounder.exponent.eq(s2.exponent),
            rounder.significand.eq(total),
            self.result.eq(rounder.result),
        ]
        nan = s2.special == FunctionSpecial.NAN
        with m.If(s2.is_special):
            m.d.comb += self.result.eq(Cat(_magnitude(s2.special), s2.negative & ~nan))
        return m


def _magnitude(special: Value) -> Value:
    """All but the sign bit of a special result."""
    finite = Mux(special[0], Const(BIAS << 23, 31), 0)
    return Mux(special[1], Mux(special[0], Const(CANONICAL_NAN, 31), Const(INFINITY, 31)), finite)
