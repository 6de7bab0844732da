"""Tables: as text that loses no word, however narrow the terminal, and as Markdown."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from arch.document import insert, markers

__all__ = ["between_markers", "markdown_table", "text_table"]

_NUMBER = re.compile(r"[-+]?[\d,.]+ ?(%|s|k/s)?")
_GAP = "  "

Rows = Sequence[Sequence[str]]


def text_table(columns: Sequence[str], rows: Rows, title: str = "", width: int | None = None) -> str:
    """Return a table as aligned text.

    Parameters
    ----------
    columns
        Headings.
    rows
        Cells; columns of numbers stand at the right. A row whose first cell is empty goes on with the one above.
    title
        Line above.
    width
        Columns to fit. Cells wrap between words; where even that is too wide, the table is cut into several below each
        other, each with the first column. Only a word that is wider itself stands out. Without a width every row is
        one line, its cells apart by two spaces or more, for programs to read.
    """
    assert all(len(row) == len(columns) for row in rows), "every row must have a cell per column"
    right = [_numeric([row[number] for row in rows]) for number in range(len(columns))]
    head = [] if not title else [title] if width is None else _wrapped(title, width)
    if width is None:
        widths = [max(len(row[number]) for row in [columns, *rows]) for number in range(len(columns))]
        return "\n".join([*head, *_lines(columns, rows, widths, right)])
    rows = _joined(rows)
    least = [max(_longest_word(row[number]) for row in [columns, *rows]) for number in range(len(columns))]
    blocks = []
    for chosen in _bands(least, width):
        names, cells = [columns[number] for number in chosen], [[row[number] for number in chosen] for row in rows]
        widths = _widths(names, cells, [least[number] for number in chosen], width)
        blocks.append("\n".join(_lines(names, cells, widths, [right[number] for number in chosen])))
    return "\n".join([*head, "\n\n".join(blocks)])


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def between_markers(path: Path, marker: str, text: str) -> None:
    """Replace what stands between ``<!-- MARKER -->`` and ``<!-- /MARKER -->`` in a file.

    Raises
    ------
    TaktError
        When the file cannot be read or written, or has no such markers.
    """
    insert(path, *markers(marker), text)


def _numeric(cells: Sequence[str]) -> bool:
    found = [cell for cell in cells if cell not in ("", "-")]
    return bool(found) and all(_NUMBER.fullmatch(cell) for cell in found)


def _joined(rows: Rows) -> list[list[str]]:
    """Rows with those that go on with them as further lines, so that every column fills by itself."""
    found: list[list[str]] = []
    for row in rows:
        if row[0] or not found:
            found.append(list(row))
        else:
            found[-1] = ["\n".join(filter(None, pair)) for pair in zip(found[-1], row, strict=True)]
    return found


def _longest_word(text: str) -> int:
    return max(map(len, text.split()), default=0)


def _bands(least: Sequence[int], width: int) -> Iterator[list[int]]:
    """Numbers of the columns of each table; at their least widths they fit, if only two of them do."""
    band = [0]
    for number in range(1, len(least)):
        taken = sum(least[other] + len(_GAP) for other in band)
        if len(band) > 1 and taken + least[number] > width:
            yield band
            band = [0]
        band.append(number)
    yield band


def _widths(columns: Sequence[str], rows: Rows, least: Sequence[int], width: int) -> list[int]:
    """Widths between the longest word and the longest cell; headings give way first, then the widest column."""
    room = width - len(_GAP) * (len(columns) - 1)
    lines = [[line for row in rows for line in row[number].split("\n")] for number in range(len(columns))]
    widths = [max([low, *map(len, cells)]) for low, cells in zip(least, lines, strict=True)]
    while sum(widths) > room:
        spare = [wide if wide > low else 0 for wide, low in zip(widths, least, strict=True)]
        if not any(spare):
            break
        widths[spare.index(max(spare))] -= 1
    for number, name in enumerate(columns):
        widths[number] += max(0, min(len(name) - widths[number], room - sum(widths)))
    return widths


def _lines(columns: Sequence[str], rows: Rows, widths: Sequence[int], right: Sequence[bool]) -> Iterator[str]:
    yield from _row(columns, widths, right)
    yield _GAP.join("-" * wide for wide in widths)
    for row in rows:
        yield from _row(row, widths, right)


def _row(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> Iterator[str]:
    """The lines of a row, its cells at the top."""
    wrapped = [_wrapped(cell, wide) for cell, wide in zip(cells, widths, strict=True)]
    for number in range(max(map(len, wrapped))):
        here = [lines[number] if number < len(lines) else "" for lines in wrapped]
        padded = (
            text.rjust(wide) if at_right else text.ljust(wide)
            for text, wide, at_right in zip(here, widths, right, strict=True)
        )
        yield _GAP.join(padded).rstrip()


def _wrapped(text: str, width: int) -> list[str]:
    found: list[str] = []
    for line in text.split("\n"):
        fits = len(line) <= width
        found += [line] if fits else textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)
    return found
