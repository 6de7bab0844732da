"""A shift unit of the SXM: SHIFT and SELECT."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Module, Value

from hdl.shared import place
from hdl.sxm.controller import SxmController
from hdl.sxm.lane_shifter import LaneShifter
from hdl.sxm.shift_controller import ShiftController
from hdl.sxm.shift_tile import ShiftTile
from hdl.sxm.tile import SxmTile
from hdl.sxm.vector_unit import VectorUnit

__all__ = ["ShiftUnit"]


class ShiftUnit(VectorUnit):
    """Moves a vector by lanes, or joins two; parameter, ports and latency as `VectorUnit`."""

    def controller(self) -> SxmController:
        """See `SxmUnit.controller`."""
        return ShiftController(config=self.config)

    def tile(self) -> SxmTile:
        """See `VectorUnit.tile`."""
        return ShiftTile(config=self.config)

    def operands(self, tile: Any) -> Sequence[Value]:
        """See `VectorUnit.operands`."""
        return tile.src, tile.low

    def moves(self, op: Any) -> Value:
        """See `VectorUnit.moves`."""
        valid: Value = op.valid
        return valid

    def combine(self, m: Module, op: Any, operands: Sequence[Value]) -> Value:
        """See `VectorUnit.combine`."""
        shifter = LaneShifter(config=self.config)
        m.submodules.shifter = place(shifter, op=op, src=operands[0], low=operands[1])
        result: Value = shifter.result
        return result
