"""``python -m golden.ulp``: measure the errors of the costly functions, and write the table."""

import sys
from pathlib import Path

import click

from arch.errors import TaktError
from golden.ulp.report import markdown

START, STOP = "<!-- golden ulp -->", "<!-- /golden ulp -->"
"""What encloses the table in a document."""


@click.command()
@click.option("--count", type=click.IntRange(min=1), default=4_000_000, help="fp32 operands of every function.")
@click.option(
    "--markdown", "document", type=click.Path(path_type=Path), help=f"Write the table between {START} and {STOP}."
)
def main(count: int, document: Path | None) -> None:
    """Print the largest errors of EXP, TANH, RSQRT, RECIP, LOG and SIGMOID in units of the last place of fp32."""
    text = markdown(count)
    print(text)
    if document is not None:
        try:
            insert(document, text)
        except TaktError as error:
            print(f"Error: {error}", file=sys.stderr)
            sys.exit(2)


def insert(document: Path, text: str) -> None:
    """Replace what stands between the markers of a document.

    Raises
    ------
    TaktError
        When the document cannot be read or written, or has no such markers.
    """
    try:
        before, _, rest = document.read_text().partition(START)
        _, stop, after = rest.partition(STOP)
        if not stop:
            raise TaktError(f"{str(document)!r} must hold the lines {START} and {STOP}")
        document.write_text(f"{before}{START}\n{text}\n{STOP}{after}")
    except OSError as error:
        raise TaktError(f"cannot write {str(document)!r}: {error.strerror}") from None


if __name__ == "__main__":
    main()
