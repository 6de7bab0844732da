"""What a command says of its runs: measurements as rows of a table and as JSON, mismatches, waveforms."""

from typing import Any

import click

from runtime.console import say
from runtime.measure import Measurement
from runtime.run import WaveFile

__all__ = ["COLUMNS", "cells", "figures", "show_mismatches", "show_wave_file"]

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


def show_wave_file(wave_file: WaveFile | None) -> None:
    """Say on stderr where a waveform is, if one was asked for; to be called once the figures of its run are printed.

    Raises
    ------
    TaktError
        If it could not be written.
    """
    if wave_file is None:
        return
    if wave_file.error is not None:
        raise wave_file.error
    say(f"wrote {wave_file.path} and {wave_file.path.with_suffix('.gtkw')}")
