"""The column of the VXM."""

from collections.abc import Mapping, Sequence
from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from arch.config import Config
from hdl.column.column import Column
from hdl.column.vxm_tile import VxmColumnTile
from hdl.shared import place
from hdl.vxm.controller import VxmController
from hdl.vxm.micro_op import climbing_op

__all__ = ["VxmColumn"]


class VxmColumn(Column):
    """The ALU mesh, in the middle of the chip.

    Attributes
    ----------
    op : out alus * climbing_op
        Micro-ops of tile 0, ALU 0 lowest.
    """

    classes = ("ADD",)
    """All VXM instructions retire alike."""

    def __init__(self, *, config: Config, position: int) -> None:
        super().__init__(config=config, position=position)
        self._op: Value = self.op
        self._tiles: list[VxmColumnTile] = []

    def own_ports(self) -> Mapping[str, wiring.Member]:
        """See `Column.own_ports`."""
        return {"op": Out(self.config.alus * climbing_op(self.config).size)}

    def build_units(self, m: Module, controllers: Sequence[Any]) -> None:
        """See `Column.build_units`."""
        config = self.config
        alus = [VxmController(config=config) for _ in controllers]
        for index, (alu, port) in enumerate(zip(alus, controllers, strict=True)):
            previous = (index - 1) % config.alu_cols
            m.submodules[f"controller_{index}"] = place(
                alu,
                start=self.start,
                issue_valid=port.issue_valid,
                issue_word=port.issue_word,
                issue_span=port.issue_span,
                element=port.element,
                pending=port.pending,
                busy_fault=port.busy_fault,
                operand_missed_fault=port.operand_missed_fault,
                reads=port.reads,
                drives=port.drives,
                mesh_valid=Cat(other.result_valid for other in alus[previous :: config.alu_cols]),
            )
        m.d.comb += [
            self.elements.eq(Cat(port.element for port in controllers).any()),
            self.op.eq(Cat(alu.op for alu in alus)),
        ]

    def add_tile(self, m: Module, row: int, streams: Mapping[str, Signal]) -> None:
        """See `Column.add_tile`."""
        tile = VxmColumnTile(config=self.config)
        m.submodules[self.tile_name(row)] = place(tile, **streams, op_in=self._op)
        self._op = tile.op_out
        self._tiles.append(tile)

    def ecc_reports(self, name: str, index: int) -> Value:
        """See `Column.ecc_reports`."""
        return Cat(getattr(tile, name)[index] for tile in self._tiles)
