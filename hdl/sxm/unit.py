"""Base of the units of the SXM."""

from abc import abstractmethod
from typing import Any

from amaranth.hdl import Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.activity_gate import ActivityGate
from hdl.controller_port import controller_port
from hdl.ecc.reader import ecc_ports, report_delay
from hdl.stream_driver import stream_driver
from hdl.stream_set import driven
from hdl.sxm.controller import SxmController
from hdl.sxm.tile import SxmTile

__all__ = ["SxmUnit"]


class SxmUnit(wiring.Component):
    """A controller and a datapath whose clock stops while it is idle; the base of a class per kind of unit.

    An ordinary submodule, not to be placed. One word per cycle.

    Parameters
    ----------
    config
        The machine; S is its `superlanes`.
    size
        Streams that it drives at once.
    linger
        Cycles from the micro-op of tile 0 to the end of all work but reports, as for `ActivityGate`.

    Attributes
    ----------
    start : in 1
        From a register.
    queue : controller_port
    east, west : in streams * stream_bits, arrays of S
        Stream registers of this position, by superlane.
    driver : stream_driver of `size` streams, array of S
        By superlane.
    """

    def __init__(self, *, config: Config, size: int, linger: int) -> None:
        self.config = config
        self._linger = max(linger, config.superlanes - 1 + report_delay(config))
        rows = config.superlanes
        super().__init__(
            {
                "start": In(1),
                "queue": Out(controller_port(config)),
                "east": In(config.streams * config.stream_bits).array(rows),
                "west": In(config.streams * config.stream_bits).array(rows),
                "driver": Out(stream_driver(config, size)).array(rows),
            }
        )

    @abstractmethod
    def controller(self) -> SxmController:
        """Return the controller."""

    @abstractmethod
    def build(self, m: Module, op: Any, clock: dict[str, Value]) -> None:
        """Add the datapath.

        Parameters
        ----------
        m
            The unit.
        op
            Micro-op of tile 0.
        clock
            Arguments ``clk`` and ``rst`` for `place`.
        """

    def report(self, m: Module, row: int, tile: SxmTile) -> None:
        """Join the tile of superlane `row`, which reads the streams, to the queue's reports."""
        m.d.comb += [getattr(self.queue, name)[row].eq(getattr(tile, name)) for name in ecc_ports(self.config)]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.controller = controller = self.controller()
        m.d.comb += [
            controller.start.eq(self.start),
            controller.issue_valid.eq(self.queue.issue_valid),
            controller.issue_word.eq(self.queue.issue_word),
            controller.issue_span.eq(self.queue.issue_span),
            self.queue.element.eq(controller.element),
            self.queue.reads.eq(controller.reads),
            self.queue.drives.eq(driven(self.driver[0], self.config.streams)),
        ]
        # The clock runs from a micro-op until the last superlane has driven, and reported, its part.
        m.submodules.gate = gate = ActivityGate(linger=self._linger)
        m.d.comb += [gate.busy.eq(controller.op.valid), gate.flush.eq(self.start)]
        self.build(m, controller.op, {"clk": gate.clock, "rst": gate.reset})
        return m
