"""A unit of the SXM that works within superlanes."""

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Module, Value
from amaranth.lib import wiring

from arch.config import Config
from hdl.shared import place
from hdl.span import reaching
from hdl.sxm.controller import SxmController
from hdl.sxm.tile import SxmTile
from hdl.sxm.unit import SxmUnit

__all__ = ["TileUnit"]


class TileUnit(SxmUnit):
    """A tile per superlane that reads, and drives a cycle later: a word issued in t reads in t + 1 and drives in t + 2.

    Ports as `SxmUnit`.

    Parameters
    ----------
    config
        The machine.
    size
        Streams that it drives at once.
    controller
        Makes the controller.
    tile
        Makes a tile; it has a `driver`, valid in the cycle of its `op`.
    """

    def __init__(
        self, *, config: Config, size: int, controller: Callable[[], SxmController], tile: Callable[[], SxmTile]
    ) -> None:
        super().__init__(config=config, size=size, linger=config.superlanes + 1)
        self._controller = controller
        self._tile = tile

    def controller(self) -> SxmController:
        """See `SxmUnit.controller`."""
        return self._controller()

    def build(self, m: Module, op: Any, clock: dict[str, Value]) -> None:
        """See `SxmUnit.build`."""
        for row in range(self.config.superlanes):
            tile = self._tile()
            here = reaching(m, f"op{row}", op, row)
            m.submodules[f"tile{row}"] = place(tile, **clock, op_in=here, east=self.east[row], west=self.west[row])
            wiring.connect(m, wiring.flipped(self.driver[row]), tile.driver)
            self.report(m, row, tile)
            op = tile.op
