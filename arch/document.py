"""Parts of a document that a command writes."""

from pathlib import Path

from arch.errors import TaktError


def insert(document: Path, start: str, stop: str, text: str) -> None:
    """Replace what stands between two lines of a document.

    Raises
    ------
    TaktError
        When the document cannot be read or written, or has no such lines.
    """
    try:
        before, _, rest = document.read_text().partition(start)
        _, found, after = rest.partition(stop)
        if not found:
            raise TaktError(f"{str(document)!r} must hold the lines {start} and {stop}")
        document.write_text(f"{before}{start}\n{text}\n{stop}{after}")
    except OSError as error:
        raise TaktError(f"cannot write {str(document)!r}: {error.strerror}") from None
