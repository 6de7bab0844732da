"""One superlane of a MEM slice."""

from amaranth.hdl import ClockSignal, Instance, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.mem.micro_op import access_op, address_bits
from hdl.stream.select import select_stream

__all__ = ["MemSliceTile"]


class MemSliceTile(wiring.Component):
    """Two single-port banks of `mem_depth` words of `lanes` bytes; a read and a write per cycle, in different banks.

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
        The same one cycle later.
    east, west : In(streams * lanes * 8)
        The position's stream registers.
    drive_mask, drive_direction, drive_group : Out
        Driver of one stream (see `hdl.stream.hop`) for the word that was read.
    drive_data : Out(lanes * 8)
    host_en, host_we, host_addr, host_data : In
        An access of this tile by the host, while the machine is stopped.
    host_read : Out(lanes * 8)
        The word that the host reads, `sram_latency` cycles after `host_en`; 0 in cycles without one.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        layout = access_op(config)
        word, bus = 8 * config.lanes, 8 * config.lanes * config.streams
        super().__init__(
            {
                "read_op": In(layout),
                "write_op": In(layout),
                "read_op_up": Out(layout),
                "write_op_up": Out(layout),
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
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        read, write = self.read_op, self.write_op
        for below, above in ((read, self.read_op_up), (write, self.write_op_up)):
            m.d.sync += above.valid.eq(below.valid)
            with m.If(below.valid):
                m.d.sync += above.eq(below)

        # Cycle c: the access.
        stored = Signal(8 * config.lanes)
        operand = select_stream(
            m, config, self.east, self.west, en=write.valid, direction=write.direction, stream=write.stream
        )
        m.d.comb += stored.eq(Mux(self.host_en, self.host_data, operand))
        words = []
        for bank in range(2):
            reading, writing, hosting = (Signal(name=f"{name}{bank}") for name in ("reading", "writing", "hosting"))
            loaded = Signal(8 * config.lanes, name=f"loaded{bank}")
            m.d.comb += [
                reading.eq(read.valid & (read.addr[-1] == bank)),
                writing.eq(write.valid & (write.addr[-1] == bank)),
                hosting.eq(self.host_en & (self.host_addr[-1] == bank)),
            ]
            m.submodules[f"bank{bank}"] = Instance(
                "takt_sram",
                p_WIDTH=8 * config.lanes,
                p_DEPTH=config.mem_depth,
                p_LATENCY=config.sram_latency,
                i_clk=ClockSignal(),
                i_en=reading | writing | hosting,
                i_we=writing | (hosting & self.host_we),
                i_addr=Mux(hosting, self.host_addr, Mux(writing, write.addr, read.addr))[:-1],
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
            with m.If(valid | hosted):
                m.d.sync += [later[2].eq(bank), later[3].eq(direction), later[4].eq(stream)]
            valid, hosted, bank, direction, stream = later
        m.d.comb += [
            self.drive_mask.eq(valid),
            self.drive_direction.eq(direction),
            self.drive_group.eq(stream),
            self.drive_data.eq(Mux(bank, words[1], words[0])),
            self.host_read.eq(Mux(hosted, self.drive_data, 0)),
        ]
        return m
