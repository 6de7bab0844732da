"""An fp32 number taken apart."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data

__all__ = ["BIAS", "FP32_FIELDS", "INFINITY", "fp32_fields"]

BIAS = 127
"""Of an fp32 exponent."""

INFINITY = 0xFF << 23
"""Bits of +infinity."""

FP32_FIELDS = data.StructLayout({"significand": 24, "exponent": 8, "sign": 1, "nan": 1, "infinite": 1, "magnitude": 31})
"""A finite number is ``(-1)**sign * significand * 2**(exponent - 150)``: subnormals have exponent 1 and a significand
below ``2**23``, so nothing downstream needs to know of them. `magnitude` is all but the sign bit; it orders all but
NaN."""


def fp32_fields(m: Module, name: str, bits: Value) -> data.View:
    """Return the fields of 32 `bits`, combinational."""
    fields = Signal(FP32_FIELDS, name=name)
    fraction, exponent = bits[:23], bits[23:31]
    normal, special, whole = Signal(name=f"{name}_normal"), Signal(name=f"{name}_special"), Signal(name=f"{name}_whole")
    m.d.comb += [
        normal.eq(exponent != 0),
        special.eq(exponent == 0xFF),
        whole.eq(fraction == 0),
        fields.significand.eq(Cat(fraction, normal)),
        fields.exponent.eq(exponent | ~normal),
        fields.sign.eq(bits[31]),
        fields.nan.eq(special & ~whole),
        fields.infinite.eq(special & whole),
        fields.magnitude.eq(bits[:31]),
    ]
    return fields
