"""The ways in which a pass can be computed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from arch.config import Config
from arch.errors import TaktError
from compiler.mesh.mapper import mappings
from compiler.mesh.mapping import Mapping
from compiler.vector.operation import Pass


@dataclass(frozen=True)
class PassPlan:
    """One way.

    Attributes
    ----------
    mappings : tuple of Mapping
        Places in the mesh to choose from when the time is known; their streams are the same.
    estimate : int
        Rough cycles, to choose by.
    """

    mappings: tuple[Mapping, ...]
    estimate: int

    def beside(self, following: Sequence["PassPlan"]) -> "PassPlan":
        """Return the plan with those mappings first that leave ALUs for the passes that follow, the next above all."""
        alus = [[{cell.alu for cell in mapping.cells} for mapping in plan.mappings] for plan in following]

        def crowds(mapping: Mapping) -> tuple[bool, ...]:
            mine = {cell.alu for cell in mapping.cells}
            return tuple(all(mine & theirs for theirs in sets) for sets in alus)

        return replace(self, mappings=tuple(sorted(self.mappings, key=crowds)))

    planes = 0
    """Planes used."""

    simple = True
    """As of a MatMul's plan."""


def pass_plans(op: Pass) -> list[PassPlan]:
    """Return every way to compute a pass, the one with the fewest streams first.

    Raises
    ------
    TaktError
        When the expression does not fit the mesh.
    """
    if not op.in_mesh:
        return [PassPlan((), op.duration)]
    found = ways(op) or mappings(op.config, op.graph)
    if not found:
        raise TaktError(
            f"expression of {op.name} must fit the mesh of {op.config.alu_rows} x {op.config.alu_cols} ALUs, "
            f"not have {len(op.graph.nodes)} operations; cut it into several maps"
        )
    return [PassPlan(tuple(group), op.duration + index) for index, group in enumerate(found)]


def ways(op: Pass, spare: int = 0) -> list[list[Mapping]]:
    """Return groups of mappings that find MEM slices for all their streams, and for the results.

    Parameters
    ----------
    op : Pass
    spare : int
        Slices to leave alone.
    """
    if not _has_slices(op.config, [result.tensor.itemsize for result in op.results], spare):
        return []
    return [
        group
        for group in mappings(op.config, op.graph)
        if _has_slices(op.config, [op.operands[stream.port].tensor.itemsize for stream in group[0].streams], spare)
    ]


def _has_slices(config: Config, sizes: list[int], spare: int) -> bool:
    """Return whether words of some bytes each find slices of their own, those of a word on one side of the VXM."""
    left = [config.mem_slices - spare // 2, config.mem_slices - (spare + 1) // 2]
    for size in sorted(sizes, reverse=True):
        left.sort()
        left[-1] -= size
    return min(left) >= 0
