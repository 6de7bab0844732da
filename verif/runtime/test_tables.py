import json
import random
import re
from collections import Counter

import pytest

from runtime.commands.bench_command import BENCH_COLUMNS
from runtime.table import text_table
from verif.repo.files import ROOT
from verif.runtime.command_line import takt
from verif.runtime.terminal import in_terminal

WIDTHS = [40, 60, 80, 100, 132, 200]

LISTS = ["kernel", "info --preset groqchip", "isa"]
RUNS = [
    "kernel silu --in x=x.npy",
    "gemm -m 3 -k 5 -n 7 --preset nano",
    "digits --backend golden --count 10",
    "bench --backend golden --preset nano",
]
"""Whose output holds tables; `demo` prints those of `digits` and `bench`."""

RUN = """
import json, sys
import click
import numpy as np
import runtime.console
from runtime.cli import main

tables, draw = [], runtime.console.text_table
def noted(columns, rows, title="", width=None):
    text = draw(columns, rows, title, width)
    tables.append({"cells": [list(columns), *map(list, rows)], "width": width, "text": text})
    return text
runtime.console.text_table = noted
np.save("x.npy", np.ones((4, 4), np.float32))
for command in json.loads(sys.argv[1]):
    try:
        main.main(command.split())
    except SystemExit as end:
        assert not end.code, command
json.dump(tables, open(sys.argv[2], "w"))
"""


def words(cells: list[list[str]]) -> Counter[str]:
    return Counter(word for row in cells for cell in row for word in cell.split())


def assert_whole(text: str, cells: list[list[str]], width: int | None) -> None:
    """No word of a cell is lost, and no line is wider than it must be."""
    assert words(cells) - Counter(text.split()) == Counter(), text
    if width is not None:
        longest = max(map(len, words(cells)))
        assert max(map(len, text.splitlines())) <= max(width, 2 * longest + 2), text


@pytest.mark.parametrize("width", WIDTHS)
def test_tables_fit_the_terminal_and_lose_no_word(width, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = LISTS + (RUNS if width in (40, 80) else [])
    screen = in_terminal(width, RUN, json.dumps(commands), tmp_path / "tables.json")
    tables = json.loads((tmp_path / "tables.json").read_text())
    assert len(tables) > len(commands) + 10
    for table in tables:
        assert table["width"] == width
        assert table["text"] in screen
        assert_whole(table["text"], table["cells"], width)
        assert width < 80 or max(map(len, table["text"].splitlines())) <= width


@pytest.mark.parametrize("locale", ["C", "en_US.ISO-8859-1"])
def test_other_locales_show_tables_and_spinner(locale, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    encoding = {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    screen = in_terminal(80, RUN, json.dumps(LISTS + RUNS[:2]), tmp_path / "tables.json", environment=encoding)
    assert "Traceback" not in screen
    assert screen.isascii()


def test_piped_tables_have_a_line_per_row():
    lines = takt("kernel").stdout.splitlines()
    assert re.split(r" {2,}", lines[0]) == ["kernel", "what", "arguments"]
    silu = next(line for line in lines if line.startswith("silu"))
    assert re.split(r" {2,}", silu) == ["silu", "SiLU: x * sigmoid(x)", "x: float16 or float32 (..., n)"]
    assert max(map(len, takt("kernel", columns="80").stdout.splitlines())) <= 80
    assert takt("kernel", columns="wide").stdout.splitlines() == lines


@pytest.mark.parametrize("width", WIDTHS)
def test_the_bench_of_the_readme_fits(width):
    table = (ROOT / "README.md").read_text().partition("<!-- takt bench -->\n")[2].partition("\n<!--")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert rows[0] == list(BENCH_COLUMNS)
    text = text_table(rows[0], rows[2:], width=width)
    assert_whole(text, [rows[0], *rows[2:]], width)
    assert width < 132 or text.count("\n\n") == 0
    # Each part of the table names the rows.
    assert all(part.lstrip().startswith(("work ", "work\n")) for part in text.split("\n\n"))


@pytest.mark.parametrize("seed", range(40))
def test_no_table_loses_a_word(seed):
    rng = random.Random(seed)
    columns = rng.randint(1, 8)

    def cell() -> str:
        letters = "abcdefg-.,/=" if rng.random() < 0.7 else "0123456789"
        return " ".join("".join(rng.choices(letters, k=rng.randint(1, 14))) for _ in range(rng.randint(0, 9)))

    cells = [[cell() for _ in range(columns)] for _ in range(rng.randint(1, 9))]
    title = cell()
    for width in (1, 20, *WIDTHS, None):
        assert_whole(text_table(cells[0], cells[1:], title, width), [*cells, [title]], width)


def test_headings_give_way_before_cells():
    text = text_table(("predicted cycles", "of"), [("1,040", "a b c")], width=16)
    assert text.splitlines() == ["predicted  of", "   cycles", "---------  -----", "    1,040  a b c"]
