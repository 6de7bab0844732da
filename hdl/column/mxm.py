"""The column of a hemisphere's MXM planes."""

from collections.abc import Mapping, Sequence
from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.geometry import Direction
from hdl.column.column import Column
from hdl.mxm.mxm import Mxm
from hdl.mxm.pair import MxmPair
from hdl.stream_driver import stream_driver

__all__ = ["MxmColumn"]


class MxmColumn(Column):
    """The planes of one hemisphere.

    Attributes
    ----------
    outward : in streams * stream_bits, array of superlanes
        Stream registers of this position that move outward.
    drivers : stream_driver of 4 streams, array of planes of arrays of superlanes
    """

    classes = ("LW", "ABC", "ACC")

    def own_ports(self) -> Mapping[str, wiring.Member]:
        """See `Column.own_ports`."""
        config = self.config
        driver = Out(stream_driver(config, 4)).array(config.superlanes)
        return {
            "outward": In(config.streams * config.stream_bits).array(config.superlanes),
            "drivers": driver.array(config.planes_per_hemisphere),
        }

    def build_units(self, m: Module, controllers: Sequence[Any]) -> None:
        """See `Column.build_units`."""
        queues = len(self.classes)
        hemisphere = self.units[0].hemisphere
        assert hemisphere is not None
        performed = [Cat(port.element for port in controllers[queue::queues]).any() for queue in range(queues)]
        planes: Mxm | MxmPair
        if self.config.planes_per_hemisphere == 2:
            m.submodules.pair = planes = MxmPair(config=self.config, hemisphere=hemisphere)
            sides = [
                side
                for index in range(2)
                for side in (planes.weights[index], planes.activations[index], planes.results[index])
            ]
            drivers = planes.driver
            # An fp16 element takes longer to retire than others: it counts once more when that much is left.
            performed[self.classes.index("ABC")] |= planes.late_element
        else:
            m.submodules.plane = planes = Mxm(config=self.config, hemisphere=hemisphere)
            sides = [planes.weights, planes.activations, planes.results]
            drivers = [planes.driver]
        m.d.comb += planes.start.eq(self.start)
        for port, side in zip(controllers, sides, strict=True):
            wiring.connect(m, wiring.flipped(port), side)
        for row in range(self.config.superlanes):
            m.d.comb += planes.streams[row].eq(self.outward[row])
            for inside, outside in zip(drivers, self.drivers, strict=True):
                wiring.connect(m, wiring.flipped(outside[row]), inside[row])
        m.d.comb += self.elements.eq(Cat(performed))

    def add_tile(self, m: Module, row: int, streams: Mapping[str, Signal]) -> None:
        """See `Column.add_tile`."""
        eastward = self.units[0].outward is Direction.EAST
        m.d.comb += self.outward[row].eq(streams["east_out" if eastward else "west_out"])
        self.add_hop(m, row, streams, [plane[row] for plane in self.drivers])
