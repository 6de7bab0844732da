"""The column of a hemisphere's SXM."""

from collections.abc import Mapping, Sequence
from typing import Any

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.geometry import UnitKind
from hdl.column.column import Column
from hdl.icu.decode import has_opcode
from hdl.stream_driver import stream_driver
from hdl.sxm.sxm import Sxm, sxm_drivers

__all__ = ["SxmColumn"]

_AS_SHIFT = (UnitKind.SXM_SHIFT, UnitKind.SXM_PERMUTE)
_WITH_MAPS = (UnitKind.SXM_PERMUTE, UnitKind.SXM_DISTRIBUTE)


class SxmColumn(Column):
    """The switch unit of one hemisphere.

    Attributes
    ----------
    east, west : in streams * stream_bits, arrays of superlanes
        Stream registers of this position.
    shift0, shift1, permute, distribute, rotate, transpose : stream_driver, arrays of superlanes
        See `hdl.sxm.sxm.sxm_drivers`.
    """

    classes = ("SHIFT", "TRANSPOSE", "LOADMAP")

    def own_ports(self) -> Mapping[str, wiring.Member]:
        """See `Column.own_ports`."""
        config = self.config
        rows = config.superlanes
        return {
            **{side: In(config.streams * config.stream_bits).array(rows) for side in ("east", "west")},
            **{name: Out(stream_driver(config, size)).array(rows) for name, size in sxm_drivers(config).items()},
        }

    def build_units(self, m: Module, controllers: Sequence[Any]) -> None:
        """See `Column.build_units`."""
        m.submodules.sxm = sxm = Sxm(config=self.config)
        m.d.comb += sxm.start.eq(self.start)
        elements: dict[str, list[Any]] = {name: [] for name in self.classes}
        for unit, port, side in zip(self.units, controllers, sxm.queues, strict=True):
            wiring.connect(m, wiring.flipped(port), side)
            load = has_opcode("LOADMAP", port.issue_word) if unit.kind in _WITH_MAPS else Const(0, 1)
            elements["SHIFT" if unit.kind in _AS_SHIFT else "TRANSPOSE"].append(port.element & ~load)
            elements["LOADMAP"].append(port.element & load)
        m.d.comb += self.elements.eq(Cat(Cat(elements[name]).any() for name in self.classes))
        for row in range(self.config.superlanes):
            m.d.comb += [sxm.east[row].eq(self.east[row]), sxm.west[row].eq(self.west[row])]
            for name in sxm_drivers(self.config):
                wiring.connect(m, wiring.flipped(getattr(self, name)[row]), getattr(sxm, name)[row])

    def add_tile(self, m: Module, row: int, streams: Mapping[str, Signal]) -> None:
        """See `Column.add_tile`."""
        m.d.comb += [self.east[row].eq(streams["east_out"]), self.west[row].eq(streams["west_out"])]
        self.add_hop(m, row, streams, [getattr(self, name)[row] for name in sxm_drivers(self.config)])
