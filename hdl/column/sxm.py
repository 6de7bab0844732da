"""The column of a hemisphere's SXM."""

from collections.abc import Mapping, Sequence
from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.geometry import SXM_QUEUES, UnitKind
from hdl.column.column import Column
from hdl.stream_driver import stream_driver
from hdl.sxm.sxm import Sxm

__all__ = ["SxmColumn"]

_TRANSPOSE = SXM_QUEUES.index(UnitKind.SXM_TRANSPOSE)
_DRIVERS = ("shift0", "shift1", "transpose")


class SxmColumn(Column):
    """The switch unit of one hemisphere.

    Attributes
    ----------
    east, west : in streams * stream_bits, arrays of superlanes
        Stream registers of this position.
    shift0, shift1, transpose : stream_driver of 1, 1 and `lanes` streams, arrays of superlanes
    """

    classes = ("SHIFT", "TRANSPOSE")

    def own_ports(self) -> Mapping[str, wiring.Member]:
        """See `Column.own_ports`."""
        config = self.config
        rows = config.superlanes
        sizes = zip(_DRIVERS, (1, 1, config.lanes), strict=True)
        return {
            **{side: In(config.streams * config.stream_bits).array(rows) for side in ("east", "west")},
            **{name: Out(stream_driver(config, size)).array(rows) for name, size in sizes},
        }

    def build_units(self, m: Module, controllers: Sequence[Any]) -> None:
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
        for row in range(self.config.superlanes):
            m.d.comb += [sxm.east[row].eq(self.east[row]), sxm.west[row].eq(self.west[row])]
            for name in _DRIVERS:
                wiring.connect(m, wiring.flipped(getattr(self, name)[row]), getattr(sxm, name)[row])

    def add_tile(self, m: Module, row: int, streams: Mapping[str, Signal]) -> None:
        """See `Column.add_tile`."""
        m.d.comb += [self.east[row].eq(streams["east_out"]), self.west[row].eq(streams["west_out"])]
        self.add_hop(m, row, streams, [getattr(self, name)[row] for name in _DRIVERS])
