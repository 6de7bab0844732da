"""A unit of the SXM that moves data across superlanes."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Cat, Module, Value

from arch.config import Config
from arch.timing import timing
from hdl.shared import place
from hdl.sxm.deskew import Deskew
from hdl.sxm.skew import Skew
from hdl.sxm.tile import SxmTile
from hdl.sxm.unit import SxmUnit

__all__ = ["VectorUnit"]


class VectorUnit(SxmUnit):
    """A tile per superlane that reads; its operands wait for the last superlane, and the result is staggered again.

    Superlanes that are off see every micro-op, too: their operands are zero, and they drive nothing.

    Ports as `SxmUnit`. A word issued in cycle t reads in t + 1 and drives in t + S + 2.

    Parameters
    ----------
    config
        The machine; S is its `superlanes`.
    """

    def __init__(self, *, config: Config) -> None:
        # Read, then S cycles up to the driver, then the stream register.
        for row in (timing(config)["SHIFT"], timing(config)["PERMUTE"]):
            assert row.d_func == (row.d_skew or 0) + 1 + config.superlanes + 1
        super().__init__(config=config, size=1, linger=2 * config.superlanes + 1)

    @abstractmethod
    def tile(self) -> SxmTile:
        """Return a tile; it has a port ``on``: its superlane acts on the micro-op."""

    @abstractmethod
    def operands(self, tile: Any) -> Sequence[Value]:
        """Return the operands that a tile took, valid in the cycle of its `op`."""

    @abstractmethod
    def moves(self, op: Any) -> Value:
        """Return whether a micro-op comes with operands, and drives a result."""

    @abstractmethod
    def combine(self, m: Module, op: Any, operands: Sequence[Value]) -> Value:
        """Add what makes the result, combinational, out of every superlane's operands, superlane 0 lowest."""

    def build(self, m: Module, op: Any, clock: dict[str, Value]) -> None:
        """See `SxmUnit.build`."""
        config = self.config
        tiles = []
        for row in range(config.superlanes):
            tile = self.tile()
            m.submodules[f"tile{row}"] = place(
                tile, **clock, op_in=op, on=op.span > row, east=self.east[row], west=self.west[row]
            )
            tiles.append(tile)
            self.report(m, row, tile)
            op = tile.op
        # A lane's result may need any superlane's operand, so the staggered vector is first brought into one cycle.
        valid = Cat(self.moves(tile.op) for tile in tiles)
        aligned = []
        for index, parts in enumerate(zip(*map(self.operands, tiles), strict=True)):
            deskew = Deskew(config=config, width=len(parts[0]))
            m.submodules[f"deskew{index}"] = place(deskew, **clock, valid=valid, parts=Cat(parts))
            aligned.append(deskew.aligned)

        m.submodules.skew = place(
            skew := Skew(config=config),
            **clock,
            valid=self.moves(op),
            span=op.span,
            direction=op.dst_dir,
            stream=op.dst,
            vector=self.combine(m, op, aligned),
        )
        for row, driver in enumerate(self.driver):
            m.d.comb += [
                driver.mask.eq(skew.mask[row]),
                driver.direction.eq(skew.directions[row]),
                driver.group.eq(skew.groups.word_select(row, len(driver.group))),
                driver.data.eq(skew.data.word_select(row, len(driver.data))),
            ]
