"""The ECC registers."""

from amaranth.hdl import Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.host import COUNTER_BITS
from hdl.ecc.reader import REPORT_DELAY

__all__ = ["MONITOR_DELAY", "EccMonitor"]

MONITOR_DELAY = REPORT_DELAY + 1
"""Cycles from the read of a word to `EccMonitor.found`."""

COUNT_BITS = 32


class EccMonitor(wiring.Component):
    """Counts corrected reads, keeps the first, and finds the uncorrectable ones of a cycle.

    Parameters
    ----------
    units, rows : int
        Queues and superlanes of the chip.

    Attributes
    ----------
    corrected, uncorrectable : In(units * rows)
        Reports of all queues (`hdl.ecc.reader.ecc_ports`), queue by queue, superlane 0 lowest.
    run : In(1)
        The machine ran and had no fault, `MONITOR_DELAY` cycles before this cycle: reports of that cycle count.
    cycle : In
        The number of that cycle.
    clear : In(1)
        Forget everything.
    found, found_unit : Out
        A word was uncorrectable in that cycle, and the lowest queue that read one. Whether it counts is not looked at.
    count, unit, first : Out
        Reads corrected (saturating); queue and cycle of the first one, 0 without any.
    """

    def __init__(self, *, units: int, rows: int) -> None:
        self.units = units
        self.rows = rows
        super().__init__(
            {
                "corrected": In(units * rows),
                "uncorrectable": In(units * rows),
                "run": In(1),
                "cycle": In(COUNTER_BITS),
                "clear": In(1),
                "found": Out(1),
                "found_unit": Out(range(units + 1)),
                "count": Out(COUNT_BITS),
                "unit": Out(range(units + 1)),
                "first": Out(COUNTER_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        any_, unit, more = self._scan(m, "corrected", self.corrected)
        found, found_unit, _ = self._scan(m, "uncorrectable", self.uncorrectable)
        m.d.comb += [self.found.eq(found), self.found_unit.eq(found_unit)]
        total = Signal(COUNT_BITS + 1)
        m.d.comb += total.eq(self.count + more)
        with m.If(self.clear):
            m.d.sync += [self.count.eq(0), self.unit.eq(0), self.first.eq(0)]
        with m.Elif(self.run & any_):
            # The carry holds the counter at its largest value.
            m.d.sync += self.count.eq(total[:COUNT_BITS] | total[COUNT_BITS].replicate(COUNT_BITS))
            with m.If(self.count == 0):
                m.d.sync += [self.unit.eq(unit), self.first.eq(self.cycle)]
        return m

    def _scan(self, m: Module, name: str, events: Signal) -> tuple[Signal, Signal, Signal]:
        """Return registers: whether there is an event, its lowest unit, and the number of events."""
        names = (("any", 1), ("first", self.units.bit_length()), ("count", (self.units * self.rows).bit_length()))
        now = [Signal(width, name=f"{name}_{part}") for part, width in names]
        later = [Signal(width, name=f"{name}_{part}_q") for part, width in names]
        m.submodules[f"scan_{name}"] = Instance(
            "takt_event_scan",
            p_UNITS=self.units,
            p_ROWS=self.rows,
            i_events=events,
            o_any=now[0],
            o_first=now[1],
            o_count=now[2],
        )
        m.d.sync += later[0].eq(now[0])
        with m.If(now[0]):
            m.d.sync += [later[1].eq(now[1]), later[2].eq(now[2])]
        return later[0], later[1], later[2]
