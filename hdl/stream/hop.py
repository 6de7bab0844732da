"""The stream registers of one superlane at one position."""

from functools import reduce
from operator import or_

from amaranth.hdl import C, Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.ecc.encode import encode_words
from hdl.stream.group import group_bits

__all__ = ["StreamHop"]

_DRIVERS_PER_STAGE = 4


class StreamHop(wiring.Component):
    """Stream registers of one superlane at one position, both directions.

    Latency: one cycle from `east_in`, `west_in` and the drivers to `east_out` and `west_out`.

    Parameters
    ----------
    config : Config
    drivers : tuple of int
        Streams that each driver of the position drives at once: 1, 4 or `lanes`.
    coded : bool
        The drivers' data have their check bits (words of MEM); else, with ECC, they are made here.

    Attributes
    ----------
    east_in, west_in : In(streams * stream_bits)
        Registers of the western (for east) and eastern (for west) neighbour; stream 0 and in it lane 0 lowest.
    mask0, mask1, ... : In(width)
        Which streams of its group driver i drives in this cycle; 0 when it is idle.
    direction0, ... : In(1)
        0 east, 1 west.
    group0, ... : In(group_bits(config.streams, width))
        Number of the aligned group of `width` streams.
    data0, ... : In(width * lanes * 8), or In(width * stream_bits) if `coded`
        The group's lowest stream lowest; streams that the mask leaves out are ignored.
    east_out, west_out : Out(streams * stream_bits)
        The registers. Two drivers of one stream are an error that `hdl.checks` reports; which wins is undefined.
    """

    def __init__(self, *, config: Config, drivers: tuple[int, ...], coded: bool = False) -> None:
        self.config = config
        self.drivers = drivers
        self.coded = coded
        bits = config.stream_bits if coded else 8 * config.lanes
        bundle = config.streams * config.stream_bits
        ports = {"east_in": In(bundle), "west_in": In(bundle), "east_out": Out(bundle), "west_out": Out(bundle)}
        for i, width in enumerate(drivers):
            ports[f"mask{i}"] = In(width)
            ports[f"direction{i}"] = In(1)
            ports[f"group{i}"] = In(group_bits(config.streams, width))
            ports[f"data{i}"] = In(width * bits)
        super().__init__(ports)

    def shared_name(self) -> str:
        """Name of the module: lanes, streams, the drivers' widths, and where check bits come from."""
        widths = "_".join(map(str, self.drivers)) or "none"
        code = ("_coded" if self.coded else "_ecc") if self.config.ecc else ""
        return f"StreamHop_lanes{self.config.lanes}_streams{self.config.streams}_drivers_{widths}{code}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits = self.config.stream_bits
        selects = [self._selects(m, i) for i in range(len(self.drivers))]
        self._words = [getattr(self, f"data{i}") for i in range(len(self.drivers))]
        if not self.coded:
            self._words = [encode_words(m, self.config, f"driver{i}", data) for i, data in enumerate(self._words)]
        for side, arriving, register in (
            (0, self.east_in, self.east_out),
            (1, self.west_in, self.west_out),
        ):
            value: Value = arriving
            # A named stage for every few drivers: simulators evaluate one deep expression far more slowly.
            for first in range(0, len(self.drivers), _DRIVERS_PER_STAGE):
                stage = range(len(self.drivers))[first : first + _DRIVERS_PER_STAGE]
                taken = Signal(self.config.streams, name=f"taken{side}_{first}")
                m.d.comb += taken.eq(reduce(or_, (selects[i][side] for i in stage)))
                merged = Signal(len(arriving), name=f"merged{side}_{first}")
                m.d.comb += merged.eq(
                    Cat(
                        Mux(taken[s], self._driven(selects, stage, side, s), value.word_select(s, bits))
                        for s in range(self.config.streams)
                    )
                )
                value = merged
            held = Signal(len(arriving), name=("east", "west")[side], reset_less=True)
            # No reset and no enable: what a register holds where no value is means nothing, and `hdl.checks` knows
            # where that is.
            m.d.sync += held.eq(value)
            m.d.comb += register.eq(held)
        return m

    def _selects(self, m: Module, driver: int) -> tuple[Value, Value]:
        """Return the streams that a driver loads, east and west."""
        streams, width = self.config.streams, self.drivers[driver]
        groups = group_bits(self.config.streams, width)
        mask, group = getattr(self, f"mask{driver}"), getattr(self, f"group{driver}")
        west = getattr(self, f"direction{driver}")
        spread = Signal(width << groups, name=f"spread{driver}")
        # A driver loads an aligned group only; so the shift has few places, instead of one per stream.
        m.d.comb += spread.eq(mask << Cat(C(0, width.bit_length() - 1), group))
        found = []
        for side in range(2):
            select = Signal(streams, name=f"select{driver}_{side}")
            m.d.comb += select.eq(Mux(west == side, spread, 0))
            found.append(select)
        return found[0], found[1]

    def _driven(self, selects: list[tuple[Value, Value]], stage: range, side: int, stream: int) -> Value:
        """Return the data for a stream that one of a stage's drivers loads."""
        value: Value | None = None
        # At most one of them drives a stream in a legal program; in any other the result is undefined, so the order is
        # free.
        for i in reversed(stage):
            data = self._words[i].word_select(stream % self.drivers[i], self.config.stream_bits)
            value = data if value is None else Mux(selects[i][side][stream], data, value)
        assert value is not None
        return value
