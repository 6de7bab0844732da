"""A shift unit of the SXM: SHIFT and SELECT."""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.activity_gate import ActivityGate
from hdl.controller_port import controller_port
from hdl.shared import place
from hdl.stream_driver import stream_driver
from hdl.stream_set import driven
from hdl.sxm.shift_controller import ShiftController
from hdl.sxm.shift_tile import ShiftTile
from hdl.sxm.shifter import Shifter

__all__ = ["ShiftUnit"]


class ShiftUnit(wiring.Component):
    """Controller, a tile per superlane, and the lane shifter; its clock stops while it is idle.

    An ordinary submodule, not to be placed. A word issued in cycle t reads in t + 1 and drives in t + S + 2; one
    word per cycle.

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
    driver : stream_driver of 1 stream, array of S
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
                "driver": Out(stream_driver(config, 1)).array(rows),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        m.submodules.controller = controller = ShiftController(config=config)
        m.d.comb += [
            controller.start.eq(self.start),
            controller.issue_valid.eq(self.queue.issue_valid),
            controller.issue_word.eq(self.queue.issue_word),
            self.queue.element.eq(controller.element),
            self.queue.reads.eq(controller.reads),
        ]

        # From the micro-op of tile 0 to the driver of the top tile.
        m.submodules.gate = gate = ActivityGate(linger=2 * config.superlanes + 1)
        m.d.comb += [gate.busy.eq(controller.op.valid), gate.flush.eq(self.start)]
        clock = {"clk": gate.clock, "rst": gate.reset}
        m.submodules.shifter = place(shifter := Shifter(config=config), **clock)
        op = controller.op
        tiles = []
        for row in range(config.superlanes):
            m.submodules[f"tile{row}"] = place(
                tile := ShiftTile(config=config), **clock, op_in=op, east=self.east[row], west=self.west[row]
            )
            op = tile.op
            tiles.append(tile)
            driver = self.driver[row]
            m.d.comb += [
                driver.mask.eq(shifter.mask[row]),
                driver.direction.eq(shifter.direction[row]),
                driver.group.eq(shifter.stream.word_select(row, len(driver.group))),
                driver.data.eq(shifter.data.word_select(row, config.lanes * 8)),
            ]
        m.d.comb += [
            shifter.op.eq(op),
            shifter.valid.eq(Cat(tile.op.valid for tile in tiles)),
            shifter.src.eq(Cat(tile.src for tile in tiles)),
            shifter.low.eq(Cat(tile.low for tile in tiles)),
            self.queue.drives.eq(driven(self.driver[0], config.streams)),
        ]
        return m
