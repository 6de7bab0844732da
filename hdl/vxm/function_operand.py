"""The operand of a costly function, taken apart."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed

from hdl.vxm.fp32_fields import BIAS

__all__ = ["FunctionOperand", "function_operand"]

_FRACTION = 23


@dataclass(frozen=True)
class FunctionOperand:
    """Fields of an fp32 number; signals of their own, since simulators are slow with one of more than 64 bits.

    A finite number but zero is ``(-1)**negative * (1 + fraction / 2**23) * 2**exponent``, subnormal or not.

    Attributes
    ----------
    fraction : Signal(23)
    exponent : Signal(signed(9))
        At least 128 for infinities and NaN.
    negative : Signal(1)
    magnitude : Signal(31)
        All but the sign bit.
    zero, infinite, nan : Signal(1)
    """

    fraction: Signal
    exponent: Signal
    negative: Signal
    magnitude: Signal
    zero: Signal
    infinite: Signal
    nan: Signal


def function_operand(m: Module, bits: Value) -> FunctionOperand:
    """Return the fields of 32 `bits`, combinational."""
    operand = FunctionOperand(
        fraction=Signal(_FRACTION, name="fraction"),
        exponent=Signal(signed(9), name="exponent"),
        negative=Signal(name="negative"),
        magnitude=Signal(31, name="magnitude"),
        zero=Signal(name="zero"),
        infinite=Signal(name="infinite"),
        nan=Signal(name="nan"),
    )
    field, fraction = bits[_FRACTION:31], bits[:_FRACTION]
    normal, special, whole = Signal(name="normal"), Signal(name="special_field"), Signal(name="whole")

    # A subnormal fraction moves up until its highest bit leaves it.
    up = Signal(5, name="up")
    value = fraction
    for step in reversed(range(5)):
        size = 1 << step
        empty, shifted = Signal(name=f"empty{size}"), Signal(_FRACTION, name=f"up{size}")
        m.d.comb += [
            empty.eq(value[-size:] == 0),
            up[step].eq(empty),
            shifted.eq(Mux(empty, Cat(Const(0, size), value[:-size]), value)),
        ]
        value = shifted
    m.d.comb += [
        normal.eq(field != 0),
        special.eq(field.all()),
        whole.eq(fraction == 0),
        # The bit that left is the hidden one, and the rest moves up by it.
        operand.fraction.eq(Mux(normal, fraction, Cat(Const(0, 1), value))),
        operand.exponent.eq(Mux(normal, field - BIAS, -BIAS - up)),
        operand.negative.eq(bits[31]),
        operand.magnitude.eq(bits[:31]),
        operand.zero.eq(~normal & whole),
        operand.infinite.eq(special & whole),
        operand.nan.eq(special & ~whole),
    ]
    return operand
