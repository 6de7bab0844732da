"""GATHER and SCATTER in one superlane of a MEM slice."""

from typing import Any

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.ecc.encode import encode_words
from hdl.ecc.reader import EccReader, ecc_ports
from hdl.mem.micro_op import address_bits, indexed_op
from hdl.stream.take import take_streams

__all__ = ["IndexedTile"]


class IndexedTile(wiring.Component):
    """Holds indices and data, makes one access per lane, and puts a gathered vector together.

    Place it on a clock that runs from the first micro-op until `REPORT_DELAY` cycles after the last one.

    A `gather_op` or `scatter_op` that takes in cycle c has its indices from cycle ``c + 1`` on; one that reads or
    writes in c accesses its bank in c. The vector is at the driver ``sram_latency + 2`` cycles after
    its last lane's access. Words that were read go into a register first, so that decoders are on the gated clock, too.

    Parameters
    ----------
    config : Config

    Attributes
    ----------
    gather_op, scatter_op : In(indexed_op)
        Of this tile.
    gather_op_up, scatter_op_up : Out(indexed_op)
        The same one cycle later, unless the tile above is off.
    east, west : In
        The position's stream registers.
    loaded0, loaded1 : In(stream_bits)
        What the banks read, `sram_latency` cycles after the access.
    gather_en, gather_addr : Out
        A read of this cycle.
    scatter_en, scatter_we, scatter_addr, scatter_word : Out
        A read, or the write of `scatter_word`, of this cycle.
    drive_mask, drive_direction, drive_group, drive_data : Out
        Driver of one stream with its check bits, see `hdl.stream.hop`.
    corrected, uncorrectable : Out(1)
        See `hdl.ecc.reader.ecc_ports`.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        layout, word, addr = indexed_op(config), config.stream_bits, address_bits(config)
        super().__init__(
            {
                "gather_op": In(layout),
                "scatter_op": In(layout),
                "gather_op_up": Out(layout),
                "scatter_op_up": Out(layout),
                "east": In(config.streams * word),
                "west": In(config.streams * word),
                "loaded0": In(word),
                "loaded1": In(word),
                "gather_en": Out(1),
                "gather_addr": Out(addr),
                "scatter_en": Out(1),
                "scatter_we": Out(1),
                "scatter_addr": Out(addr),
                "scatter_word": Out(word),
                "drive_mask": Out(1),
                "drive_direction": Out(1),
                "drive_group": Out(range(config.streams)),
                "drive_data": Out(word),
                **ecc_ports(config),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for below, above in ((self.gather_op, self.gather_op_up), (self.scatter_op, self.scatter_op_up)):
            # A superlane that is off does not act; the micro-op still climbs, so that no timing depends on CONFIG.
            goes_on = below.span > 1
            m.d.sync += [above.eq(below), above.span.eq(below.span - 1)]
            m.d.sync += [getattr(above, act).eq(getattr(below, act) & goes_on) for act in ("take", "read", "write")]
        ecc = EccReader(m, self.config)
        self._gather(m, ecc)
        self._scatter(m, ecc)
        ecc.report(self)
        return m

    def _gather(self, m: Module, ecc: EccReader) -> None:
        config, op = self.config, self.gather_op
        m.d.comb += [self.gather_en.eq(op.read), self.gather_addr.eq(self._address(m, ecc, "gather", op, op.read))]

        # Cycle c + sram_latency: the lane's word comes out of the SRAM; one later it is in a register.
        read, last, lane, bank = op.read, op.lane == config.lanes - 1, op.lane, op.addr[-1]
        direction, stream = op.direction, op.stream
        for cycle in range(config.sram_latency + 1):
            if cycle == config.sram_latency:
                word = self._capture(m, "gathered", read, bank)
            values = {"read": read, "last": last, "lane": lane, "bank": bank}
            values |= {"direction": direction, "stream": stream}
            later = {name: Signal(len(value), name=f"s{cycle + 1}_{name}") for name, value in values.items()}
            m.d.sync += [later[name].eq(value) for name, value in values.items()]
            read, last, lane, bank, direction, stream = later.values()
        data = ecc.read(word, after=config.sram_latency + 1, when=read)
        byte = self._byte(m, "gathered", data, lane, read)
        vector = Signal(8 * config.lanes, reset_less=True)
        m.d.sync += self.drive_mask.eq(read & last)
        with m.If(read):
            m.d.sync += [
                # Lanes come in their order, lane 0 first: a shift register puts each in its place without an index.
                vector.eq(Cat(vector[8:], byte)),
                self.drive_direction.eq(direction),
                self.drive_group.eq(stream),
            ]
        m.d.comb += self.drive_data.eq(encode_words(m, config, "gathered", vector))

    def _scatter(self, m: Module, ecc: EccReader) -> None:
        config, op = self.config, self.scatter_op
        data = take_streams(
            m, config, "data", self.east, self.west, en=op.take, direction=op.direction, group=op.stream, size=1
        )
        m.d.comb += [
            self.scatter_en.eq(op.read | op.write),
            self.scatter_we.eq(op.write),
            self.scatter_addr.eq(self._address(m, ecc, "scatter", op, op.read | op.write)),
        ]
        taken = Signal(name="scatter_taken")
        m.d.sync += taken.eq(op.take)
        byte = self._byte(m, "scattered", ecc.read(data, after=1, when=taken), op.lane, op.write)
        # The word is there in the last cycle but one of the lane's share, in a register in the last, and written back.
        read = op.read
        for cycle in range(config.sram_latency):
            later = Signal(name=f"scatter_read_{cycle + 1}")
            m.d.sync += later.eq(read)
            read = later
        word = self._capture(m, "scattered", read, op.addr[-1])
        old = ecc.read(word, after=config.sram_latency + 1, when=op.write)
        new = Signal(8 * config.lanes)
        m.d.comb += [
            new.eq(Cat(Mux(op.lane == lane, byte, old[8 * lane : 8 * lane + 8]) for lane in range(config.lanes))),
            self.scatter_word.eq(encode_words(m, config, "scattered", new)),
        ]

    def _capture(self, m: Module, name: str, en: Value, bank: Value) -> Signal:
        """Return a register that takes the word that a bank has read."""
        word = Signal(self.config.stream_bits, name=f"{name}_word")
        m.submodules[f"capture_{name}"] = Instance(
            "takt_take",
            p_WIDTH=self.config.stream_bits,
            p_COUNT=1,
            i_clk=ClockSignal(),
            i_en=en,
            # The two banks stand for the two directions of `takt_take`: it is the same choice.
            i_direction=bank,
            i_index=Const(0, 1),
            i_east=self.loaded0,
            i_west=self.loaded1,
            o_word=word,
        )
        return word

    def _address(self, m: Module, ecc: EccReader, name: str, op: Any, en: Value) -> Value:
        """Return the address of an access: the base plus the lane's index, in the base's bank."""
        config = self.config
        indices: Value = take_streams(
            m,
            config,
            f"{name}_map",
            self.east,
            self.west,
            en=op.take,
            direction=op.map_direction,
            group=op.map_group,
            size=2,
        )
        taken = Signal(name=f"{name}_map_taken")
        m.d.sync += taken.eq(op.take)
        indices = ecc.read(indices, after=1, when=taken)
        low, high = (indices.word_select(half, 8 * config.lanes) for half in range(2))
        index = Cat(
            *(self._byte(m, f"{name}_{part}", word, op.lane, en) for part, word in (("low", low), ("high", high)))
        )
        place = Signal(address_bits(config) - 1, name=f"{name}_place")
        # Without the bank's bit: an index wraps within its bank.
        m.d.comb += place.eq(op.addr[:-1] + index)
        return Cat(place, op.addr[-1])

    def _byte(self, m: Module, name: str, word: Value, lane: Value, en: Value) -> Signal:
        """Return one lane of a word; 0 without `en`."""
        byte = Signal(8, name=f"{name}_byte")
        m.submodules[f"{name}_select"] = Instance(
            "takt_select",
            p_WIDTH=8,
            p_COUNT=self.config.lanes,
            i_en=en,
            i_index=lane,
            i_words=word,
            o_word=byte,
        )
        return byte
