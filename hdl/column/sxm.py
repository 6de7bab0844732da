"""The column of a hemisphere's SXM."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring

from arch.geometry import SXM_QUEUES, UnitKind
from hdl.column.column import Column
from hdl.sxm.sxm import Sxm

__all__ = ["SxmColumn"]

_TRANSPOSE = SXM_QUEUES.index(UnitKind.SXM_TRANSPOSE)


class SxmColumn(Column):
    """The switch unit of one hemisphere."""

    classes = ("SHIFT", "TRANSPOSE")

    def build_units(self, m: Module, controllers: Sequence[Any]) -> list[list[Any]]:
        """See `Column.build_units`."""
        m.submodules.sxm = sxm = Sxm(config=self.config)
        m.d.comb += [
            sxm.start.eq(self.start),
            self.elements.eq(
                Cat(Cat(port.element for port in controllers[:_TRANSPOSE]).any(), controllers[_TRANSPOSE].element)
            ),
        ]
        for port, side in zip(controllers, sxm.queues, strict=True):
            wiring.connect(m, wiring.flipped(port), side)
        drivers = []
        for row in range(self.config.superlanes):
            m.d.comb += [sxm.east[row].eq(self.east_out[row]), sxm.west[row].eq(self.west_out[row])]
            drivers.append([sxm.shift0[row], sxm.shift1[row], sxm.transpose[row]])
        return drivers
