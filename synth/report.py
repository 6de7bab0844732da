"""The area of a design, unit by unit."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from synth.area import Area
from synth.hierarchy import Hierarchy
from synth.units import counts_by_unit, label_of

MAC_UNIT = "mxm"
"""Unit whose cells per multiply-accumulate are reported."""


@dataclass(frozen=True, kw_only=True)
class ModuleArea:
    """All modules of one kind in one unit.

    Attributes
    ----------
    unit, label : str
        Functional unit, and what the modules are called.
    instances : int
        How often they stand in the design.
    modules : int
        How many different ones they are: with other parameters, or places.
    total : Area
        Of all of them, without what they place.
    """

    unit: str
    label: str
    instances: int
    modules: int
    total: Area


@dataclass(frozen=True, kw_only=True)
class Report:
    """The area of one configuration.

    Attributes
    ----------
    preset : str
    parts : tuple of ModuleArea
        Everything, by unit, the largest first.
    macs : int
        INT8 multiply-accumulators.
    supercell : Area
        All supercells: products, sums, installed weights and the registers between supercells.
    """

    preset: str
    parts: tuple[ModuleArea, ...]
    macs: int
    supercell: Area

    @property
    def total(self) -> Area:
        """Area of the whole design."""
        return total(part.total for part in self.parts)

    @property
    def units(self) -> dict[str, Area]:
        """Area of each unit, the largest first."""
        names = dict.fromkeys(part.unit for part in self.parts)
        areas = {name: total(part.total for part in self.parts if part.unit == name) for name in names}
        return dict(sorted(areas.items(), key=lambda item: -item[1].cells))

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "preset": self.preset,
            "total": asdict(self.total),
            "units": {name: asdict(area) for name, area in self.units.items()},
            "parts": [asdict(part) for part in self.parts],
            "macs": self.macs,
            "per_mac": {
                "cells": self.supercell.cells / self.macs,
                "flip_flops": self.supercell.flip_flops / self.macs,
                "mxm_cells": self.units[MAC_UNIT].cells / self.macs,
                "mxm_flip_flops": self.units[MAC_UNIT].flip_flops / self.macs,
            },
        }


def total(areas: Iterable[Area]) -> Area:
    """Return the sum of areas."""
    return sum(areas, Area())


def parts_of(design: Hierarchy, areas: Mapping[str, Area], units: Mapping[str, str]) -> tuple[ModuleArea, ...]:
    """Multiply the area of each module out to the whole design.

    Parameters
    ----------
    design : Hierarchy
    areas : mapping of str to Area
        Of each module by itself, by RTLIL name.
    units : mapping of str to str
        Unit of each component class.
    """
    instances: Counter[tuple[str, str]] = Counter()
    modules: Counter[tuple[str, str]] = Counter()
    sums: dict[tuple[str, str], Area] = {}
    for (unit, module), count in counts_by_unit(design, units).items():
        key = unit, label_of(module)
        instances[key] += count
        modules[key] += 1
        sums[key] = sums.get(key, Area()) + areas[module] * count
    parts = [
        ModuleArea(unit=key[0], label=key[1], instances=instances[key], modules=modules[key], total=area)
        for key, area in sums.items()
    ]
    return tuple(sorted(parts, key=lambda part: (part.unit, -part.total.cells, part.label)))
