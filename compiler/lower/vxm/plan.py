"""The ways in which a pass can be computed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from arch.config import Config
from arch.errors import TaktError
from compiler.ir.vector import Pass
from compiler.lower.vxm.steps import stationary_ports
from compiler.mesh.latches import forms
from compiler.mesh.mapper import mappings
from compiler.mesh.mapping import Mapping


@dataclass(frozen=True)
class PassPlan:
    """One way.

    Attributes
    ----------
    mappings : tuple of Mapping
        Places in the mesh to choose from when the time is known; their streams are the same.
    estimate : int
        Rough cycles, to choose by.
    steady : bool
        Whether the pass keeps its pauses even where it could start earlier without them.
    """

    mappings: tuple[Mapping, ...]
    estimate: int
    steady: bool = False

    def leaving_alus(self, earlier: Sequence[Sequence[Mapping]], later: Sequence[Sequence[Mapping]]) -> "PassPlan":
        """Return the plan with those mappings first that leave ALUs for the passes that follow, the next above all.

        Best is what leaves ALUs for most of them at the same time, those of the first mappings of earlier ones being
        taken.

        Parameters
        ----------
        earlier, later : sequence of sequence of Mapping
            What operations before and after choose from; nothing if they need no ALUs.
        """
        # Of earlier ones the first mapping is not sure, but likely: it is tried first.
        taken = 0
        for group in earlier:
            taken |= _mask(group[0]) if group else 0
        alus = [{_mask(mapping) for mapping in group} for group in later]

        @cache
        def reach(used: int, number: int) -> int:
            """Return the number of the first pass that finds no ALUs beside all before it."""
            free = [mask for mask in alus[number] if not mask & used] if number < len(alus) else []
            return max((reach(used | mask, number + 1) for mask in free), default=number)

        # Among those that leave room for as many, better one beside which the next pass alone has a place.
        def crowds(mapping: Mapping) -> tuple[bool | int, ...]:
            mine = _mask(mapping)
            return -reach(mine | taken, 0), *(all(mine & mask for mask in masks) for masks in alus)

        return replace(self, mappings=tuple(sorted(self.mappings, key=crowds)))

    def paces(self, op: Pass) -> list[Pass]:
        """Return the pass with and without pauses, as far as both may be."""
        return [op.hurried(), op] if op.pauses and not self.steady else [op]

    planes = 0
    """Planes used."""


def pass_plans(op: Pass, latched: bool = False, steady: bool = False) -> list[PassPlan]:
    """Return every way to compute a pass, the one with the fewest streams first.

    Parameters
    ----------
    op : Pass
    latched : bool
        Whether ALUs hold words that many steps share: those ways come first.
    steady : bool
        As of `PassPlan`.

    Raises
    ------
    TaktError
        When the expression does not fit the mesh.
    """
    found = ways(op, latched=latched) or mappings(op.config, op.graph)
    if not found:
        raise TaktError(
            f"expression of {op.name} must fit the mesh of {op.config.alu_rows} x {op.config.alu_cols} ALUs, "
            f"not have {len(op.graph.nodes)} operations; cut it into several maps"
        )
    return [PassPlan(tuple(group), op.duration + index, steady) for index, group in enumerate(found)]


def ways(op: Pass, spare: int = 0, latched: bool = False) -> list[list[Mapping]]:
    """Return groups of mappings that find MEM slices for all their streams, and for the results.

    Parameters
    ----------
    op : Pass
    spare : int
        Slices to leave alone.
    latched : bool
        As of `pass_plans`.
    """
    if not _has_slices(op.config, [result.tensor.itemsize for result in op.results], spare):
        return []
    return [
        group
        for graph in forms(op.graph, stationary_ports(op) if latched else ())
        for group in mappings(op.config, graph)
        if _has_slices(op.config, [op.operands[stream.port].tensor.itemsize for stream in group[0].streams], spare)
    ]


def _mask(mapping: Mapping) -> int:
    """Return the ALUs of a mapping, a bit each."""
    return sum(1 << alu for alu in {cell.alu for cell in mapping.cells})


def _has_slices(config: Config, sizes: list[int], spare: int) -> bool:
    """Return whether words of some bytes each find slices of their own, those of a word on one side of the VXM."""
    left = [config.mem_slices - spare // 2, config.mem_slices - (spare + 1) // 2]
    for size in sorted(sizes, reverse=True):
        left.sort()
        left[-1] -= size
    return min(left) >= 0
