"""A column of MEM slices."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.host import REGION_SHIFT, SLICE_SHIFT, TILE_SHIFT
from hdl.column.column import Column
from hdl.column.mem_tile import MemTile
from hdl.mem.controller import MEM_ELEMENTS, MemController
from hdl.mem.indexed_clock import indexed_clock
from hdl.mem.micro_op import address_bits, slice_ops
from hdl.shared import place

__all__ = ["MemColumn"]


class MemColumn(Column):
    """The `slices_per_hop` MEM slices of one position; the queue number of a slice is its chip-wide number.

    Attributes
    ----------
    mem_en, mem_we, mem_slice, mem_tile, mem_addr, mem_data : in
        Host's access to MEM, see `hdl.host.port`.
    host_en : out slices_per_hop
        It is for this slice.
    op : out slices_per_hop * slice_ops
        Micro-ops of tile 0.
    indexed_clk, indexed_rst : out
        See `hdl.mem.indexed_clock`.
    reads : list of Signal
        What each tile in the chip gives the host; 0 unless it is read.
    """

    classes = MEM_ELEMENTS

    def __init__(self, *, config: Config, position: int) -> None:
        super().__init__(config=config, position=position)
        self.reads: list[Signal] = []
        self._tiles: list[MemTile] = []
        self._op: Value = self.op

    def own_ports(self) -> Mapping[str, wiring.Member]:
        """See `Column.own_ports`."""
        slices = self.config.slices_per_hop
        return {
            "mem_en": In(1),
            "mem_we": In(1),
            "mem_slice": In(REGION_SHIFT - SLICE_SHIFT),
            "mem_tile": In(SLICE_SHIFT - TILE_SHIFT),
            "mem_addr": In(TILE_SHIFT),
            "mem_data": In(self.config.stream_bits),
            "host_en": Out(slices),
            "op": Out(slices * slice_ops(self.config).size),
            "indexed_clk": Out(1),
            "indexed_rst": Out(1),
        }

    def build_units(self, m: Module, controllers: Sequence[Any]) -> None:
        """See `Column.build_units`."""
        mine = [MemController(config=self.config) for _ in controllers]
        for index, (port, controller) in enumerate(zip(controllers, mine, strict=True)):
            m.submodules[f"controller_{index}"] = place(
                controller,
                start=self.start,
                issue_valid=port.issue_valid,
                issue_word=port.issue_word,
                issue_span=port.issue_span,
                pending=port.pending,
                busy_fault=port.busy_fault,
                bank_conflict_fault=port.bank_conflict_fault,
                reads=port.reads,
                drives=port.drives,
                indexed_clk=self.indexed_clk,
                indexed_rst=self.indexed_rst,
            )
        # One gated clock for all slices of a position: GATHER and SCATTER are rare, and a gate per slice would cost
        # more than it saves.
        clock, reset = indexed_clock(
            m, self.config, start=self.start, busy=(controller.indexed_busy for controller in mine)
        )
        m.d.comb += [
            self.op.eq(Cat(Cat(getattr(one, f"{name}_op") for name in slice_ops(self.config).members) for one in mine)),
            self.indexed_clk.eq(clock),
            self.indexed_rst.eq(reset),
            self.elements.eq(reduce(or_, (controller.elements for controller in mine))),
            self.host_en.eq(Cat(self.mem_en & (self.mem_slice == unit.id) for unit in self.units)),
        ]

    def add_tile(self, m: Module, row: int, streams: Mapping[str, Signal]) -> None:
        """See `Column.add_tile`."""
        tile = MemTile(config=self.config)
        m.submodules[self.tile_name(row)] = place(
            tile,
            **streams,
            op_in=self._op,
            indexed_clk=self.indexed_clk,
            indexed_rst=self.indexed_rst,
            host_en=self.host_en & (self.mem_tile == row).replicate(len(self.host_en)),
            host_we=self.mem_we,
            host_addr=self.mem_addr[: address_bits(self.config)],
            host_data=self.mem_data,
        )
        self._op = tile.op_out
        self.reads.append(tile.host_read)
        self._tiles.append(tile)

    def ecc_reports(self, name: str, index: int) -> Value:
        """See `Column.ecc_reports`."""
        return Cat(getattr(tile, name)[index] for tile in self._tiles)
