"""Which functional unit a module belongs to."""

import re
import sys
from collections import Counter
from collections.abc import Mapping

from amaranth.lib import wiring

from synth.hierarchy import Hierarchy

NO_UNIT = "chip"
"""Unit of what belongs to none: the top level and its wiring."""


def unit_of_class() -> dict[str, str]:
    """Return the folder of ``hdl`` that each component class is in, of all that is imported.

    A design that was elaborated has imported what it is made of. A name that two folders use is left out: its modules
    belong to the unit in which they stand.
    """
    found: dict[str, set[str]] = {}
    for name, module in list(sys.modules.items()):
        if not re.fullmatch(r"hdl\.\w+\..+", name):
            continue
        for cls in vars(module).values():
            if isinstance(cls, type) and issubclass(cls, wiring.Component) and cls.__module__ == name:
                found.setdefault(cls.__name__, set()).add(name.split(".")[1])
    return {name: unit for name, units in found.items() for unit in units if len(units) == 1}


def label_of(module: str) -> str:
    """Return what a module is called in reports.

    Examples
    --------
    A shared module is called by its class (``Supercell_lanes4_psum_bits20``: ``Supercell``), hand-written
    SystemVerilog by its name (``$paramod$3f2a\\\\takt_sram``: ``takt_sram``), and an ordinary submodule by its place
    without numbers (``takt.column_1_mxm``: ``column_mxm``).
    """
    parts = module.removeprefix("\\").split("\\")
    plain = parts[1] if parts[0].startswith("$paramod") else parts[0]
    if "." in plain:
        return re.sub(r"[_$]?\d+", "", plain.rpartition(".")[2])
    return plain if plain.startswith("takt") else plain.partition("_")[0]


def counts_by_unit(design: Hierarchy, units: Mapping[str, str]) -> Counter[tuple[str, str]]:
    """Return how often each module stands in each unit.

    A module whose class is not in `units` belongs to the unit of everything that it is made of, if that is one, else
    to the unit of what places it.

    Parameters
    ----------
    design : Hierarchy
    units : mapping of str to str
        Unit of a class, as `unit_of_class` returns it.

    Returns
    -------
    Counter of (unit, module name)
    """
    parts: dict[str, set[str]] = {}
    own: dict[str, str | None] = {}
    for name in reversed(design.parents_first()):
        unit = units.get(label_of(name))
        below = set().union(*(parts[child] for child in design.modules[name].children))
        parts[name] = below if unit is None else {unit}
        own[name] = next(iter(below)) if unit is None and len(below) == 1 else unit
    found: Counter[tuple[str, str]] = Counter({(own[design.top] or NO_UNIT, design.top): 1})
    for name in design.parents_first():
        places = [(unit, times) for (unit, module), times in found.items() if module == name]
        for child, number in design.modules[name].children.items():
            for unit, times in places:
                found[own[child] or unit, child] += number * times
    return found
