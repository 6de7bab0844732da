"""``python -m verif.models.zoo_page MODEL FILE``: the page about a real model, from what it is on its machine."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import onnxruntime as ort

from arch.errors import TaktError
from arch.presets import preset
from models.compiled import compile_model
from models.session import Session
from runtime.table import between_markers, markdown_table
from verif.models.mathformer import LENGTH, OPERATIONS, mathformer, prompts

_HEAD = (
    "model",
    "cycles a run",
    "MACs",
    "of what planes could do",
    "constants, bytes",
    "compiled in, CPU s",
    "prompts",
    "right in float32 (onnxruntime)",
    "right on the chip (golden)",
    "runs",
)


def mathformer_figures() -> str:
    """Return rows of a table: what every one of the four models takes on `small`, and how many answers are right."""
    config = preset("small")
    rows: list[tuple[str, ...]] = []
    for operation in OPERATIONS:
        model, began = mathformer(operation), time.process_time()
        compiled = compile_model(model.model, config)
        took, image = time.process_time() - began, compiled.image
        assert image is not None
        asked, counts, runs = prompts(operation), [], 0
        for session in (ort.InferenceSession(model.model.SerializeToString()), Session(compiled)):
            made: list[Any] = []

            def logits(feeds: list[Any], one: Any = session, made: list[Any] = made) -> list[Any]:
                found = [one.run(None, {"tokens": row})[0] for row in feeds]
                made.extend(found)
                return found

            answers = model.answers([prompt for prompt, _ in asked], logits)
            counts.append(sum(answer == right for answer, (_, right) in zip(answers, asked, strict=True)))
            runs = len(made)
        macs, constants = image.notes["macs"], image.constant_words.nbytes
        share = macs / image.cycles / config.macs_per_cycle
        figures = f"{image.cycles:,}", f"{macs:,}", f"{share:.2%}", f"{constants:,}", f"{took:.1f}"
        rows.append((operation, *figures, *map(str, (len(asked), *counts, runs))))
    head = f'{LENGTH} tokens a run, on `{config.name}`, `precision="float16"`:'
    return f"{head}\n\n{markdown_table(_HEAD, rows)}"


PAGES: dict[str, Callable[[], str]] = {"mathformer": mathformer_figures}


@click.command()
@click.argument("model", type=click.Choice([*PAGES]))
@click.argument("document", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(model: str, document: Path) -> None:
    """Write the figures of a model between their markers in a document."""
    try:
        between_markers(document, model, PAGES[model]())
    except TaktError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
