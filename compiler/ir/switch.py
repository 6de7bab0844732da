"""The operation that passes vectors through the SXM."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from arch.geometry import UnitKind
from compiler.ir.vector import Pass


@dataclass(frozen=True, eq=False)
class Switch(Pass):
    """n steps: each reads a vector of every operand, and writes one of every result, a byte plane per cycle.

    `interval` is the size of an element: byte b of step i issues in cycle ``interval * i + b``. All results are parts
    of one tensor that have no vector in common. The graph is empty.

    Attributes
    ----------
    mnemonic : str
    kind : UnitKind
        Of the queues that execute it.
    fields : dict of str to int
        Instruction fields other than streams.
    sources : tuple of str
        Stream field of each operand; operands of one field stand on neighbouring streams.
    register : int or None
        Map register that is loaded before the first step; None for a map that comes on streams.
    more : bool
        Whether the next operation makes further vectors of the same tensor, at the same time if it can.
    """

    mnemonic: str = ""
    kind: UnitKind = UnitKind.SXM_SHIFT
    fields: Mapping[str, int] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    register: int | None = None
    more: bool = False

    in_mesh = False

    @property
    def duration(self) -> int:
        """Cycles from the first step to the end of the last one."""
        return self.interval * self.steps

    def is_serial(self, operand: int) -> bool:
        """Return whether an operand's bytes come one after another on one stream (maps come side by side)."""
        return self.sources[operand] != "map"
