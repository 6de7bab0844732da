"""The switch unit (SXM) of one hemisphere."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.geometry import SXM_QUEUES, UnitKind
from hdl.controller_port import controller_port
from hdl.stream_driver import stream_driver
from hdl.sxm.shift_unit import ShiftUnit
from hdl.sxm.transpose_unit import TransposeUnit

__all__ = ["Sxm"]


class Sxm(wiring.Component):
    """Two shift units and a transpose unit.

    PERMUTE, DISTRIBUTE and ROTATE have a queue each, but no instruction built: the queue raises ILLEGAL itself, and
    their ports here do nothing. An ordinary submodule, not to be placed.

    Parameters
    ----------
    config
        The machine; S is its `superlanes`.

    Attributes
    ----------
    start : in 1
        From a register.
    queues : controller_port, array of 6
        In the order of `arch.geometry.SXM_QUEUES`.
    east, west : in streams * lanes * 8, arrays of S
        Stream registers of this position, by superlane.
    shift0, shift1, transpose : stream_driver of 1, 1 and `lanes` streams, arrays of S
        By superlane.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        rows = config.superlanes
        super().__init__(
            {
                "start": In(1),
                "queues": Out(controller_port(config)).array(len(SXM_QUEUES)),
                "east": In(config.streams * config.lanes * 8).array(rows),
                "west": In(config.streams * config.lanes * 8).array(rows),
                "shift0": Out(stream_driver(config, 1)).array(rows),
                "shift1": Out(stream_driver(config, 1)).array(rows),
                "transpose": Out(stream_driver(config, config.lanes)).array(rows),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        units = (
            ("shift0", ShiftUnit(config=self.config), 0),
            ("shift1", ShiftUnit(config=self.config), 1),
            ("transpose", TransposeUnit(config=self.config), SXM_QUEUES.index(UnitKind.SXM_TRANSPOSE)),
        )
        for name, unit, queue in units:
            m.submodules[name] = unit
            m.d.comb += unit.start.eq(self.start)
            wiring.connect(m, wiring.flipped(self.queues[queue]), unit.queue)
            for row in range(self.config.superlanes):
                m.d.comb += [unit.east[row].eq(self.east[row]), unit.west[row].eq(self.west[row])]
                wiring.connect(m, wiring.flipped(getattr(self, name)[row]), unit.driver[row])
        return m
