"""Output that is readable in a terminal and plain when piped."""

import json
import logging
import os
import re
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from arch.files import write_whole
from runtime.table import text_table

if TYPE_CHECKING:
    from rich.status import Status

__all__ = [
    "say",
    "say_warnings",
    "show_markdown",
    "show_table",
    "terminal_width",
    "working",
    "write_json",
    "write_text",
]

_BAR = re.compile(r"(?<!\\)\|")
"""Between the cells of a table in Markdown."""

_stack: list[str] = []
_spinner: "list[Status]" = []


def terminal_width() -> int | None:
    """Columns of the terminal that stdout goes to, or what the variable COLUMNS says; None for a pipe or a file."""
    if os.environ.get("COLUMNS", "").isdecimal() or sys.stdout.isatty():
        return shutil.get_terminal_size().columns
    return None


def say(text: str) -> None:
    """Print a line on stderr, if anybody can read it: a full or closed stderr stops no work."""
    with suppress(OSError, ValueError):
        click.echo(text, err=True)


class _Said(logging.Handler):
    """A handler that says what is logged."""

    def emit(self, record: logging.LogRecord) -> None:
        say(f"takt: {record.getMessage()}")


@contextmanager
def say_warnings() -> Iterator[None]:
    """Say on stderr what the package warns of by `logging`, such as a damaged cache entry."""
    logger, handler = logging.getLogger("runtime"), _Said(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Print a table: as wide as the terminal at most, one line per row when piped.

    Parameters
    ----------
    columns
        Headings.
    rows
        Cells; those that look like numbers stand at the right.
    title
        Line above.
    """
    click.echo(text_table(columns, rows, title, terminal_width()))


def show_markdown(text: str) -> None:
    """Print Markdown for a terminal: tables drawn, everything else wrapped, headings bold."""
    width = terminal_width()
    for is_table, lines in groupby(text.splitlines(), lambda line: line.startswith("|")):
        if is_table:
            head, _, *rows = ([cell.strip().replace(r"\|", "|") for cell in _BAR.split(line)[1:-1]] for line in lines)
            click.echo(text_table(head, rows, width=width))
            continue
        for line in lines:
            wrapped = textwrap.fill(line, width or len(line) + 1, break_long_words=False, break_on_hyphens=False)
            click.secho(wrapped.lstrip("# "), bold=True) if line.startswith("#") else click.echo(wrapped)


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
