"""The table of errors in docs/functions.md."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from arch.document import insert
from arch.errors import TaktError
from golden.numerics.functions import FUNCTIONS
from golden.ulp.__main__ import START, STOP
from golden.ulp.report import markdown

DOCUMENT = Path(__file__).parents[2] / "docs" / "functions.md"


def rows(text: str) -> list[list[str]]:
    """Return the cells of the rows below a table's head."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]


def test_the_document_is_what_is_measured():
    text = DOCUMENT.read_text().partition(START)[2].partition(STOP)[0].strip()
    written, measured = rows(text), rows(markdown(20_000))
    assert [row[0] for row in written] == list(FUNCTIONS)
    for document_row, row in zip(written, measured, strict=True):
        # All of fp16 is the same whatever the sample; the document's own sample is the larger one.
        assert document_row[:2] == row[:2], "run: python -m golden.ulp --markdown docs/functions.md"
        assert 0.5 <= float(row[2]) < 0.75
        assert 0.5 <= float(document_row[2]) < 0.75
        assert re.fullmatch(r"`0x[0-9a-f]{8}` \(\S+\)", document_row[3])
        assert re.fullmatch(r"9\d\.\d\d %", document_row[4])


def test_the_command_writes_between_the_markers(tmp_path):
    document = tmp_path / "table.md"
    document.write_text(f"before\n{START}\nold\n{STOP}\nafter\n")
    command = [sys.executable, "-m", "golden.ulp", "--count", "1000", "--markdown", str(document)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert document.read_text() == f"before\n{START}\n{printed.strip()}\n{STOP}\nafter\n"
    assert len(rows(printed.strip())) == len(FUNCTIONS)


def test_a_document_without_markers(tmp_path):
    document = tmp_path / "table.md"
    document.write_text("nothing\n")
    with pytest.raises(TaktError, match="must hold the lines"):
        insert(document, START, STOP, "text")
    with pytest.raises(TaktError, match="cannot read"):
        insert(tmp_path / "missing.md", START, STOP, "text")
