"""The transpose unit of the SXM."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.activity_gate import ActivityGate
from hdl.controller_port import controller_port
from hdl.shared import place
from hdl.stream_driver import stream_driver
from hdl.stream_set import driven
from hdl.sxm.transpose_controller import TransposeController
from hdl.sxm.transpose_tile import TransposeTile

__all__ = ["TransposeUnit"]


class TransposeUnit(wiring.Component):
    """Controller and a tile per superlane; its clock stops while it is idle.

    An ordinary submodule, not to be placed. A word issued in cycle t reads in t + 1 and drives in t + 2; one word
    per cycle.

    Parameters
    ----------
    config
        The machine; S is its `superlanes`.

    Attributes
    ----------
    start : in 1
        From a register.
    queue : controller_port
    east, west : in streams * lanes * 8, arrays of S
        Stream registers of this position, by superlane.
    driver : stream_driver of `lanes` streams, array of S
        By superlane.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        rows = config.superlanes
        super().__init__(
            {
                "start": In(1),
                "queue": Out(controller_port(config)),
                "east": In(config.streams * config.lanes * 8).array(rows),
                "west": In(config.streams * config.lanes * 8).array(rows),
                "driver": Out(stream_driver(config, config.lanes)).array(rows),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        m.submodules.controller = controller = TransposeController(config=config)
        m.d.comb += [
            controller.start.eq(self.start),
            controller.issue_valid.eq(self.queue.issue_valid),
            controller.issue_word.eq(self.queue.issue_word),
            self.queue.element.eq(controller.element),
            self.queue.reads.eq(controller.reads),
            self.queue.drives.eq(driven(self.driver[0], config.streams)),
        ]
        m.submodules.gate = gate = ActivityGate(linger=config.superlanes + 1)
        m.d.comb += [gate.busy.eq(controller.op.valid), gate.flush.eq(self.start)]
        op = controller.op
        for row in range(config.superlanes):
            m.submodules[f"tile{row}"] = place(
                tile := TransposeTile(config=config),
                clk=gate.clock,
                rst=gate.reset,
                op_in=op,
                east=self.east[row],
                west=self.west[row],
            )
            wiring.connect(m, wiring.flipped(self.driver[row]), tile.driver)
            op = tile.op
        return m
