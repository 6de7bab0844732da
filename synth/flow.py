"""From a configuration to the report of its area."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from arch.config import Config
from hdl.chip import Chip
from synth.checks import check_flat
from synth.design import Progress, elaborate_component, map_design
from synth.report import Report, parts_of, total
from synth.units import unit_of_class
from synth.yosys import YosysFailed

SUPERCELL = "Supercell"
"""Component class that holds `lanes` x `lanes` multiply-accumulators."""


def build_folder() -> Path:
    """Return where results go: ``synth`` in ``TAKT_BUILD``, or in ``build`` of the project."""
    root = os.environ.get("TAKT_BUILD")
    return (Path(root) if root else Path(__file__).resolve().parents[1] / "build") / "synth"


def synthesise(config: Config, jobs: int, progress: Progress) -> Report:
    """Synthesise the chip of a configuration, without its simulation checks.

    Parameters
    ----------
    config : Config
    jobs : int
        Yosys processes at a time.
    progress : callable
        Given a line for each step.

    Raises
    ------
    YosysFailed
        When there is a latch, a combinational loop, or a net with no or several drivers.
    """
    folder = build_folder() / config.name
    progress("elaborating")
    design = elaborate_component(Chip(config=config.replace(checks=False)), folder)
    with ThreadPoolExecutor(1) as pool:
        flat = pool.submit(check_flat, folder / "elaborated.il", folder)
        areas = map_design(design, build_folder() / "cache", jobs, progress)
        progress("looking for combinational loops through several modules")
        flat.result()
    latches = sorted(name for name, area in areas.items() if area.latches)
    if latches:
        raise YosysFailed(f"latches in {', '.join(latches)}")
    parts = parts_of(design, areas, unit_of_class())
    supercell = total(part.total for part in parts if part.label == SUPERCELL)
    return Report(preset=config.name, parts=parts, macs=config.macs_per_cycle, supercell=supercell)
