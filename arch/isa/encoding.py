"""Instruction words to fields and back, and the legality of a word."""

from collections.abc import Mapping
from types import SimpleNamespace

from arch.config import Config
from arch.errors import TaktError
from arch.geometry import Unit
from arch.isa.instruction import OPCODE_BITS, WORD_BITS, Instruction
from arch.isa.table import BY_MNEMONIC, BY_OPCODE


def encode(mnemonic: str, **fields: int) -> int:
    """Return the 64-bit word of an instruction; fields not given are 0.

    Raises
    ------
    TaktError
        For an unknown mnemonic or field, or a value that the field's bits cannot hold.
    """
    if mnemonic not in BY_MNEMONIC:
        raise TaktError(f"mnemonic must be one of {', '.join(BY_MNEMONIC)}, not {mnemonic!r}")
    row = BY_MNEMONIC[mnemonic]
    word = row.opcode
    for name, value in fields.items():
        if name not in row.offsets:
            raise TaktError(f"{mnemonic} has the fields {', '.join(row.offsets) or 'none'}, not {name!r}")
        bit, field = row.offsets[name]
        if not field.minimum <= value <= field.maximum:
            raise TaktError(f"{mnemonic} {name} must be {field.minimum} to {field.maximum}, not {int(value)}")
        word |= (int(value) & ((1 << field.width) - 1)) << bit
    return word


def row_of(word: int) -> Instruction | None:
    """Return the table row of a word's opcode, or None."""
    return BY_OPCODE.get(word & ((1 << OPCODE_BITS) - 1))


def decode(word: int) -> tuple[Instruction, dict[str, int]]:
    """Return the table row and the field values of a word.

    Raises
    ------
    TaktError
        When no row has its opcode.
    """
    row = row_of(word)
    if row is None:
        raise TaktError(f"opcode must be in the instruction table, not {word & ((1 << OPCODE_BITS) - 1)}")
    fields: dict[str, int] = {}
    for name, (bit, field) in row.offsets.items():
        value = (word >> bit) & ((1 << field.width) - 1)
        if field.signed and value >> (field.width - 1):
            value -= 1 << field.width
        fields[name] = value
    return row, fields


def illegality(config: Config, unit: Unit, word: int) -> str | None:
    """Return why `unit` raises ILLEGAL for `word`, or None when the word is legal there."""
    row = row_of(word)
    if row is None:
        return f"opcode {word & ((1 << OPCODE_BITS) - 1)} is not in the instruction table"
    if unit.kind not in row.kinds:
        return f"{row.mnemonic} does not belong to a {unit.kind.value} queue"
    if not row.built:
        return f"{row.mnemonic} is not built yet"
    fields = decode(word)[1]
    for rule in row.rules:
        if not rule.holds(SimpleNamespace(**fields), config, unit):
            return f"{row.mnemonic}: {rule.text}, in {_values(fields)}"
    return None


def disassemble(word: int) -> str:
    """Return the text of one word: mnemonic and ``name=value`` fields."""
    row = row_of(word)
    if row is None:
        return f".word {word:#018x}"
    values = _values(decode(word)[1])
    return f"{row.mnemonic} {values}" if values else row.mnemonic


def assemble(text: str) -> int:
    """Return the word of a line that `disassemble` wrote.

    Raises
    ------
    TaktError
        When the line is no instruction, or a value does not fit.
    """
    mnemonic, _, rest = text.strip().partition(" ")
    try:
        if mnemonic == ".word":
            word = int(rest, 0)
            if not 0 <= word < 1 << WORD_BITS:
                raise TaktError(f"word must fit {WORD_BITS} bits, not {rest}")
            return word
        pairs = dict(pair.split("=") for pair in rest.split())
        return encode(mnemonic, **{name: int(value, 0) for name, value in pairs.items()})
    except ValueError:
        raise TaktError(f"instruction must be 'MNEMONIC name=value ...', not {text!r}") from None


def _values(fields: Mapping[str, int]) -> str:
    return " ".join(f"{name}={value}" for name, value in fields.items())
