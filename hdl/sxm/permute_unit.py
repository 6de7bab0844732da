"""The permute unit of the SXM."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Instance, Module, Signal, Value

from hdl.sxm.controller import SxmController
from hdl.sxm.mapped_controller import MappedController
from hdl.sxm.mapped_tile import MappedTile
from hdl.sxm.tile import SxmTile
from hdl.sxm.vector_unit import VectorUnit

__all__ = ["PermuteUnit"]


class PermuteUnit(VectorUnit):
    """Chooses every lane of the result from all lanes; parameter, ports and latency as `VectorUnit`.

    Map registers survive `start`; a LOADMAP issued in cycle t is seen by words issued from t + 1 on.
    """

    def controller(self) -> SxmController:
        """See `SxmUnit.controller`."""
        return MappedController(config=self.config, mnemonic="PERMUTE")

    def tile(self) -> SxmTile:
        """See `VectorUnit.tile`."""
        return MappedTile(config=self.config, mnemonic="PERMUTE")

    def operands(self, tile: Any) -> Sequence[Value]:
        """See `VectorUnit.operands`."""
        return tile.src, tile.map

    def moves(self, op: Any) -> Value:
        """See `VectorUnit.moves`."""
        moves: Value = op.valid & ~op.load
        return moves

    def combine(self, m: Module, op: Any, operands: Sequence[Value]) -> Value:
        """See `VectorUnit.combine`."""
        source, lane_map = operands
        result = Signal(len(source))
        m.submodules.crossbar = Instance(
            "takt_crossbar",
            p_WIDTH=8,
            p_COUNT=self.config.vector_length,
            i_en=self.moves(op),
            i_index=lane_map,
            i_words=source,
            o_out=result,
        )
        return result
