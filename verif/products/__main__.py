"""``python -m verif.products``: compile every product of the page docs/gemm.md, and write its tables."""

import sys
from pathlib import Path

import click

from arch.document import insert, markers
from arch.errors import TaktError
from verif.products import layers, one_row
from verif.products.table import MACHINES, cases, measured, sections

FORMATS = ("int8", "float16")


@click.command()
@click.option("--markdown", "document", type=click.Path(path_type=Path), help="Write each part between its markers.")
def main(document: Path | None) -> None:
    """Print cycles and utilisation of products of all sizes, and what limits the slowest; takes minutes."""
    found = []
    try:
        for machine in MACHINES:
            for dtype in FORMATS:
                print(f"{machine} {dtype}", file=sys.stderr)
                found += [measured(case) for case in cases(machine, dtype)]
        for name, text in {**sections(found), "layers": layers.section(), "one row": one_row.section()}.items():
            print(f"{name}:\n\n{text}\n")
            if document is not None:
                insert(document, *markers(f"products {name}"), text)
    except TaktError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
