"""The tile of a MEM column."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.ecc.reader import ecc_ports
from hdl.mem.micro_op import address_bits, slice_ops
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
    op_in, op_out : slices_per_hop * slice_ops
        Micro-ops of each slice, see `hdl.mem.micro_op.slice_ops`, and the same one cycle later.
    indexed_clk, indexed_rst : in
        See `hdl.mem.indexed_clock`.
    host_en : in slices_per_hop
        The host accesses this slice, see `hdl.mem.slice_tile.MemSliceTile`.
    host_we, host_addr, host_data : in
    host_read : out stream_bits
        Of the slice that was read; 0 in other cycles.
    corrected, uncorrectable : out slices_per_hop
        With ECC: of each slice, see `hdl.ecc.reader.ecc_ports`.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        word, bus = config.stream_bits, config.stream_bits * config.streams
        ops = config.slices_per_hop * slice_ops(config).size
        super().__init__(
            {
                "east_in": In(bus),
                "west_in": In(bus),
                "east_out": Out(bus),
                "west_out": Out(bus),
                "op_in": In(ops),
                "op_out": Out(ops),
                "indexed_clk": In(1),
                "indexed_rst": In(1),
                "host_en": In(config.slices_per_hop),
                "host_we": In(1),
                "host_addr": In(address_bits(config)),
                "host_data": In(word),
                "host_read": Out(word),
                **ecc_ports(config, config.slices_per_hop),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layout = slice_ops(self.config)
        up = []
        slices = [MemSliceTile(config=self.config) for _ in range(self.config.slices_per_hop)]
        drivers = {}
        for index, tile in enumerate(slices):
            ops = Signal(layout, name=f"ops_{index}", reset_less=True)
            m.d.comb += ops.eq(self.op_in.word_select(index, layout.size))
            up.append(Cat(getattr(tile, f"{name}_op_up") for name in layout.members))
            m.submodules[f"slice_{index}"] = place(
                tile,
                **{f"{name}_op": ops[name] for name in layout.members},
                indexed_clk=self.indexed_clk,
                indexed_rst=self.indexed_rst,
                east=self.east_out,
                west=self.west_out,
                host_en=self.host_en[index],
                host_we=self.host_we,
                host_addr=self.host_addr,
                host_data=self.host_data,
            )
            for part in ("mask", "direction", "group", "data"):
                drivers[f"{part}{index}"] = getattr(tile, f"drive_{part}")
        # Words of MEM carry their check bits already, and go onto streams unchanged.
        hop = StreamHop(config=self.config, drivers=(1,) * len(slices), coded=True)
        m.submodules.hop = place(
            hop,
            east_in=self.east_in,
            west_in=self.west_in,
            east_out=self.east_out,
            west_out=self.west_out,
            **drivers,
        )
        m.d.comb += [
            self.op_out.eq(Cat(up)),
            self.host_read.eq(reduce(or_, (tile.host_read for tile in slices))),
            *(getattr(self, name).eq(Cat(getattr(tile, name) for tile in slices)) for name in ecc_ports(self.config)),
        ]
        return m
