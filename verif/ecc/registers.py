"""ECC registers and fault register as the chip joins them."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.faults import FaultKind
from arch.host import COUNTER_BITS
from hdl.checks.fault_register import FaultRegister
from hdl.ecc.monitor import COUNT_BITS, MONITOR_DELAY, EccMonitor

__all__ = ["EccRegisters"]


class EccRegisters(wiring.Component):
    """`EccMonitor` and `FaultRegister` of `units` queues and `rows` superlanes; ports as theirs."""

    def __init__(self, *, units: int, rows: int) -> None:
        self.units = units
        self.rows = rows
        super().__init__(
            {
                **{f"faults_{unit}": In(len(FaultKind)) for unit in range(units)},
                "corrected": In(units * rows),
                "uncorrectable": In(units * rows),
                "run": In(1),
                "cycle": In(COUNTER_BITS),
                "clear": In(1),
                "found": Out(1),
                "settled": Out(1),
                "fault": Out(1),
                "kind": Out(8),
                "unit": Out(8),
                "at": Out(COUNTER_BITS),
                "count": Out(COUNT_BITS),
                "first_unit": Out(8),
                "first": Out(COUNTER_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.monitor = monitor = EccMonitor(units=self.units, rows=self.rows)
        m.submodules.register = register = FaultRegister(units=self.units, delay=MONITOR_DELAY)
        m.d.comb += [
            *(getattr(register, f"faults_{u}").eq(getattr(self, f"faults_{u}")) for u in range(self.units)),
            *(getattr(register, name).eq(getattr(self, name)) for name in ("run", "cycle", "clear")),
            *(getattr(self, name).eq(getattr(register, name)) for name in ("found", "settled", "fault", "kind")),
            self.unit.eq(register.unit),
            self.at.eq(register.at),
            monitor.corrected.eq(self.corrected),
            monitor.uncorrectable.eq(self.uncorrectable),
            monitor.run.eq(register.late_run),
            monitor.cycle.eq(register.late_cycle),
            monitor.clear.eq(self.clear),
            register.uncorrectable.eq(monitor.found),
            register.uncorrectable_unit.eq(monitor.found_unit),
            self.count.eq(monitor.count),
            self.first_unit.eq(monitor.unit),
            self.first.eq(monitor.first),
        ]
        return m
