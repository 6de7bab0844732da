"""The instruction table itself.

Opcode space by unit: 0-7 instruction control, 8-15 C2C, 16-23 MEM, 24-31 MXM, 32-55 VXM, 56-63 SXM.
Rows with ``built=False`` keep the place of instructions that are not built yet.
"""

from arch.geometry import UnitKind
from arch.isa.c2c_rows import C2C
from arch.isa.control_rows import CONTROL
from arch.isa.instruction import Instruction
from arch.isa.mem_rows import MEM
from arch.isa.mxm_rows import MXM
from arch.isa.sxm_rows import SXM
from arch.isa.vxm_rows import VXM

INSTRUCTIONS: tuple[Instruction, ...] = (*CONTROL, *C2C, *MEM, *MXM, *VXM, *SXM)
"""Every row, in the order of the opcodes."""

BY_OPCODE: dict[int, Instruction] = {row.opcode: row for row in INSTRUCTIONS}
BY_MNEMONIC: dict[str, Instruction] = {row.mnemonic: row for row in INSTRUCTIONS}


def instructions_of(kind: UnitKind) -> tuple[Instruction, ...]:
    """Return the rows that a unit's queue may hold, control instructions included."""
    return tuple(row for row in INSTRUCTIONS if kind in row.kinds)
