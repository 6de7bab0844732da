"""From a component to the area of each of its modules."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from amaranth.lib import wiring

from hdl.emit import emit_rtlil, library_sources
from synth.area import Area
from synth.hierarchy import Hierarchy, elaborate
from synth.mapping import map_module

TOP = "takt"
"""Name of the top module."""

_QUIET = 5.0
"""Seconds between lines of progress."""

Progress = Callable[[str], None]
"""Takes a line that says what is done."""


def elaborate_component(component: wiring.Component, folder: Path) -> Hierarchy:
    """Emit a component, and split it into its modules.

    Parameters
    ----------
    component : Component
        The top of the design.
    folder : Path
        For the netlist; made if it does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rtlil = folder / f"{TOP}.il"
    rtlil.write_text(emit_rtlil(component, TOP), encoding="utf-8")
    return elaborate(rtlil, library_sources(rtlil.read_text(encoding="utf-8")), TOP, folder)


def map_design(design: Hierarchy, cache: Path, jobs: int, progress: Progress) -> dict[str, Area]:
    """Map every module of a design once, `jobs` at a time, the largest first.

    Parameters
    ----------
    design : Hierarchy
    cache : Path
        Folder of results by content.
    jobs : int
        Yosys processes at a time.
    progress : callable
        Given a line now and then.

    Returns
    -------
    dict of str to Area
        Area of each module without what it places.
    """
    names = sorted(design.modules, key=lambda name: -len(design.modules[name].body))
    areas: dict[str, Area] = {}
    said = time.monotonic()
    progress(f"mapping {len(names)} modules, the largest first")
    with ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(map_module, design.standalone(name), cache): name for name in names}
        for future in as_completed(waiting):
            areas[waiting[future]] = future.result()
            if time.monotonic() - said > _QUIET:
                said = time.monotonic()
                progress(f"{len(areas)} of {len(names)} modules are mapped")
    return areas
