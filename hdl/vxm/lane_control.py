"""What the lanes of an ALU are told: one decode for all lanes."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data

from arch.formats import DType
from arch.isa.table import BY_MNEMONIC, Source
from hdl.vxm.micro_op import MICRO_OP

__all__ = ["FINISH_CONTROL", "LANE_CONTROL", "decode_finish", "decode_lane"]


_RESULTS = ("PASS", "RELU", "EXTREME", "SUM", "LEFT", "RIGHT", "FROM_INTEGER", "TO_INTEGER", "PRODUCT", "FLOAT_SUM")

LANE_CONTROL = data.StructLayout(
    {
        "result": data.StructLayout(dict.fromkeys(_RESULTS, 1)),
        "a_byte": 2,
        "b_byte": 2,
        "byte": 1,
        "half": 1,
        "float": 1,
        "subtract": 1,
        "minimum": 1,
        "unsigned": 1,
    }
)
"""Stage 1: function, one bit set; byte of the captured streams at which an operand starts; operand width (one byte,
two, else four); fp32 operands; SUB; MIN; SHRL."""

FINISH_CONTROL = data.StructLayout({"byte": 1, "half": 1, "saturate": 1})
"""Stage 2: width of the result (one byte, two, else four) and whether an integer saturates."""


def decode_lane(m: Module, op: data.View) -> Signal:
    """Return the `LANE_CONTROL` of a micro-op, combinational.

    Parameters
    ----------
    m : Module
    op : View
        Layout `MICRO_OP`.
    """
    control = Signal(LANE_CONTROL, name="control")
    assert op.shape() == MICRO_OP

    def first_byte(source: Signal, index: Signal) -> Signal:
        return Mux(source == Source.STREAM, index[:2], 0)

    def among(*mnemonics: str) -> Value:
        return op.opcode.matches(*(BY_MNEMONIC[mnemonic].opcode for mnemonic in mnemonics))

    is_float = Signal()
    one = control.result
    m.d.comb += [
        is_float.eq(op.dtype == DType.FP32),
        one.PASS.eq(among("PASS")),
        one.RELU.eq(among("RELU")),
        one.EXTREME.eq(among("MAX", "MIN")),
        one.SUM.eq(among("ADD", "SUB") & ~is_float),
        one.LEFT.eq(among("SHL")),
        one.RIGHT.eq(among("SHR", "SHRL")),
        one.FROM_INTEGER.eq(among("CVT") & ~is_float),
        one.TO_INTEGER.eq(among("CVT") & is_float),
        one.PRODUCT.eq(among("MUL")),
        one.FLOAT_SUM.eq(among("ADD", "SUB") & is_float),
        control.a_byte.eq(first_byte(op.a_src, op.a_index)),
        control.b_byte.eq(first_byte(op.b_src, op.b_index)),
        control.byte.eq(op.dtype == DType.INT8),
        control.half.eq(op.dtype == DType.INT16),
        control.float.eq(is_float),
        control.subtract.eq(among("SUB")),
        control.minimum.eq(among("MIN")),
        control.unsigned.eq(among("SHRL")),
    ]
    return control


def decode_finish(m: Module, op: data.View) -> Signal:
    """Return the `FINISH_CONTROL` of a micro-op, combinational; parameters as for `decode_lane`."""
    control = Signal(FINISH_CONTROL, name="finish")
    m.d.comb += [
        control.byte.eq(op.out_dtype == DType.INT8),
        control.half.eq(op.out_dtype == DType.INT16),
        control.saturate.eq(op.saturate | (op.dtype == DType.FP32)),
    ]
    return control
