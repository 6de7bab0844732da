"""``python -m synth``: synthesise presets, and write the tables."""

import json
import os
import sys
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from arch.document import insert
from arch.errors import TaktError
from arch.files import write_whole
from arch.presets import preset
from synth.flow import build_folder, synthesise
from synth.tables import markdown, parts_table, per_mac
from synth.yosys import YosysFailed, yosys_version

START, STOP = "<!-- takt synth -->", "<!-- /takt synth -->"
"""What encloses the table in a document."""


@click.command()
@click.option(
    "--preset", "names", multiple=True, default=("nano", "small"), help="Repeatable. Both nano and small if not given."
)
@click.option(
    "--set", "settings", multiple=True, metavar="PARAMETER=VALUE", help="Change a parameter of the presets. Repeatable."
)
@click.option("--jobs", type=click.IntRange(min=1), default=os.cpu_count() or 1, help="Yosys processes at a time.")
@click.option(
    "--markdown", "document", type=click.Path(path_type=Path), help=f"Write the table between {START} and {STOP}."
)
def main(names: tuple[str, ...], settings: tuple[str, ...], jobs: int, document: Path | None) -> None:
    """Synthesise the chip to generic gates: cells, flip-flops and memory bits per unit.

    Writes PRESET.json and report.md to build/synth. Fails on a latch or a combinational loop. Modules that
    did not change since the last run are not synthesised again.
    """
    try:
        run(names, settings, jobs, document)
    except TaktError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        where = error.filename or build_folder()
        print(f"Error: cannot use {str(where)!r}: {error.strerror}; TAKT_BUILD names another folder", file=sys.stderr)
        sys.exit(2)
    except YosysFailed as error:
        print(f"Error: Yosys refuses the netlist:\n{error}", file=sys.stderr)
        sys.exit(1)


def run(names: tuple[str, ...], settings: tuple[str, ...], jobs: int, document: Path | None) -> None:
    """Synthesise presets, and print and write their tables; see `main`.

    Raises
    ------
    TaktError
        For an unknown preset, an illegal setting, or a document without the markers.
    YosysFailed
        For a latch, a combinational loop, or a net with no or several drivers.
    """
    configs = [preset(name, settings) for name in names]
    console = Console(width=None if sys.stdout.isatty() else 120)
    progress = Console(stderr=True)
    folder = build_folder()
    reports = []
    for config in configs:
        report = synthesise(config, jobs, partial(_print, progress, config.name))
        write_whole(folder / f"{report.preset}.json", json.dumps(report.as_dict(), indent=1) + "\n")
        console.print(parts_table(report))
        reports.append(report)
    text = markdown(reports, yosys_version())
    write_whole(folder / "report.md", text + "\n")
    for report in reports:
        console.print(per_mac(report))
    console.print(f"Written: {folder / 'report.md'} and a JSON file per preset, no latch, no combinational loop")
    if document is not None:
        insert(document, START, STOP, text)


def _print(console: Console, name: str, line: str) -> None:
    console.print(f"{name}: {line}", highlight=False)


if __name__ == "__main__":
    main()
