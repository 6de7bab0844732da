"""An fp16 number taken apart."""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data

from hdl.vxm.fp32_fields import BIAS, FP32_FIELDS

__all__ = ["FP16_BIAS", "fp16_fields"]

FP16_BIAS = 15
"""Of an fp16 exponent."""


def fp16_fields(m: Module, name: str, bits: Value) -> data.View:
    """Return 16 `bits` as the fields of the fp32 number of the same value, combinational.

    A subnormal keeps its leading zeros; an infinity has exponent 255. `magnitude` is 0.
    """
    fields = Signal(FP32_FIELDS, name=name)
    fraction, exponent = bits[:10], bits[10:15]
    normal, special, whole = Signal(name=f"{name}_normal"), Signal(name=f"{name}_special"), Signal(name=f"{name}_whole")
    m.d.comb += [
        normal.eq(exponent != 0),
        special.eq(exponent == 0x1F),
        whole.eq(fraction == 0),
        fields.significand.eq(Cat(Const(0, 13), fraction, normal)),
        fields.exponent.eq((exponent | ~normal) + (BIAS - FP16_BIAS)),
        fields.sign.eq(bits[15]),
        fields.nan.eq(special & ~whole),
        fields.infinite.eq(special & whole),
    ]
    with m.If(special):
        m.d.comb += fields.exponent.eq(0xFF)
    return fields
