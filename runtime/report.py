"""Measurements as rows of a table, as JSON and as Markdown."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from arch.document import insert
from runtime.measure import Measurement

__all__ = ["COLUMNS", "between_markers", "cells", "figures", "markdown_table", "show_mismatches"]

COLUMNS = (
    "work",
    "preset",
    "simulator",
    "predicted cycles",
    "RTL cycles",
    "golden match",
    "utilisation",
    "cycles/s",
)
"""Headings of a table of measurements."""

_SHOWN = 4
"""Mismatches of a measurement that are printed; JSON has all."""


def cells(result: Measurement) -> tuple[str, ...]:
    """Return the row of a measurement under :data:`COLUMNS`."""
    on_rtl = result.backend != "golden"
    planes = f", {result.planes} plane{'s' * (result.planes > 1)}" if result.macs else ""
    return (
        f"{result.work}{planes}",
        result.config_name,
        result.backend,
        f"{result.predicted_cycles:,}",
        f"{result.cycles:,}" if on_rtl else "-",
        "yes" if result.right else "NO",
        f"{result.utilisation:.2%}" if result.macs else "-",
        f"{result.sim_cycles_per_s:,.0f}",
    )


def figures(result: Measurement) -> dict[str, Any]:
    """Return the figures of a measurement, for JSON."""
    return {
        "work": result.work,
        "preset": result.config_name,
        "backend": result.backend,
        "planes": result.planes,
        "predicted_cycles": result.predicted_cycles,
        "golden_cycles": result.golden_cycles,
        "cycles": result.cycles,
        "macs": result.macs,
        "utilisation": result.utilisation,
        "matches_golden": result.matches_golden,
        "matches_numpy": result.matches_expected,
        "mismatches": list(result.mismatches),
        "sim_cycles_per_s": result.sim_cycles_per_s,
        "golden_cycles_per_s": result.golden_cycles_per_s,
    }


def show_mismatches(*results: Measurement, err: bool = False) -> None:
    """Print what is wrong with measurements, if anything is: to stdout, or with `err` to stderr."""
    for result in results:
        for text in result.mismatches[:_SHOWN]:
            click.echo(f"{result.work}: {text}", err=err)
        if len(result.mismatches) > _SHOWN:
            click.echo(f"{result.work}: and {len(result.mismatches) - _SHOWN:,} more mismatches", err=err)


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def between_markers(path: Path, marker: str, text: str) -> None:
    """Replace what stands between ``<!-- MARKER -->`` and ``<!-- /MARKER -->`` in a file.

    Raises
    ------
    TaktError
        When the file cannot be read or written, or has no such markers.
    """
    insert(path, f"<!-- {marker} -->", f"<!-- /{marker} -->", text)
