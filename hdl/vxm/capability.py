"""Capabilities of the ALUs of a mesh column, from the rules of the instruction table."""

from dataclasses import dataclass

from arch.config import Config
from arch.formats import DType
from arch.functions.function import Function
from arch.geometry import UnitKind, units
from arch.isa.encoding import encode, illegality
from arch.isa.vxm_rows import alu_column

__all__ = ["Capability", "capability"]


@dataclass(frozen=True)
class Capability:
    """Costly functions of an ALU; every ALU has the others.

    Attributes
    ----------
    multiply : bool
        Integer and fp32 MUL.
    float_add : bool
        fp32 ADD and SUB.
    functions : bool
        EXP, TANH, RSQRT, RECIP, LOG and SIGMOID.
    """

    multiply: bool
    float_add: bool
    functions: bool


def capability(config: Config, column: int) -> Capability:
    """Return what the ALUs of mesh column `column` are built with."""
    alus = [unit for unit in units(config) if unit.kind is UnitKind.VXM and alu_column(unit, config) == column]

    def legal(mnemonic: str, *dtypes: DType) -> bool:
        words = (encode(mnemonic, dtype=dtype, out_dtype=dtype) for dtype in dtypes)
        return any(illegality(config, unit, word) is None for word in words for unit in alus)

    integers_and_float = (DType.INT8, DType.INT16, DType.INT32, DType.FP32)
    return Capability(
        multiply=legal("MUL", *integers_and_float),
        float_add=legal("ADD", DType.FP32) or legal("SUB", DType.FP32),
        functions=any(legal(function.name, DType.FP32) for function in Function),
    )
