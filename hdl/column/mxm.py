"""The column of a hemisphere's MXM planes."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring

from arch.geometry import Direction
from hdl.column.column import Column
from hdl.mxm.mxm import Mxm

__all__ = ["MxmColumn"]


class MxmColumn(Column):
    """The planes of one hemisphere."""

    classes = ("LW", "ABC", "ACC")

    def build_units(self, m: Module, controllers: Sequence[Any]) -> list[list[Any]]:
        """See `Column.build_units`."""
        rows = range(self.config.superlanes)
        drivers: list[list[Any]] = [[] for _ in rows]
        queues = len(self.classes)
        hemisphere, outward = self.units[0].hemisphere, self.units[0].outward
        assert hemisphere is not None
        streams = self.east_out if outward is Direction.EAST else self.west_out
        for index in range(self.config.planes_per_hemisphere):
            plane = Mxm(config=self.config, hemisphere=hemisphere)
            m.submodules[f"plane_{index}"] = plane
            m.d.comb += plane.start.eq(self.start)
            sides = (plane.weights, plane.activations, plane.results)
            for port, side in zip(controllers[queues * index :], sides, strict=False):
                wiring.connect(m, wiring.flipped(port), side)
            for row in rows:
                m.d.comb += plane.streams[row].eq(streams[row])
                drivers[row].append(plane.driver[row])
        m.d.comb += self.elements.eq(
            Cat(Cat(port.element for port in controllers[queue::queues]).any() for queue in range(queues))
        )
        return drivers
