"""The chip."""

from functools import reduce
from itertools import pairwise
from operator import or_

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.geometry import UnitKind, positions, units
from arch.host import ADR_BITS
from arch.timing import timing
from hdl.checks.fault_register import FaultRegister
from hdl.column.column import Column
from hdl.column.edge import EdgeColumn
from hdl.column.mem import MemColumn
from hdl.column.mxm import MxmColumn
from hdl.column.sxm import SxmColumn
from hdl.column.vxm import VxmColumn
from hdl.ecc.monitor import MONITOR_DELAY, EccMonitor
from hdl.host.port import HostPort
from hdl.host.run_control import RunControl
from hdl.icu.barrier import Barrier

__all__ = ["Chip"]

_COLUMNS: dict[UnitKind, type[Column]] = {
    UnitKind.MEM: MemColumn,
    UnitKind.VXM: VxmColumn,
    UnitKind.MXM_WEIGHTS: MxmColumn,
    UnitKind.SXM_SHIFT: SxmColumn,
    UnitKind.C2C: EdgeColumn,
}


class Chip(wiring.Component):
    """The whole machine: a row of columns between two edges, and the host's port.

    Parameters
    ----------
    config

    Attributes
    ----------
    cyc, stb, we, adr, dat_w : in; ack, dat_r : out
        Wishbone, see `hdl.host.port.HostPort` and `arch.host`.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        data = 8 * config.lanes
        super().__init__(
            {
                "cyc": In(1),
                "stb": In(1),
                "we": In(1),
                "adr": In(ADR_BITS),
                "dat_w": In(data),
                "ack": Out(1),
                "dat_r": Out(data),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        columns = [self._column(position) for position in range(positions(self.config))]
        for position, column in enumerate(columns):
            m.submodules[f"column_{position}_{type(column).__name__.removesuffix('Column').lower()}"] = column
        self._add_tiles(m, columns)

        mem_columns = [column for column in columns if isinstance(column, MemColumn)]
        mnemonics = sorted({"IFETCH", *(name for column in columns for name in column.classes)})
        table = timing(self.config)
        m.submodules.host = host = HostPort(config=self.config)
        m.submodules.control = control = RunControl(
            config=self.config, retires=tuple(table[name].retire for name in mnemonics)
        )
        m.submodules.barrier = barrier = Barrier(config=self.config)
        m.submodules.fault_register = fault = FaultRegister(
            units=len(units(self.config)), delay=MONITOR_DELAY if self.config.ecc else 0
        )

        for name in ("cyc", "stb", "we", "adr", "dat_w"):
            m.d.comb += getattr(host, name).eq(getattr(self, name))
        m.d.comb += [
            self.ack.eq(host.ack),
            self.dat_r.eq(host.dat_r),
            # With ECC an uncorrectable word of the last cycles is known some cycles after the end: until then a run is
            # neither done nor failed.
            host.busy.eq(control.busy | ~fault.settled),
            host.done.eq(control.done & fault.settled & ~fault.fault),
            host.cycle.eq(control.cycle),
            host.fault.eq(fault.fault),
            host.fault_kind.eq(fault.kind),
            host.fault_unit.eq(fault.unit),
            host.fault_cycle.eq(fault.at),
            host.mem_read.eq(reduce(or_, (reduce(or_, column.reads) for column in mem_columns))),
            control.go.eq(host.go & fault.settled),
            control.fault.eq(fault.fault),
            control.fault_now.eq(fault.found),
            control.closed.eq(Cat(column.closed for column in columns).all()),
            control.pending.eq(Cat(column.pending for column in columns).any()),
            barrier.start.eq(control.start),
            barrier.notify.eq(Cat(column.notify for column in columns).any()),
            barrier.idle.eq(Cat(column.idle for column in columns).all()),
            barrier.parked.eq(Cat(column.parked for column in columns).any()),
            fault.run.eq(control.run),
            fault.cycle.eq(control.cycle),
            fault.clear.eq(host.clear),
        ]
        for number, mnemonic in enumerate(mnemonics):
            performed = [
                column.fetched if mnemonic == "IFETCH" else column.elements[column.classes.index(mnemonic)]
                for column in columns
                if mnemonic in ("IFETCH", *column.classes)
            ]
            m.d.comb += control.elements[number].eq(Cat(performed).any())
        for column in columns:
            m.d.comb += [
                column.start.eq(control.start),
                column.run.eq(control.run),
                column.clear.eq(host.clear),
                column.release.eq(barrier.release),
                column.deadlock.eq(barrier.deadlock),
            ]
            for name in ("push", "push_queue", "push_word"):
                m.d.comb += getattr(column, name).eq(getattr(host, name))
            for index, unit in enumerate(column.units):
                m.d.comb += getattr(fault, f"faults_{unit.id}").eq(getattr(column, f"faults_{index}"))
        for column in mem_columns:
            for name in ("mem_en", "mem_we", "mem_slice", "mem_tile", "mem_addr", "mem_data"):
                m.d.comb += getattr(column, name).eq(getattr(host, name))
        if self.config.ecc:
            self._add_monitor(m, columns, host, fault)
        return m

    def _add_monitor(self, m: Module, columns: list[Column], host: HostPort, fault: FaultRegister) -> None:
        """Collect what every unit reports of flipped bits."""
        rows = self.config.superlanes
        m.submodules.ecc = monitor = EccMonitor(units=len(units(self.config)), rows=rows)
        for name in ("corrected", "uncorrectable"):
            reports = {
                unit.id: column.ecc_reports(name, index) | column.fetch_reports(name, index)
                for column in columns
                for index, unit in enumerate(column.units)
            }
            m.d.comb += getattr(monitor, name).eq(Cat(reports[queue] for queue in sorted(reports)))
        m.d.comb += [
            monitor.run.eq(fault.late_run),
            monitor.cycle.eq(fault.late_cycle),
            monitor.clear.eq(host.clear),
            fault.uncorrectable.eq(monitor.found),
            fault.uncorrectable_unit.eq(monitor.found_unit),
            host.ecc_count.eq(monitor.count),
            host.ecc_unit.eq(monitor.unit),
            host.ecc_cycle.eq(monitor.first),
        ]

    def _column(self, position: int) -> Column:
        kinds = [unit.kind for unit in units(self.config) if unit.position == position]
        return _COLUMNS[kinds[0] if kinds else UnitKind.C2C](config=self.config, position=position)

    def _add_tiles(self, m: Module, columns: list[Column]) -> None:
        """Add every tile and join it to its neighbours; zeros enter at the edges."""
        for west, east in pairwise(columns):
            m.d.comb += [
                east.written_east_in.eq(west.written_east_out),
                west.written_west_in.eq(east.written_west_out),
            ]
        bus = self.config.streams * self.config.stream_bits
        zeros = Const(0, bus)
        for row in range(self.config.superlanes):
            eastward, westward = (
                [Signal(bus, name=f"{side}_{position}_{row}") for position in range(len(columns))]
                for side in ("east", "west")
            )
            for position, column in enumerate(columns):
                streams = {
                    # Registers belong to the column that they leave: what comes in from the west is the western
                    # neighbour's.
                    "east_in": eastward[position - 1] if position else zeros,
                    "west_in": westward[position + 1] if position + 1 < len(columns) else zeros,
                    "east_out": eastward[position],
                    "west_out": westward[position],
                }
                column.add_tile(m, row, streams)
                column.add_fetch_tile(m, row, streams)
