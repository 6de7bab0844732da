"""A column of MEM slices."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Cat, Module, Signal

from hdl.column.column import Column
from hdl.mem.controller import MemController
from hdl.mem.slice_tile import MemSliceTile
from hdl.shared import place
from hdl.stream_driver import stream_driver

__all__ = ["MemColumn"]


class MemColumn(Column):
    """The `slices_per_hop` MEM slices of one position; the queue number of a slice is its chip-wide number."""

    classes = ("READ", "WRITE")

    def build_units(self, m: Module, controllers: Sequence[Any]) -> list[list[Any]]:
        """See `Column.build_units`."""
        rows = range(self.config.superlanes)
        drivers: list[list[Any]] = [[] for _ in rows]
        host_reads = []
        reading, writing = [], []
        for index, port in enumerate(controllers):
            controller = MemController(config=self.config)
            m.submodules[f"controller_{index}"] = place(
                controller,
                start=self.start,
                issue_valid=port.issue_valid,
                issue_word=port.issue_word,
                pending=port.pending,
                busy_fault=port.busy_fault,
                bank_conflict_fault=port.bank_conflict_fault,
                reads=port.reads,
                drives=port.drives,
            )
            reading.append(controller.element_read)
            writing.append(controller.element_write)
            read_op, write_op = controller.read_op, controller.write_op
            for row in rows:
                tile = MemSliceTile(config=self.config)
                driver = stream_driver(self.config, 1).create(path=(f"slice_{index}_row_{row}",))
                chosen = Signal(name=f"host_en_{index}_{row}")
                m.d.comb += chosen.eq(
                    self.mem_en & (self.mem_slice == self.units[index].id) & (self.mem_tile == row)
                )
                m.submodules[f"slice_{index}_tile_{row}"] = place(
                    tile,
                    read_op=read_op,
                    write_op=write_op,
                    east=self.east_out[row],
                    west=self.west_out[row],
                    drive_mask=driver.mask,
                    drive_direction=driver.direction,
                    drive_group=driver.group,
                    drive_data=driver.data,
                    host_en=chosen,
                    host_we=self.mem_we,
                    host_addr=self.mem_addr[: len(tile.host_addr)],
                    host_data=self.mem_data,
                )
                read_op, write_op = tile.read_op_up, tile.write_op_up
                drivers[row].append(driver)
                host_reads.append(tile.host_read)
        m.d.comb += [
            self.elements.eq(Cat(Cat(reading).any(), Cat(writing).any())),
            self.mem_read.eq(reduce(or_, host_reads)),
        ]
        return drivers
