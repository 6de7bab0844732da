"""``python -m golden.ulp``: measure the errors of the costly functions, and write the table."""

import sys
from pathlib import Path

import click

from arch.document import insert
from arch.errors import TaktError
from golden.ulp.report import markdown

START, STOP = "<!-- golden ulp -->", "<!-- /golden ulp -->"
"""Markers around the table in a document."""


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
            insert(document, START, STOP, text)
        except TaktError as error:
            print(f"Error: {error}", file=sys.stderr)
            sys.exit(2)


if __name__ == "__main__":
    main()
