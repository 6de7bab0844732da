"""``takt bench``."""

from pathlib import Path

import click

from arch.config import Config
from arch.errors import TaktError
from runtime.backend import make_backend
from runtime.bench import bench_cases
from runtime.console import show_table, working, write_json
from runtime.options import OutputFile, backend_option, examples, json_option, machine_options
from runtime.report import COLUMNS, between_markers, cells, figures, markdown_table

__all__ = ["command"]

_EPILOG = examples(
    "takt bench",
    "takt bench --json bench.json --markdown README.md",
    "takt bench --preset base --backend golden",
)


@click.command("bench", epilog=_EPILOG)
@machine_options()
@backend_option()
@json_option
@click.option("--markdown", type=OutputFile(".md"), help="Write the table between the file's `takt bench` markers.")
def command(config: Config, backend: str, json_file: Path | None, markdown: Path | None) -> None:
    """Measure products and a matrix-vector product: cycles, utilisation, simulation speed.

    Utilisation = MACs / (cycles x MACs per cycle of the planes used). Simulation speed is that of the run, without
    building and loading. With the preset small, a row of 32 lanes runs on the golden model.
    """
    results = []
    for case in bench_cases(config, make_backend(backend)):
        try:
            with working(f"compiling {case.text}"):
                image = case.compile()
        except TaktError as error:
            click.echo(f"left out: {case.text}: {error}", err=True)
            continue
        with working(f"running {case.text}, {image.cycles:,} cycles"):
            results.append(case.measure(image))
    if not results:
        raise TaktError(f"machine must be large enough for one of the products, not {config.name}")
    rows = [cells(result) for result in results]
    if json_file is not None:
        write_json(json_file, [figures(result) for result in results])
    if markdown is not None:
        between_markers(markdown, "takt bench", markdown_table(COLUMNS, rows))
    if str(json_file) != "-":
        show_table(COLUMNS, rows)
    if not all(result.right for result in results):
        raise click.exceptions.Exit(1)
