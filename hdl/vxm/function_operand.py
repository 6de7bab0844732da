"""The operand of a costly function, taken apart."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data

from hdl.vxm.fp32_fields import BIAS

__all__ = ["FUNCTION_OPERAND", "function_operand"]

_FRACTION = 23

FUNCTION_OPERAND = data.StructLayout(
    {
        "fraction": _FRACTION,
        "exponent": signed(9),
        "negative": 1,
        "magnitude": 31,
        "zero": 1,
        "infinite": 1,
        "nan": 1,
    }
)
"""A finite operand but zero is ``(-1)**negative * (1 + fraction / 2**23) * 2**exponent``, subnormal or not. `magnitude`
is all but the sign bit."""


def function_operand(m: Module, bits: Value) -> data.View:
    """Return the fields of 32 `bits`, combinational."""
    operand = Signal(FUNCTION_OPERAND, name="operand_fields")
    field, fraction = bits[_FRACTION:31], bits[:_FRACTION]
    normal, special, whole = Signal(name="normal"), Signal(name="special_field"), Signal(name="whole")

    # A subnormal fraction moves up until its highest bit leaves it.
    up = Signal(5, name="up")
    value = fraction
    for step in reversed(range(5)):
        size = 1 << step
        shifted = Signal(_FRACTION, name=f"up{size}")
        m.d.comb += [
            up[step].eq(value[-size:] == 0),
            shifted.eq(Mux(up[step], Cat(Const(0, size), value[:-size]), value)),
        ]
        value = shifted
    m.d.comb += [
        normal.eq(field != 0),
        special.eq(field.all()),
        whole.eq(fraction == 0),
        operand.fraction.eq(Mux(normal, fraction, value << 1)),
        operand.exponent.eq(Mux(normal, field - BIAS, -BIAS - up)),
        operand.negative.eq(bits[31]),
        operand.magnitude.eq(bits[:31]),
        operand.zero.eq(~normal & whole),
        operand.infinite.eq(special & whole),
        operand.nan.eq(special & ~whole),
    ]
    return operand
