"""Every instruction has all that it must have, and docs/coverage.md says so."""

import os
import subprocess
import sys

import pytest

from arch.isa.encoding import encode
from arch.isa.table import INSTRUCTIONS
from arch.presets import preset
from compiler.expression import functions
from compiler.program import Program
from verif.compiler.timetables import timetable
from verif.coverage.__main__ import START, STOP
from verif.coverage.decoders import rtl_decoders
from verif.coverage.forms import Form, every_form, linked
from verif.coverage.operations import OPERATIONS
from verif.coverage.published import PUBLISHED
from verif.coverage.recorder import Recorder
from verif.coverage.table import COLUMNS, MISSING, Evidence, markdown
from verif.repo.files import ROOT

DOCUMENT = ROOT / "docs" / "coverage.md"
NANO = preset("nano")
DECLARATIONS = {"input", "constant", "output", "compile", "config", "operations", "fresh_name", "is_result"}
"""Of a program, no operations."""


def test_every_instruction_has_everything() -> None:
    """docs/coverage.md is current: each instruction has RTL, golden model, operation and tests that execute it."""
    environment = {name: value for name, value in os.environ.items() if name != "TAKT_SIMULATORS"}
    command = [sys.executable, "-m", "verif.coverage"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    written = DOCUMENT.read_text().partition(START)[2].partition(STOP)[0].strip()
    assert written == done.stdout.strip(), f"run: python -m verif.coverage --markdown docs/coverage.md\n{done.stderr}"
    assert done.returncode == 0, done.stderr
    assert MISSING not in written


def test_every_instruction_of_a_chip_has_a_row() -> None:
    here = {row.mnemonic for row in INSTRUCTIONS if not linked(row)}
    assert {form.mnemonic for form in every_form()} == here
    assert sorted(name for names in PUBLISHED.values() for name in names) == sorted(here)
    assert len(here) == len(INSTRUCTIONS) - 3


def test_every_operation_has_a_program() -> None:
    public = {name for name in dir(Program) if not name.startswith("_")} - DECLARATIONS
    words = {word for name in OPERATIONS for word in name.replace(",", "").split()}
    assert public - words == set()
    assert set(functions.__all__) - words == set()


def test_what_is_missing_shows() -> None:
    row = Evidence("opcode 1", "", "somewhere", "`map`", "", "a test")
    assert row.lacking() == ("RTL", "unit bench")
    text = markdown({Form("ADD", "modulo"): row, Form("ADD", "fp32"): row, Form("SUB", "fp32"): row})
    assert text.splitlines()[0].count("|") == len(COLUMNS) + 3
    assert text.count(MISSING) == 4
    assert "`ADD` modulo; fp32 |" in text


def test_what_is_not_built_is_not_decoded() -> None:
    """The RTL decodes the instructions that the table calls built, and no others."""
    found = rtl_decoders(NANO)
    assert found["ABC"] == {"hdl/mxm/activations_controller.py"}
    assert all(row.built for row in INSTRUCTIONS if row.mnemonic in found)


def test_a_program_with_a_fault_is_no_evidence() -> None:
    recorder = Recorder()
    late = (9, "MEM_W2", "READ", {"count": 3})
    recorder.record_image("right", timetable(NANO, late))
    with pytest.raises(Exception, match="BUSY"):
        recorder.record_image("wrong", timetable(NANO, late, (10, "MEM_W2", "READ", {})))
    assert recorder.forms == {"right": {Form("NOP", ""), Form("READ", ""), Form("END", "")}}


def test_words_that_are_not_reached_are_no_evidence() -> None:
    recorder = Recorder()
    words = [encode("END"), encode("READ", count=1, interval=1)]
    recorder.record_image("short", timetable(NANO, raw={"MEM_W2": words}))
    assert recorder.forms == {"short": {Form("END", "")}}
    assert recorder.golden == {Form("END", ""): {"golden/machine/icu.py"}}
