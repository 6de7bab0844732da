"""The tile of a MEM column."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.mem.micro_op import access_op, address_bits
from hdl.mem.slice_tile import MemSliceTile
from hdl.shared import place
from hdl.stream.hop import StreamHop

__all__ = ["MemTile"]


class MemTile(wiring.Component):
    """One superlane of the MEM slices that share a position, and its stream registers.

    Of a port with a part per slice, slice 0 has the lowest bits.

    Parameters
    ----------
    config

    Attributes
    ----------
    east_in, west_in, east_out, west_out
        See `hdl.stream.hop.StreamHop`.
    op_in, op_out : slices_per_hop * 2 * access_op
        Read and write micro-op of each slice, and the same one cycle later.
    host_en : in slices_per_hop
        The host accesses this slice, see `hdl.mem.slice_tile.MemSliceTile`.
    host_we, host_addr, host_data : in
    host_read : out lanes * 8
        Of the slice that was read; 0 in other cycles.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        word, bus = 8 * config.lanes, 8 * config.lanes * config.streams
        ops = config.slices_per_hop * 2 * access_op(config).size
        super().__init__(
            {
                "east_in": In(bus),
                "west_in": In(bus),
                "east_out": Out(bus),
                "west_out": Out(bus),
                "op_in": In(ops),
                "op_out": Out(ops),
                "host_en": In(config.slices_per_hop),
                "host_we": In(1),
                "host_addr": In(address_bits(config)),
                "host_data": In(word),
                "host_read": Out(word),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layout = access_op(self.config)
        slices = [MemSliceTile(config=self.config) for _ in range(self.config.slices_per_hop)]
        drivers = {}
        for index, tile in enumerate(slices):
            read_op, write_op = (
                Signal(layout, name=f"{name}_op_{index}", reset_less=True) for name in ("read", "write")
            )
            m.d.comb += Cat(read_op, write_op).eq(self.op_in.word_select(index, 2 * layout.size))
            m.submodules[f"slice_{index}"] = place(
                tile,
                read_op=read_op,
                write_op=write_op,
                east=self.east_out,
                west=self.west_out,
                host_en=self.host_en[index],
                host_we=self.host_we,
                host_addr=self.host_addr,
                host_data=self.host_data,
            )
            for part in ("mask", "direction", "group", "data"):
                drivers[f"{part}{index}"] = getattr(tile, f"drive_{part}")
        hop = StreamHop(config=self.config, drivers=(1,) * len(slices))
        m.submodules.hop = place(
            hop,
            east_in=self.east_in,
            west_in=self.west_in,
            east_out=self.east_out,
            west_out=self.west_out,
            **drivers,
        )
        m.d.comb += [
            self.op_out.eq(Cat(Cat(tile.read_op_up, tile.write_op_up) for tile in slices)),
            self.host_read.eq(reduce(or_, (tile.host_read for tile in slices))),
        ]
        return m
