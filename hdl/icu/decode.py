"""Decoder of instruction words: opcode and fields, cut out where the instruction table says."""

from types import SimpleNamespace

from amaranth.hdl import Value

from arch.isa.instruction import OPCODE_BITS, Instruction
from arch.isa.table import BY_MNEMONIC

__all__ = ["fields_of", "has_opcode"]


def fields_of(row: Instruction, word: Value) -> SimpleNamespace:
    """Return an object with one Amaranth value per field of `row`, cut out of a 64-bit `word`."""
    values = {}
    for name, (bit, field) in row.offsets.items():
        value = word[bit : bit + field.width]
        values[name] = value.as_signed() if field.signed else value
    return SimpleNamespace(**values)


def has_opcode(mnemonic: str, word: Value) -> Value:
    """Return whether `word` has the opcode of `mnemonic`."""
    return word[:OPCODE_BITS] == BY_MNEMONIC[mnemonic].opcode
