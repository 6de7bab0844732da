"""Positions of all units, and the order of the instruction queues."""

import enum
from dataclasses import dataclass
from functools import lru_cache

from arch.config import HEMISPHERES, Config


class Hemisphere(enum.IntEnum):
    """Side of the VXM."""

    WEST = 0
    EAST = 1


class Direction(enum.IntEnum):
    """Direction in which a stream moves, by its code in instruction words."""

    EAST = 0
    WEST = 1

    @property
    def step(self) -> int:
        """Change of position per cycle."""
        return 1 if self is Direction.EAST else -1


class UnitKind(enum.Enum):
    """Unit that an instruction queue controls, by kind."""

    MEM = "MEM"
    VXM = "VXM"
    MXM_WEIGHTS = "MXM.W"
    MXM_ACTIVATIONS = "MXM.A"
    MXM_RESULTS = "MXM.R"
    SXM_SHIFT = "SXM.SHIFT"
    SXM_PERMUTE = "SXM.PERMUTE"
    SXM_DISTRIBUTE = "SXM.DISTRIBUTE"
    SXM_ROTATE = "SXM.ROTATE"
    SXM_TRANSPOSE = "SXM.TRANSPOSE"
    C2C = "C2C"


SXM_QUEUES = (
    UnitKind.SXM_SHIFT,
    UnitKind.SXM_SHIFT,
    UnitKind.SXM_PERMUTE,
    UnitKind.SXM_DISTRIBUTE,
    UnitKind.SXM_ROTATE,
    UnitKind.SXM_TRANSPOSE,
)
"""Queues of one hemisphere's SXM; with 16 links they make the published 28 SXM and C2C queues."""


@dataclass(frozen=True)
class Unit:
    """One instruction queue and the unit it controls.

    Attributes
    ----------
    id : int
        Queue number: index in `units(config)`, and the unit number of faults.
    kind : UnitKind
    name : str
        For people: ``MEM_W3``, ``VXM_5``, ``MXM_E1.R``, ``SXM_W.SHIFT0``, ``C2C_2``.
    position : int
        Stream register position it reads and drives, 0 at the west edge.
    hemisphere : Hemisphere or None
        None for the VXM.
    index : int
        MEM: slice number in its hemisphere, 0 next to the VXM. VXM: ALU, ``row * alu_cols + col``. MXM: plane
        in its hemisphere. SXM: queue in `SXM_QUEUES`. C2C: link.
    """

    id: int
    kind: UnitKind
    name: str
    position: int
    hemisphere: Hemisphere | None
    index: int

    @property
    def outward(self) -> Direction:
        """Direction from the VXM towards this unit."""
        return Direction.WEST if self.hemisphere is Hemisphere.WEST else Direction.EAST

    @property
    def inward(self) -> Direction:
        """Direction from this unit towards the VXM."""
        return Direction.EAST if self.hemisphere is Hemisphere.WEST else Direction.WEST


def positions(config: Config) -> int:
    """Return the number of stream register positions: C2C, MXM, SXM, MEM hops, VXM and the mirror image."""
    return 7 + 2 * config.mem_hops


def c2c_position(config: Config, hemisphere: Hemisphere) -> int:
    """Return the position of a chip edge."""
    return _mirror(config, hemisphere, 0)


def mxm_position(config: Config, hemisphere: Hemisphere) -> int:
    """Return the position of a hemisphere's MXM planes."""
    return _mirror(config, hemisphere, 1)


def sxm_position(config: Config, hemisphere: Hemisphere) -> int:
    """Return the position of a hemisphere's SXM."""
    return _mirror(config, hemisphere, 2)


def mem_position(config: Config, hemisphere: Hemisphere, index: int) -> int:
    """Return the position of MEM slice `index` (0 next to the VXM) of a hemisphere."""
    return _mirror(config, hemisphere, 2 + config.mem_hops - index // config.slices_per_hop)


def vxm_position(config: Config) -> int:
    """Return the position of the VXM, the middle of the chip."""
    return 3 + config.mem_hops


def _mirror(config: Config, hemisphere: Hemisphere, from_edge: int) -> int:
    return from_edge if hemisphere is Hemisphere.WEST else positions(config) - 1 - from_edge


@lru_cache
def units(config: Config) -> tuple[Unit, ...]:
    """Return every instruction queue in queue order.

    MEM west then east (slice 0 first), VXM ALUs, MXM planes (weights, activations, results each; west planes
    first), SXM west then east, C2C links (first half west).
    """
    found: list[Unit] = []

    def add(kind: UnitKind, name: str, position: int, hemisphere: Hemisphere | None, index: int) -> None:
        found.append(Unit(len(found), kind, name, position, hemisphere, index))

    for side in Hemisphere:
        for index in range(config.mem_slices):
            add(UnitKind.MEM, f"MEM_{side.name[0]}{index}", mem_position(config, side, index), side, index)
    for index in range(config.alus):
        add(UnitKind.VXM, f"VXM_{index}", vxm_position(config), None, index)
    for side in Hemisphere:
        for plane in range(config.planes_per_hemisphere):
            for kind in (UnitKind.MXM_WEIGHTS, UnitKind.MXM_ACTIVATIONS, UnitKind.MXM_RESULTS):
                name = f"MXM_{side.name[0]}{plane}.{kind.value[-1]}"
                add(kind, name, mxm_position(config, side), side, plane)
    for side in Hemisphere:
        for index, kind in enumerate(SXM_QUEUES):
            suffix = str(index) if kind is UnitKind.SXM_SHIFT else ""
            name = f"SXM_{side.name[0]}.{kind.value.partition('.')[2]}{suffix}"
            add(kind, name, sxm_position(config, side), side, index)
    for link in range(config.links):
        side = Hemisphere(link * HEMISPHERES // config.links)
        add(UnitKind.C2C, f"C2C_{link}", c2c_position(config, side), side, link)
    return tuple(found)


def mem_slice(config: Config, hemisphere: Hemisphere, index: int) -> int:
    """Return the chip-wide number of a MEM slice, which is also its queue number."""
    return hemisphere * config.mem_slices + index
