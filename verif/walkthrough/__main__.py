"""``python -m verif.walkthrough``: what docs/compiler.md shows of its example, and the example's image."""

import sys
from pathlib import Path

import click

from arch.document import insert, markers
from arch.errors import TaktError
from verif.walkthrough.example import residual_layer
from verif.walkthrough.sections import sections


@click.command()
@click.option("--markdown", "document", type=click.Path(path_type=Path), help="Write each part between its markers.")
@click.option("--save-image", "image_file", type=click.Path(path_type=Path), help="Write the example's image.")
def main(document: Path | None, image_file: Path | None) -> None:
    """Print what the compiler does with the example, from tensors to timetable."""
    try:
        if image_file is not None:
            residual_layer().compile().save(image_file)
        for name, text in sections().items():
            print(f"{name}:\n\n{text}\n")
            if document is not None:
                insert(document, *markers(f"walkthrough {name}"), text)
    except TaktError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
