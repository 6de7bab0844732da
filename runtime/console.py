"""Output that is readable in a terminal and plain when piped."""

import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from arch.files import write_whole

if TYPE_CHECKING:
    from rich.status import Status

__all__ = ["say", "show_table", "text_table", "working", "write_json", "write_text"]

_NUMBER = re.compile(r"[-+]?[\d,.]+ ?(%|s|k/s)?")

_stack: list[str] = []
_spinner: "list[Status]" = []


def say(text: str) -> None:
    """Print a line on stderr, if anybody can read it: a full or closed stderr stops no work."""
    with suppress(OSError, ValueError):
        click.echo(text, err=True)


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Print a table: drawn by rich in a terminal, aligned text when piped.

    Parameters
    ----------
    columns
        Headings.
    rows
        Cells; those that look like numbers stand at the right.
    title
        Line above.
    """
    if not sys.stdout.isatty():
        click.echo(text_table(columns, rows, title))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    headings = [column.replace(" ", "\n") for column in columns]
    if _width([headings, *rows]) > console.width:
        rows = [[cell.replace(", ", ",\n") for cell in row] for row in rows]
    gap = 2 if _width([headings, *rows]) <= console.width else 1
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD if gap == 2 else None, pad_edge=False)
    table.padding = (0, gap - 1, 0, 0) if gap == 2 else (0, 1, 0, 0)
    for number, heading in enumerate(headings):
        right = _numeric(rows, number)
        table.add_column(heading, justify="right" if right else "left", vertical="top", no_wrap=True, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


def _width(rows: Sequence[Sequence[str]]) -> int:
    """Width of a table with two spaces between columns and one beside them, each cell as wide as its longest line."""
    widths = [max(len(line) for row in rows for line in row[number].split("\n")) for number in range(len(rows[0]))]
    return sum(widths) + 2 * len(widths)


def text_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> str:
    """Return a table as aligned text."""
    right = [_numeric(rows, number) for number in range(len(columns))]
    widths = [max(len(row[number]) for row in [columns, *rows]) for number in range(len(columns))]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if at_right else cell.ljust(width)
            for cell, width, at_right in zip(cells, widths, right, strict=True)
        )
        return "  ".join(padded).rstrip()

    head = [title] if title else []
    return "\n".join([*head, line(columns), "  ".join("-" * width for width in widths), *map(line, rows)])


def _numeric(rows: Sequence[Sequence[str]], column: int) -> bool:
    cells = [row[column] for row in rows if row[column] not in ("", "-")]
    return bool(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Say on stderr that something long is going on: a spinner in a terminal, two lines when piped.

    May be nested: the terminal shows the innermost.
    """
    if not sys.stderr.isatty():
        start = time.monotonic()
        say(f"{what} ...")
        yield
        say(f"{what}: {time.monotonic() - start:.1f} s")
        return
    from rich.console import Console

    _stack.append(what)
    with ExitStack() as stack:
        stack.callback(_stack.pop)
        if len(_stack) == 1:
            _spinner.append(stack.enter_context(Console(stderr=True).status(f"{what} ...")))
            stack.callback(_spinner.clear)
        _spinner[0].update(f"{what} ...")
        yield
    if _spinner:
        _spinner[0].update(f"{_stack[-1]} ...")


def write_json(path: Path, data: Any) -> None:
    """Write JSON to a file, or to stdout for ``-``."""
    write_text(path, json.dumps(data, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write text to a file, or to stdout for ``-``.

    Raises
    ------
    TaktError
        When the file cannot be written.
    """
    if str(path) == "-":
        click.echo(text, nl=False)
        return
    write_whole(path, text)
