"""Instructions of the links: opcodes 8 to 15. Their places are kept; none is built yet."""

from arch.geometry import UnitKind
from arch.isa.instruction import Instruction


def _reserved(mnemonic: str, opcode: int, doc: str, *kinds: UnitKind) -> Instruction:
    return Instruction(mnemonic=mnemonic, opcode=opcode, kinds=kinds, doc=doc, built=False)


C2C: tuple[Instruction, ...] = (
    _reserved("DESKEW", 8, "Align a link.", UnitKind.C2C),
    _reserved("SEND", 9, "Send a vector over a link.", UnitKind.C2C),
    _reserved("RECEIVE", 10, "Receive a vector from a link.", UnitKind.C2C),
)
"""Rows of the instruction table."""
