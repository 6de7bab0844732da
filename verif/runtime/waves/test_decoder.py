"""Surfer's decoder of instruction words, by an interpreter of its format, against the disassembler."""

import random
import tomllib
from typing import Any

import pytest

from arch.isa.encoding import disassemble, encode
from arch.isa.instruction import WORD_BITS
from arch.isa.table import INSTRUCTIONS
from runtime.waves.surfer import DECODER, decoder_toml
from verif.runtime.command_line import takt

TABLE = tomllib.loads(decoder_toml())
PARTS = {part[0]: part for part in TABLE["formats"]["parts"]}
BUILT = [row for row in INSTRUCTIONS if row.built]


def decode(table: dict[str, Any], word: int) -> list[str]:
    """Every text that a word has, as tomlspec.md of instruction-decoder says."""
    found = []
    for name in table["formats"]["names"]:
        for mnemonic, rule in table[name]["instructions"].items():
            if word & rule["mask"] == rule["match"]:
                values = parts(table, table["types"][table[name]["type"]], word)
                text = table[name]["repr"]["default"].replace("$name$", mnemonic.replace("_", "."))
                for part, value in values.items():
                    text = text.replace(f"%{part}%", str(value))
                found.append(text)
    return found


def parts(table: dict[str, Any], slices: list[dict[str, Any]], word: int) -> dict[str, int]:
    """Values of the parts, which lie one below the other from the top of the word."""
    values = {}
    top = table["width"]
    for item in slices:
        width = item["top"] - item["bot"] + 1
        value = (word >> (top - width)) & ((1 << width) - 1)
        signed = PARTS[item["name"]][2].startswith("i")
        values[item["name"]] = value - (1 << width) if signed and value >> (width - 1) else value
        top -= width
    assert top == 0
    return values


@pytest.mark.parametrize("row", BUILT, ids=lambda row: row.mnemonic)
def test_words_are_shown_as_the_disassembler_shows_them(row):
    rng = random.Random(row.opcode)
    corners = [{field.name: getattr(field, end) for field in row.fields} for end in ("minimum", "maximum")]
    alone = [{field.name: getattr(field, end)} for field in row.fields for end in ("minimum", "maximum")]
    some = [{field.name: rng.randint(field.minimum, field.maximum) for field in row.fields} for _ in range(20)]
    for fields in [{}, *corners, *alone, *some]:
        word = encode(row.mnemonic, **fields)
        assert decode(TABLE, word) == [disassemble(word)], fields


def test_what_is_not_built_is_unknown():
    for row in INSTRUCTIONS:
        assert bool(decode(TABLE, row.opcode)) == row.built


def test_the_file_has_what_the_decoder_demands():
    assert TABLE["width"] == WORD_BITS
    assert TABLE["mappings"]["names"] == []
    assert set(TABLE["types"]["names"]) == {TABLE[name]["type"] for name in TABLE["formats"]["names"]}
    for name in TABLE["types"]["names"]:
        for item in TABLE["types"][name]:
            assert item["name"] in PARTS
            assert 0 <= item["bot"] <= item["top"] < WORD_BITS
    for name in TABLE["formats"]["names"]:
        shown = TABLE[name]["repr"]["default"].split("%")[1::2]
        assert set(shown) <= {item["name"] for item in TABLE["types"][TABLE[name]["type"]]}
    assert all(len(part) == 3 and part[2] in ("u8", "u64", "i64") for part in PARTS.values())


def test_the_command_writes_it(tmp_path):
    file = tmp_path / f"{DECODER}.toml"
    result = takt("isa", "--surfer", file)
    assert result.exit_code == 0, result.stderr
    assert file.read_text() == decoder_toml()
    assert takt("isa", "--surfer", "-").stdout == decoder_toml()
