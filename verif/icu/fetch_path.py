"""A fetch port and the tiles above it, as in a column."""

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.isa.instruction import WORD_BITS
from hdl.ecc.reader import ecc_ports
from hdl.icu.fetch_port import FIELD_BITS, FetchPort
from hdl.icu.fetch_tile import FetchTile
from hdl.shared import place

__all__ = ["FetchPath"]


class FetchPath(wiring.Component):
    """The way of text at one position, with the clock gate of its tiles.

    Parameters
    ----------
    config
    queues
        Number of queues at the position.

    Attributes
    ----------
    east, west : in superlanes * streams * stream_bits
        Stream registers, superlane 0 lowest.
    others
        See `hdl.icu.fetch_port.FetchPort`.
    """

    def __init__(self, *, config: Config, queues: int) -> None:
        self.config = config
        self.queues = queues
        bus = config.superlanes * config.streams * config.stream_bits
        super().__init__(
            {
                "start": In(1),
                "request": In(queues),
                **{f"fields_{index}": In(FIELD_BITS) for index in range(queues)},
                "east": In(bus),
                "west": In(bus),
                "busy_fault": Out(queues),
                "element": Out(1),
                "reads": Out(queues * 2 * config.streams),
                "push": Out(queues),
                "push_word": Out(WORD_BITS),
                **ecc_ports(config, queues * config.superlanes),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        port = FetchPort(config=config, queues=self.queues)
        inputs = ["start", "request", *(f"fields_{index}" for index in range(self.queues))]
        outputs = ["busy_fault", "element", "reads", "push", "push_word", *ecc_ports(config)]
        m.submodules.port = place(port, **{name: getattr(self, name) for name in (*inputs, *outputs)})
        clock = Signal()
        m.submodules.gate = Instance(
            "takt_clock_gate",
            i_clk=ClockSignal(),
            i_en=port.under_way | self.start | ResetSignal(),
            o_gclk=clock,
        )
        tiles = [FetchTile(config=config) for _ in range(config.superlanes)]
        bus = config.streams * config.stream_bits
        for row, tile in enumerate(tiles):
            m.submodules[f"tile_{row}"] = place(
                tile,
                clk=clock,
                rst=ResetSignal() | self.start,
                east=self.east.word_select(row, bus),
                west=self.west.word_select(row, bus),
                op_in=tiles[row - 1].op_out if row else port.op,
                down_in=tiles[row + 1].down_out if row + 1 < len(tiles) else Const(0, 8 * config.lanes),
            )
        m.d.comb += port.portion.eq(tiles[0].down_out)
        for name in ecc_ports(config):
            m.d.comb += getattr(port, f"tile_{name}").eq(Cat(getattr(tile, name) for tile in tiles))
        return m
