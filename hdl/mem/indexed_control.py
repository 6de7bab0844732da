"""The accesses of GATHER and SCATTER in one MEM slice, cycle by cycle."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.isa.mem_rows import gather_accesses, scatter_accesses
from hdl.mem.micro_op import indexed_op
from hdl.mem.sequencer import LaneSequencer

__all__ = ["IndexedControl"]


class IndexedControl(wiring.Component):
    """Turns the micro-ops that read indices into those of every lane that follow.

    Place it on the clock of `hdl.mem.indexed_tile.IndexedTile`, so that it costs nothing without GATHER and SCATTER.

    Parameters
    ----------
    config : Config

    Attributes
    ----------
    gather_in, scatter_in : In(indexed_op)
        From the engines, with the fields of the burst; of what happens only ``take``.
    gather, scatter : Out(indexed_op)
        For tile 0: the same with ``read``, ``write`` and ``lane``.
    sharing : Out(2)
        GATHER, SCATTER: the bank at the micro-op's address is in use.
    occupied : Out(2)
        GATHER, SCATTER: no other burst may issue in this cycle (nor in one of ``take``).
    drive_valid, drive_direction, drive_stream : Out
        The gathered vector is at the driver of tile 0.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        layout = indexed_op(config)
        super().__init__(
            {
                "gather_in": In(layout),
                "scatter_in": In(layout),
                "gather": Out(layout),
                "scatter": Out(layout),
                "sharing": Out(2),
                "occupied": Out(2),
                "drive_valid": Out(1),
                "drive_direction": Out(1),
                "drive_stream": Out(range(config.streams)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        lanes = config.lanes
        m.submodules.gatherer = gatherer = LaneSequencer(lanes=lanes, share=gather_accesses(config) // lanes)
        m.submodules.scatterer = scatterer = LaneSequencer(lanes=lanes, share=scatter_accesses(config) // lanes)
        for name, sequencer, writes in (("gather", gatherer, 0), ("scatter", scatterer, scatterer.last)):
            op = getattr(self, f"{name}_in")
            m.d.comb += [
                sequencer.element.eq(op.take),
                getattr(self, name).eq(op),
                getattr(self, name).read.eq(sequencer.first),
                getattr(self, name).write.eq(writes),
                getattr(self, name).lane.eq(sequencer.lane),
            ]
        was_gathering = Signal()
        # A cycle longer than the accesses: a READ in it would drive the stream register in the cycle of the gathered
        # vector.
        m.d.sync += was_gathering.eq(gatherer.active)
        m.d.comb += [
            self.sharing.eq(Cat(gatherer.active, scatterer.active)),
            self.occupied.eq(Cat(gatherer.active | was_gathering, scatterer.active)),
        ]

        # From the last lane's access: SRAM, decoder, vector.
        valid = gatherer.active & (gatherer.lane == lanes - 1)
        direction, stream = self.gather.direction, self.gather.stream
        for cycle in range(config.sram_latency + 2):
            values = {"valid": valid, "direction": direction, "stream": stream}
            later = {name: Signal(len(value), name=f"s{cycle + 1}_{name}") for name, value in values.items()}
            m.d.sync += [later[name].eq(value) for name, value in values.items()]
            valid, direction, stream = later.values()
        m.d.comb += [
            self.drive_valid.eq(valid),
            self.drive_direction.eq(direction),
            self.drive_stream.eq(stream),
        ]
        return m
