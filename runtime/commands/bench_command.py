"""``takt bench``."""

from pathlib import Path
from time import perf_counter

import click

from arch.config import Config
from arch.errors import TaktError
from runtime.backend import make_backend
from runtime.bench import bench_cases
from runtime.console import show_table, working, write_json
from runtime.options import Command, OutputFile, backend_option, check_apart, examples, json_option, machine_options
from runtime.report import COLUMNS, cells, figures, show_mismatches
from runtime.table import between_markers, markdown_table

__all__ = ["BENCH_COLUMNS", "command"]

BENCH_COLUMNS = (*COLUMNS, "instructions", "compile s")
"""Headings of the table."""

_EPILOG = examples(
    "takt bench",
    "takt bench --json bench.json --markdown README.md",
    "takt bench --preset base --backend golden",
)


@click.command("bench", cls=Command, epilog=_EPILOG)
@machine_options()
@backend_option()
@json_option
@click.option("--markdown", type=OutputFile(".md"), help="Write the table between the file's `takt bench` markers.")
def command(config: Config, backend: str, json_file: Path | None, markdown: Path | None) -> None:
    """Measure products, a matrix-vector product and a long program: cycles, utilisation, simulation speed, compilation.

    Utilisation = MACs / (cycles x MACs per cycle of the planes used). Simulation speed is that of the run, without
    building and loading. With the preset small, products of 32 lanes and a network on the preset base run on the golden
    model.
    """
    check_apart({"--json": json_file, "--markdown": markdown})
    results, compilations = [], []
    for case in bench_cases(config, make_backend(backend, progress=working)):
        try:
            with working(f"compiling {case.text}"):
                begin = perf_counter()
                image = case.compile()
                compilations.append((int(image.notes["instructions"]), perf_counter() - begin))
        except TaktError as error:
            click.echo(f"left out: {case.text}: {error}", err=True)
            continue
        with working(f"running {case.text}, {image.cycles:,} cycles"):
            results.append(case.measure(image))
    if not results:
        raise TaktError(f"machine must be large enough for one of the products, not {config.name}")
    measured = list(zip(results, compilations, strict=True))
    rows = [(*cells(result), f"{words:,}", f"{seconds:.1f}") for result, (words, seconds) in measured]
    if json_file is not None:
        compiled = [{"instructions": words, "compile_s": seconds} for _, (words, seconds) in measured]
        write_json(json_file, [figures(result) | more for (result, _), more in zip(measured, compiled, strict=True)])
    if markdown is not None:
        between_markers(markdown, "takt bench", markdown_table(BENCH_COLUMNS, rows))
    if str(json_file) != "-":
        show_table(BENCH_COLUMNS, rows)
    show_mismatches(*results, err=str(json_file) == "-")
    if not all(result.right for result in results):
        raise click.exceptions.Exit(1)
