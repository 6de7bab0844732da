from pathlib import Path

from arch.isa.table import INSTRUCTIONS
from runtime.isa_reference import isa_markdown
from verif.runtime.command_line import takt

REFERENCE = Path(__file__).parents[2] / "docs" / "isa.md"


def test_every_instruction_and_field_is_described():
    text = isa_markdown()
    for row in INSTRUCTIONS:
        assert f"{row.mnemonic} ({row.opcode})" in text or f"{row.opcode} `{row.mnemonic}`" in text
        assert all(f"`{field.name}`" in text for field in row.fields)


def test_the_committed_reference_is_current():
    assert REFERENCE.read_text() == isa_markdown(), "run: takt isa --markdown docs/isa.md"


def test_the_command_prints_it(tmp_path):
    assert takt("isa").stdout == isa_markdown()
    takt("isa", "--markdown", tmp_path / "isa.md")
    assert (tmp_path / "isa.md").read_text() == isa_markdown()
    assert "groqchip" not in takt("isa", "--preset", "nano").stdout
