"""The column of the VXM."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Cat, Module

from hdl.column.column import Column
from hdl.shared import place
from hdl.stream_driver import stream_driver
from hdl.vxm.controller import VxmController
from hdl.vxm.tile import VxmTile

__all__ = ["VxmColumn"]


class VxmColumn(Column):
    """The ALU mesh, in the middle of the chip."""

    classes = ("ADD",)
    """All VXM instructions retire alike."""

    def build_units(self, m: Module, controllers: Sequence[Any]) -> list[list[Any]]:
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
                element=port.element,
                pending=port.pending,
                busy_fault=port.busy_fault,
                operand_missed_fault=port.operand_missed_fault,
                reads=port.reads,
                drives=port.drives,
                mesh_valid=Cat(other.result_valid for other in alus[previous :: config.alu_cols]),
            )
        m.d.comb += self.elements.eq(Cat(port.element for port in controllers).any())

        op = Cat(alu.op for alu in alus)
        drivers: list[list[Any]] = []
        for row in range(config.superlanes):
            tile = VxmTile(config=config)
            m.submodules[f"tile_{row}"] = place(
                tile, op_in=op, east=self.east_out[row], west=self.west_out[row]
            )
            op = tile.op_out
            drivers.append([])
            for index in range(config.alus):
                driver = stream_driver(config, 4).create(path=(f"alu_{index}_row_{row}",))
                drivers[row].append(driver)
                for part in ("mask", "direction", "group", "data"):
                    port = getattr(driver, part)
                    m.d.comb += port.eq(getattr(tile, part).word_select(index, len(port)))
        return drivers
