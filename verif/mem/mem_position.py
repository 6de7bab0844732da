"""The MEM slices of one position, without queues and stream registers."""

from functools import reduce
from operator import or_

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.controller_port import controller_port
from hdl.ecc.reader import ecc_ports
from hdl.mem.controller import MemController
from hdl.mem.indexed_clock import indexed_clock
from hdl.mem.micro_op import address_bits
from hdl.mem.slice_tile import MemSliceTile
from hdl.shared import place
from hdl.stream_driver import stream_driver

__all__ = ["MemPosition"]

_OPS = ("read", "write", "gather", "scatter")


class MemPosition(wiring.Component):
    """Controllers and tiles of `slices_per_hop` slices, as `verif.position_bench` wants them.

    Parameters
    ----------
    config : Config

    Attributes
    ----------
    start, queues, east, west, driver0, driver1, ...
        As those of a unit with arrays by superlane.
    host_en : In(slices_per_hop * superlanes)
        Slice by slice, superlane 0 first.
    host_we, host_addr, host_data, host_read
        See `hdl.mem.slice_tile.MemSliceTile`.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        rows, slices = config.superlanes, config.slices_per_hop
        word, bus = config.stream_bits, config.stream_bits * config.streams
        super().__init__(
            {
                "start": In(1),
                "queues": Out(controller_port(config)).array(slices),
                "east": In(bus).array(rows),
                "west": In(bus).array(rows),
                **{f"driver{i}": Out(stream_driver(config, 1, coded=True)).array(rows) for i in range(slices)},
                "host_en": In(slices * rows),
                "host_we": In(1),
                "host_addr": In(address_bits(config)),
                "host_data": In(word),
                "host_read": Out(word),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows = self.config.superlanes
        words = []
        controllers = [MemController(config=self.config) for _ in self.queues]
        busy = (controller.indexed_busy for controller in controllers)
        clock, reset = indexed_clock(m, self.config, start=self.start, busy=busy)
        for index, (queue, controller) in enumerate(zip(self.queues, controllers, strict=True)):
            m.submodules[f"controller{index}"] = place(controller, indexed_clk=clock, indexed_rst=reset)
            m.d.comb += [
                controller.start.eq(self.start),
                controller.issue_valid.eq(queue.issue_valid),
                controller.issue_word.eq(queue.issue_word),
                controller.issue_span.eq(queue.issue_span),
                queue.element.eq(controller.elements.any()),
                queue.pending.eq(controller.pending),
                queue.busy_fault.eq(controller.busy_fault),
                queue.bank_conflict_fault.eq(controller.bank_conflict_fault),
                queue.reads.eq(controller.reads),
                queue.drives.eq(controller.drives),
            ]
            ops = [getattr(controller, f"{name}_op") for name in _OPS]
            for row in range(rows):
                tile = MemSliceTile(config=self.config)
                m.submodules[f"tile{index}_{row}"] = place(tile)
                driver = getattr(self, f"driver{index}")[row]
                m.d.comb += [
                    *(getattr(tile, f"{name}_op").eq(op) for name, op in zip(_OPS, ops, strict=True)),
                    tile.indexed_clk.eq(clock),
                    tile.indexed_rst.eq(reset),
                    *(getattr(queue, name)[row].eq(getattr(tile, name)) for name in ecc_ports(self.config)),
                    tile.east.eq(self.east[row]),
                    tile.west.eq(self.west[row]),
                    tile.host_en.eq(self.host_en[rows * index + row]),
                    tile.host_we.eq(self.host_we),
                    tile.host_addr.eq(self.host_addr),
                    tile.host_data.eq(self.host_data),
                    *(
                        getattr(driver, part).eq(getattr(tile, f"drive_{part}"))
                        for part in ("mask", "direction", "group", "data")
                    ),
                ]
                ops = [getattr(tile, f"{name}_op_up") for name in _OPS]
                words.append(tile.host_read)
        m.d.comb += self.host_read.eq(reduce(or_, words))
        return m
