import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from arch.presets import PRESETS
from runtime.commands.bench_command import BENCH_COLUMNS
from runtime.table import between_markers, markdown_table

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text()


def test_the_kernel_runs():
    code = README.partition("```python\n")[2].partition("```")[0]
    with redirect_stdout(io.StringIO()) as printed:
        exec(compile(code, "README.md", "exec"), {})
    shape, cycles, predicted = re.fullmatch(r"(\(.*\)) (\d+) (\d+)\n", printed.getvalue()).groups()
    assert shape == "(16, 32)"
    assert cycles == predicted


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_rows_have_a_cell_per_column(page):
    for table in re.findall(r"(?:^\|.*\n)+", page.read_text(), re.MULTILINE):
        bars = [len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()]
        assert set(bars) == {bars[0]}, table


def test_presets_are_those_of_the_tables():
    for name, config in PRESETS.items():
        planes = f"{config.planes} planes of {config.vector_length} x {config.vector_length}"
        row = f"| `{name}` | {config.lanes} x {config.superlanes} | {planes} |"
        assert row in README


def test_the_measured_table_has_todays_columns():
    table = README.partition("<!-- takt bench -->\n")[2].partition("\n<!--")[0]
    assert table.splitlines()[0] == "| " + " | ".join(BENCH_COLUMNS) + " |"
    assert "NO" not in table


def test_text_goes_between_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- x -->\nold\n<!-- /x -->\nb\n")
    between_markers(page, "x", markdown_table(("p", "q"), [("1", "2")]))
    assert page.read_text() == "a\n<!-- x -->\n| p | q |\n| --- | --- |\n| 1 | 2 |\n<!-- /x -->\nb\n"
