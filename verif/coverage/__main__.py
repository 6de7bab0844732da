"""``python -m verif.coverage``: gather the evidence, and write the table."""

import sys
from contextlib import redirect_stdout
from pathlib import Path

import click

from arch.document import insert
from arch.errors import TaktError
from verif.coverage.table import evidence, markdown

START, STOP = "<!-- verif coverage -->", "<!-- /verif coverage -->"
"""What encloses the table in a document."""


@click.command()
@click.option(
    "--markdown", "document", type=click.Path(path_type=Path), help=f"Write the table between {START} and {STOP}."
)
def main(document: Path | None) -> None:
    """Print where each instruction is built and what tests it, and fail if one lacks something."""
    with redirect_stdout(sys.stderr):
        found = evidence()
    text = markdown(found)
    print(text)
    if document is not None:
        try:
            insert(document, START, STOP, text)
        except TaktError as error:
            print(f"Error: {error}", file=sys.stderr)
            sys.exit(2)
    lacking = {form: row.lacking() for form, row in found.items() if row.lacking()}
    for form, columns in lacking.items():
        print(f"{' '.join(form).strip()} lacks: {', '.join(columns)}", file=sys.stderr)
    sys.exit(1 if lacking else 0)


if __name__ == "__main__":
    main()
