import numpy as np
import pytest

from arch.errors import TaktError
from arch.geometry import UnitKind
from arch.isa.encoding import assemble, decode, disassemble, encode, row_of
from arch.isa.instruction import OPCODE_BITS, WORD_BITS, Instruction
from arch.isa.table import BY_MNEMONIC, BY_OPCODE, INSTRUCTIONS, instructions_of
from verif.arch.words import random_fields

each_row = pytest.mark.parametrize("row", INSTRUCTIONS, ids=lambda row: row.mnemonic)

OPCODES_OF_UNIT = {"C2C": (8, 16), "MEM": (16, 24), "MXM": (24, 32), "VXM": (32, 56), "SXM": (56, 64)}


def test_no_opcode_and_no_mnemonic_twice() -> None:
    assert len(BY_OPCODE) == len(BY_MNEMONIC) == len(INSTRUCTIONS)


@each_row
def test_fields_fit_the_word_and_do_not_overlap(row: Instruction) -> None:
    assert 0 <= row.opcode < 1 << OPCODE_BITS
    taken = (1 << OPCODE_BITS) - 1
    for bit, field in row.offsets.values():
        bits = ((1 << field.width) - 1) << bit
        assert bits >> WORD_BITS == 0
        assert taken & bits == 0
        taken |= bits


@each_row
def test_opcode_lies_in_its_unit_s_range(row: Instruction) -> None:
    if len(row.kinds) == len(UnitKind):
        assert row.opcode < 8
    for kind in row.kinds if len(row.kinds) < len(UnitKind) else ():
        first, end = OPCODES_OF_UNIT[kind.value.partition(".")[0]]
        assert first <= row.opcode < end


@each_row
def test_row_is_described(row: Instruction) -> None:
    assert row.doc.endswith(".")
    assert all(field.doc for field in row.fields)


@each_row
def test_every_legal_instruction_of_the_issue_is_built_where_it_belongs(row: Instruction) -> None:
    for kind in row.kinds:
        assert row in instructions_of(kind)
    for kind in set(UnitKind) - set(row.kinds):
        assert row not in instructions_of(kind)


@each_row
def test_round_trips(row: Instruction, rng: np.random.Generator) -> None:
    for _ in range(50):
        fields = random_fields(row, rng)
        word = encode(row.mnemonic, **fields)
        assert 0 <= word < 1 << WORD_BITS
        assert decode(word) == (row, fields)
        assert row_of(word) is row
        assert assemble(disassemble(word)) == word


@each_row
def test_ends_of_every_field(row: Instruction) -> None:
    for name, (_, field) in row.offsets.items():
        for value in (field.minimum, field.maximum):
            assert decode(encode(row.mnemonic, **{name: value}))[1][name] == value
        for value in (field.minimum - 1, field.maximum + 1):
            legal = f"{row.mnemonic} {name} must be {field.minimum} to {field.maximum}, not {value}"
            with pytest.raises(TaktError, match=f"^{legal}$"):
                encode(row.mnemonic, **{name: value})


def test_each_field_has_its_own_bits() -> None:
    # By hand: 6 opcode bits, dir, 5 of stream, 14 of addr, 11 of stride, 13 of count, 12 of interval, cont.
    word = encode("WRITE", dir=1, stream=3, addr=5, stride=-1, count=7, interval=9, cont=1)
    assert word == 17 | 1 << 6 | 3 << 7 | 5 << 12 | 0x7FF << 26 | 7 << 37 | 9 << 50 | 1 << 62


def test_unknown_opcodes_stay_visible() -> None:
    free = next(code for code in range(1 << OPCODE_BITS) if code not in BY_OPCODE)
    word = 0x1234_0000 << OPCODE_BITS | free
    assert disassemble(word) == f".word {word:#018x}"
    assert assemble(disassemble(word)) == word
    assert row_of(word) is None
    with pytest.raises(TaktError, match=f"opcode must be in the instruction table, not {free}"):
        decode(word)


@pytest.mark.parametrize(
    "text,message",
    [
        ("", "mnemonic must be one of NOP, .*, not ''"),
        ("FLY count=1", "mnemonic must be one of NOP, .*, not 'FLY'"),
        ("READ depth=1", "READ has the fields dir, .*, not 'depth'"),
        ("END count=1", "END has the fields none, not 'count'"),
        ("READ count", "instruction must be 'MNEMONIC name=value ...', not 'READ count'"),
        ("READ count=many", "instruction must be 'MNEMONIC name=value ...', not 'READ count=many'"),
        ("READ count=9999", "READ count must be 0 to 8191, not 9999"),
        (".word", "instruction must be 'MNEMONIC name=value ...', not '.word'"),
        (".word 0x10000000000000000", "word must fit 64 bits, not 0x10000000000000000"),
    ],
)
def test_assembler_names_the_mistake(text: str, message: str) -> None:
    with pytest.raises(TaktError, match=f"^{message}$"):
        assemble(text)
