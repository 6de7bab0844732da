"""Control of the lanes of an ALU: one decode for all of them."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data

from arch.formats import DType
from arch.functions.function import Function
from arch.isa.codes import Relation, Source
from arch.isa.table import BY_MNEMONIC
from hdl.vxm.converter import CONVERSION
from hdl.vxm.micro_op import MICRO_OP
from hdl.vxm.width import is_two_bytes

__all__ = ["FINISH_CONTROL", "LANE_CONTROL", "decode_finish", "decode_lane", "function_code", "is_function"]


_RESULTS = (
    *("PASS", "RELU", "BITS", "EXTREME", "COMPARE", "SELECT", "SUM", "LEFT", "RIGHT", "CONVERT"),
    *("PRODUCT", "FLOAT_SUM"),
)

LANE_CONTROL = data.StructLayout(
    {
        "result": data.StructLayout(dict.fromkeys(_RESULTS, 1)),
        "a_byte": 2,
        "b_byte": 2,
        "byte": 1,
        "two_bytes": 1,
        "float": 1,
        "fp16": 1,
        "subtract": 1,
        "minimum": 1,
        "unsigned": 1,
        "all": 1,
        "any": 1,
        "invert": 1,
        "relation": data.StructLayout({"less": 1, "equal": 1, "greater": 1, "unordered": 1}),
        "conversion": CONVERSION,
    }
)
"""Stage 1: function, one bit set; byte of the captured streams at which an operand starts; operand width (one byte,
two, else four); float operands, fp16 ones; SUB; MIN; SHRL; AND, OR, NOT; cases in which CMP holds; what CVT does."""

FINISH_CONTROL = data.StructLayout({"byte": 1, "two_bytes": 1, "fp16": 1, "saturate": 1, "function": 1})
"""Stage 2: width of an integer result (one byte, two, else four), fp16 result, whether an integer saturates, result of
the function unit."""


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

    # Decoded here once instead of in every lane: one-hot bits, so that a lane has no comparison with an opcode.
    is_float, to_float = Signal(), Signal()
    one, to, relation = control.result, control.conversion, control.relation
    m.d.comb += [
        is_float.eq(_is_float(op.dtype)),
        to_float.eq(_is_float(op.out_dtype)),
        one.PASS.eq(among("PASS")),
        one.RELU.eq(among("RELU")),
        one.BITS.eq(among("AND", "OR", "XOR", "NOT")),
        one.EXTREME.eq(among("MAX", "MIN")),
        one.COMPARE.eq(among("CMP")),
        one.SELECT.eq(among("SEL")),
        one.SUM.eq(among("ADD", "SUB") & ~is_float),
        one.LEFT.eq(among("SHL")),
        one.RIGHT.eq(among("SHR", "SHRL")),
        one.CONVERT.eq(among("CVT")),
        one.PRODUCT.eq(among("MUL")),
        one.FLOAT_SUM.eq(among("ADD", "SUB") & is_float),
        control.a_byte.eq(first_byte(op.a_src, op.a_index)),
        control.b_byte.eq(first_byte(op.b_src, op.b_index)),
        control.byte.eq(op.dtype == DType.INT8),
        control.two_bytes.eq(is_two_bytes(op.dtype)),
        control.float.eq(is_float),
        control.fp16.eq(op.dtype == DType.FP16),
        control.subtract.eq(among("SUB")),
        control.minimum.eq(among("MIN")),
        control.unsigned.eq(among("SHRL")),
        control.all.eq(among("AND")),
        control.any.eq(among("OR")),
        control.invert.eq(among("NOT")),
        relation.less.eq(op.relation.matches(Relation.NE, Relation.LT, Relation.LE)),
        relation.equal.eq(op.relation.matches(Relation.EQ, Relation.LE, Relation.GE)),
        relation.greater.eq(op.relation.matches(Relation.NE, Relation.GT, Relation.GE)),
        relation.unordered.eq(op.relation == Relation.NE),
        to.from_integer.eq(~is_float),
        to.to_integer.eq(is_float & ~to_float),
        # CVT of a format to itself is illegal, so a float to fp32 can only be fp16.
        to.widen.eq(is_float & (op.out_dtype == DType.FP32)),
        to.to_fp16.eq(is_float & (op.out_dtype == DType.FP16)),
    ]
    return control


def decode_finish(m: Module, op: data.View) -> Signal:
    """Return the `FINISH_CONTROL` of a micro-op, combinational; parameters as for `decode_lane`."""
    control = Signal(FINISH_CONTROL, name="finish")
    m.d.comb += [
        control.byte.eq(op.out_dtype == DType.INT8),
        control.two_bytes.eq(op.out_dtype == DType.INT16),
        control.fp16.eq(op.out_dtype == DType.FP16),
        # A conversion from a float always saturates, whatever the word says.
        control.saturate.eq(op.saturate | _is_float(op.dtype)),
        control.function.eq(is_function(op.opcode)),
    ]
    return control


def is_function(opcode: Value) -> Value:
    """Return whether an opcode is that of a costly function."""
    return opcode.matches(*(BY_MNEMONIC[function.name].opcode for function in Function))


def function_code(opcode: Value) -> Value:
    """Return the code of a costly function, 3 bits, of its opcode."""
    return (opcode - BY_MNEMONIC[Function(0).name].opcode)[:3]


def _is_float(dtype: Value) -> Value:
    return dtype.matches(*(one for one in DType if one.is_float))
