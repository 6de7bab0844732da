"""The ways in which a pass can be computed."""

from dataclasses import dataclass

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
    found = mappings(op.config, op.graph)
    if not found:
        raise TaktError(
            f"expression of {op.name} must fit the mesh of {op.config.alu_rows} x {op.config.alu_cols} ALUs, "
            f"not have {len(op.graph.nodes)} operations; cut it into several maps"
        )
    return [PassPlan(tuple(group), op.steps * op.interval + index) for index, group in enumerate(found)]
