"""Parts of a document that a command writes."""

from pathlib import Path

from arch.errors import TaktError
from arch.files import write_whole


def markers(name: str) -> tuple[str, str]:
    """Return the lines that enclose a part of a document: ``<!-- NAME -->`` and ``<!-- /NAME -->``."""
    return f"<!-- {name} -->", f"<!-- /{name} -->"


def insert(document: Path, start: str, stop: str, text: str) -> None:
    """Replace what stands between two lines of a document.

    Raises
    ------
    TaktError
        When the document cannot be read or written, or has no such lines.
    """
    try:
        before, _, rest = document.read_text(encoding="utf-8").partition(start)
        _, found, after = rest.partition(stop)
        if not found:
            raise TaktError(f"{str(document)!r} must hold the lines {start} and {stop}")
    except OSError as error:
        raise TaktError(f"cannot read {str(document)!r}: {error.strerror}") from None
    write_whole(document, f"{before}{start}\n{text}\n{stop}{after}")
