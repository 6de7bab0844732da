import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from arch.document import insert
from arch.errors import TaktError
from synth.__main__ import START, STOP, main
from synth.area import Area
from synth.report import ModuleArea, Report
from synth.tables import markdown, per_mac


def report(preset: str = "nano", cells: int = 6400) -> Report:
    """Return the report of a chip of 64 multiply-accumulators."""
    parts = (
        ModuleArea(unit="mem", label="takt_sram", instances=2, modules=1, total=Area(10, 0, 4096)),
        ModuleArea(unit="mxm", label="Supercell", instances=4, modules=1, total=Area(cells, 640)),
        ModuleArea(unit="mxm", label="Row", instances=2, modules=1, total=Area(64, 128)),
    )
    return Report(preset=preset, parts=parts, macs=64, supercell=parts[1].total)


def test_sums_by_unit_the_largest_first() -> None:
    assert report().total == Area(6474, 768, 4096)
    assert list(report().units.items()) == [("mxm", Area(6464, 768)), ("mem", Area(10, 0, 4096))]


def test_cost_of_a_multiply_accumulator() -> None:
    assert report().as_dict()["per_mac"] == {
        "cells": 100, "flip_flops": 10, "mxm_cells": 101, "mxm_flip_flops": 12,
    }  # fmt: skip
    assert per_mac(report()).startswith(
        "INT8 MAC (nano): 100 generic cells and 10.0 flip-flops in the array, 101 and 12.0 "
    )
    assert "1,086 and 36" in per_mac(report())


def test_json_holds_every_figure() -> None:
    found = json.loads(json.dumps(report().as_dict()))
    assert found["preset"] == "nano"
    assert found["total"] == {"cells": 6474, "flip_flops": 768, "memory_bits": 4096, "latches": 0}
    assert found["units"]["mxm"]["cells"] == 6464
    assert found["parts"][1] == {
        "unit": "mxm", "label": "Supercell", "instances": 4, "modules": 1,
        "total": {"cells": 6400, "flip_flops": 640, "memory_bits": 0, "latches": 0},
    }  # fmt: skip


def test_markdown_puts_presets_side_by_side() -> None:
    lines = markdown([report(), report("small", 12800)], "0.70").splitlines()
    assert lines[0].count("|") == lines[1].count("|") == 8
    assert "| mxm | 6,464 | 768 | 0 | 12,864 | 768 | 0 |" in lines
    assert "| **all** | 6,474 | 768 | 4,096 | 12,874 | 768 | 4,096 |" in lines


def test_table_goes_between_the_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{START}\nold\n{STOP}\nafter\n")
    for text in ("new", "newer"):
        insert(page, START, STOP, text)
        assert page.read_text() == f"before\n{START}\n{text}\n{STOP}\nafter\n"


def test_document_without_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing here\n")
    with pytest.raises(TaktError, match="must hold the lines"):
        insert(page, START, STOP, "new")
    assert page.read_text() == "nothing here\n"
    with pytest.raises(TaktError, match="cannot read '.*missing.md': No such file or directory"):
        insert(tmp_path / "missing.md", START, STOP, "new")


@pytest.mark.parametrize(
    "words,message",
    [
        (["--preset", "huge"], "Error: preset must be one of nano, small, base, groqchip, not 'huge'\n"),
        (["--set", "superlanes=99"], "Error: superlanes must be 1 to 20, not 99\n"),
    ],
)
def test_wrong_input_is_one_line(words: list[str], message: str) -> None:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert result.stderr == message
