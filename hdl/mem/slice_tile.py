"""One superlane of a MEM slice."""

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.ecc.reader import ecc_ports
from hdl.mem.indexed_tile import IndexedTile
from hdl.mem.micro_op import access_op, address_bits, indexed_op
from hdl.shared import place
from hdl.span import climb
from hdl.stream.select import select_stream

__all__ = ["MemSliceTile"]


class MemSliceTile(wiring.Component):
    """Two single-port banks of `mem_depth` words of `lanes` bytes; a read and a write per cycle, in different banks.

    Words are stored, read and written as they are on streams, check bits included.

    A micro-op that stands at `read_op` or `write_op` in cycle c accesses its bank in cycle c; a word that is read is on
    `drive_data` in cycle ``c + sram_latency``. Micro-ops go on to the tile above one cycle later.

    Parameters
    ----------
    config : Config

    Attributes
    ----------
    read_op, write_op : In(access_op)
        Of this tile.
    read_op_up, write_op_up : Out(access_op)
        The same one cycle later, unless the tile above is off.
    gather_op, scatter_op, gather_op_up, scatter_op_up : indexed_op
        Of `hdl.mem.indexed_tile.IndexedTile`.
    indexed_clk, indexed_rst : In(1)
        See `hdl.mem.indexed_clock`.
    east, west : In(streams * stream_bits)
        The position's stream registers.
    drive_mask, drive_direction, drive_group : Out
        Driver of one stream (see `hdl.stream.hop`) for the word that was read, or the vector gathered.
    drive_data : Out(stream_bits)
    host_en, host_we, host_addr, host_data : In
        An access of this tile by the host, while the machine is stopped.
    host_read : Out(stream_bits)
        The word that the host reads, `sram_latency` cycles after `host_en`; 0 in cycles without one.
    corrected, uncorrectable : Out(1)
        See `hdl.ecc.reader.ecc_ports`.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        layout, indexed = access_op(config), indexed_op(config)
        word, bus = config.stream_bits, config.stream_bits * config.streams
        super().__init__(
            {
                "read_op": In(layout),
                "write_op": In(layout),
                "read_op_up": Out(layout),
                "write_op_up": Out(layout),
                "gather_op": In(indexed),
                "scatter_op": In(indexed),
                "gather_op_up": Out(indexed),
                "scatter_op_up": Out(indexed),
                "indexed_clk": In(1),
                "indexed_rst": In(1),
                "east": In(bus),
                "west": In(bus),
                "drive_mask": Out(1),
                "drive_direction": Out(1),
                "drive_group": Out(range(config.streams)),
                "drive_data": Out(word),
                "host_en": In(1),
                "host_we": In(1),
                "host_addr": In(address_bits(config)),
                "host_data": In(word),
                "host_read": Out(word),
                **ecc_ports(config),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        read, write = self.read_op, self.write_op
        for below, above in ((read, self.read_op_up), (write, self.write_op_up)):
            climb(m, below, above)

        indexed = IndexedTile(config=config)
        m.submodules.indexed_tile = place(
            indexed,
            clk=self.indexed_clk,
            rst=self.indexed_rst,
            gather_op=self.gather_op,
            scatter_op=self.scatter_op,
            gather_op_up=self.gather_op_up,
            scatter_op_up=self.scatter_op_up,
            east=self.east,
            west=self.west,
            **{name: getattr(self, name) for name in ecc_ports(config)},
        )

        # Cycle c: the access.
        stored = Signal(config.stream_bits)
        operand = select_stream(
            m, config, self.east, self.west, en=write.valid, direction=write.direction, stream=write.stream
        )
        # One word to store is enough for two banks: a SCATTER and a WRITE of one slice share the write engine, and the
        # host comes between runs.
        m.d.comb += stored.eq(Mux(self.host_en, self.host_data, Mux(indexed.scatter_we, indexed.scatter_word, operand)))
        accesses = (
            ("reading", read.valid, read.addr, 0),
            ("gathering", indexed.gather_en, indexed.gather_addr, 0),
            ("scattering", indexed.scatter_en, indexed.scatter_addr, indexed.scatter_we),
            ("writing", write.valid, write.addr, 1),
            ("hosting", self.host_en, self.host_addr, self.host_we),
        )
        words = []
        for bank in range(2):
            here, we, addr = [], Const(0, 1), read.addr
            for name, en, place_, writes in accesses:
                # The highest address bit is the bank. Accesses of one bank in one cycle are a fault; which one wins
                # then means nothing.
                mine = Signal(name=f"{name}{bank}")
                m.d.comb += mine.eq(en & (place_[-1] == bank))
                here.append(mine)
                we, addr = we | (mine & writes), Mux(mine, place_, addr)
            loaded = (indexed.loaded0, indexed.loaded1)[bank]
            m.submodules[f"bank{bank}"] = Instance(
                "takt_sram",
                p_WIDTH=config.stream_bits,
                p_DEPTH=config.mem_depth,
                p_LATENCY=config.sram_latency,
                i_clk=ClockSignal(),
                i_en=Cat(here).any(),
                i_we=we,
                i_addr=addr[:-1],
                i_wdata=stored,
                o_rdata=loaded,
            )
            words.append(loaded)

        # Cycle c + sram_latency: the word is there.
        valid, direction, stream = read.valid, read.direction, read.stream
        bank = Mux(self.host_en, self.host_addr[-1], read.addr[-1])
        hosted = self.host_en & ~self.host_we
        for cycle in range(config.sram_latency):
            later = [
                Signal(len(value), name=f"s{cycle + 1}_{name}", reset_less=True)
                for name, value in (
                    ("valid", valid),
                    ("hosted", hosted),
                    ("bank", bank),
                    ("direction", direction),
                    ("stream", stream),
                )
            ]
            m.d.sync += [later[0].eq(valid), later[1].eq(hosted)]
            # The rest toggles with words only: hundreds of slices, most of which rest.
            with m.If(valid | hosted):
                m.d.sync += [later[2].eq(bank), later[3].eq(direction), later[4].eq(stream)]
            valid, hosted, bank, direction, stream = later
        word = Signal(config.stream_bits)
        m.d.comb += [
            # Behind the SRAM's register, so that a choice between two banks is all that the stream register waits for.
            word.eq(Mux(bank, words[1], words[0])),
            self.drive_mask.eq(valid | indexed.drive_mask),
            self.drive_direction.eq(Mux(indexed.drive_mask, indexed.drive_direction, direction)),
            self.drive_group.eq(Mux(indexed.drive_mask, indexed.drive_group, stream)),
            self.drive_data.eq(Mux(indexed.drive_mask, indexed.drive_data, word)),
            self.host_read.eq(Mux(hosted, word, 0)),
        ]
        return m
