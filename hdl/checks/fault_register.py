"""The sticky fault that the host reads."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.faults import FaultKind
from arch.host import COUNTER_BITS

__all__ = ["FaultRegister"]

KINDS = len(FaultKind)


class FaultRegister(wiring.Component):
    """Latches the first fault: of one cycle's faults the lowest unit's, of one unit's the lowest code.

    Words that ECC cannot correct are found some cycles later than everything else. With `delay` the other faults wait
    for those of their cycle.

    Parameters
    ----------
    units
        Number of queues of the chip.
    delay
        Cycles from the read of a word to `uncorrectable`; 0 without ECC.

    Attributes
    ----------
    faults_0, faults_1, ... : in
        Faults of each unit in this cycle; bit ``code - 1`` per `FaultKind`.
    uncorrectable, uncorrectable_unit : in
        UNCORRECTABLE in the cycle `delay` cycles ago, and the lowest unit that has it.
    run : in 1
        The machine runs: faults count.
    cycle : in
        Number of this cycle.
    clear : in 1
        Forget the fault.
    found : out 1
        A fault counts in this cycle, or one of UNCORRECTABLE is known now: the machine need not go on.
    late_run, late_cycle : out
        The machine ran `delay` cycles ago and no fault is latched; the number of that cycle.
    settled : out 1
        No fault of a run is still to come.
    fault : out 1
        A fault is latched (from the cycle after it, and `delay` more).
    kind, unit, at : out
        Its code, unit and cycle; 0 without a fault.
    """

    def __init__(self, *, units: int, delay: int = 0) -> None:
        self.units = units
        self.delay = delay
        super().__init__(
            {
                **{f"faults_{unit}": In(KINDS) for unit in range(units)},
                "uncorrectable": In(1),
                "uncorrectable_unit": In(range(units + 1)),
                "run": In(1),
                "cycle": In(COUNTER_BITS),
                "clear": In(1),
                "found": Out(1),
                "late_run": Out(1),
                "late_cycle": Out(COUNTER_BITS),
                "settled": Out(1),
                "fault": Out(1),
                "kind": Out(range(KINDS + 1)),
                "unit": Out(range(units)),
                "at": Out(COUNTER_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # OVERRUN comes from the host's writes, before the run; its cycle is 0 by definition.
        counting = Mux(self.run, Const((1 << KINDS) - 1, KINDS), 1 << FaultKind.OVERRUN - 1)
        faults = [getattr(self, f"faults_{unit}") & counting for unit in range(self.units)]
        found = Signal()
        first = Signal(KINDS)
        kind = Signal(range(KINDS + 1))
        number = Signal(range(self.units))
        m.d.comb += found.eq(Cat(faults).any())
        # The last assignment wins: from the highest queue down, the lowest one stays.
        for unit, mine in reversed(list(enumerate(faults))):
            with m.If(mine.any()):
                m.d.comb += [first.eq(mine), number.eq(unit)]
        for code in reversed(FaultKind):
            with m.If(first[code - 1]):
                m.d.comb += kind.eq(code)
        if self.delay:
            self._latch_late(m, found, kind, number)
        else:
            m.d.comb += [
                self.found.eq(found),
                self.late_run.eq(self.run & ~self.fault),
                self.late_cycle.eq(self.cycle),
                self.settled.eq(1),
            ]
            self._latch(m, found, kind, number, Mux(self.run, self.cycle, 0))
        return m

    def _latch(self, m: Module, found: Signal, kind: Signal, unit: Signal, at: object) -> None:
        with m.If(self.clear):
            m.d.sync += [self.fault.eq(0), self.kind.eq(0), self.unit.eq(0), self.at.eq(0)]
        with m.Elif(~self.fault & found):
            m.d.sync += [self.fault.eq(1), self.unit.eq(unit), self.kind.eq(kind), self.at.eq(at)]

    def _latch_late(self, m: Module, found: Signal, kind: Signal, unit: Signal) -> None:
        """Let faults of a run wait for `delay` cycles; those before a run need not."""
        waiting = Signal()
        run, cycle = self.run, self.cycle
        runs = []
        for step in range(1, self.delay + 1):
            run_later, cycle_later = Signal(name=f"run_{step}"), Signal(COUNTER_BITS, name=f"cycle_{step}")
            m.d.sync += run_later.eq(run)
            with m.If(run):
                m.d.sync += cycle_later.eq(cycle)
            run, cycle = run_later, cycle_later
            runs.append(run)
        # The machine stops at its first fault, so one place to wait in is enough.
        own_kind, own_unit, own_at = Signal.like(kind), Signal.like(unit), Signal(COUNTER_BITS)
        with m.If(self.clear):
            m.d.sync += waiting.eq(0)
        with m.Elif(self.run & found & ~waiting):
            m.d.sync += [waiting.eq(1), own_kind.eq(kind), own_unit.eq(unit), own_at.eq(self.cycle)]

        late, own = Signal(), Signal()
        m.d.comb += [
            self.late_run.eq(run & ~self.fault),
            self.late_cycle.eq(cycle),
            self.settled.eq(~self.run & ~Cat(runs).any()),
            late.eq(self.late_run & self.uncorrectable),
            own.eq(self.late_run & waiting & (own_at == cycle)),
            self.found.eq(found | late),
        ]
        before = Signal()
        m.d.comb += before.eq(self.settled & found)
        late_wins = Signal()
        m.d.comb += late_wins.eq(late & ~(own & (own_unit <= self.uncorrectable_unit)))
        self._latch(
            m,
            before | own | late,
            Mux(before, kind, Mux(late_wins, FaultKind.UNCORRECTABLE, own_kind)),
            Mux(before, unit, Mux(late_wins, self.uncorrectable_unit, own_unit)),
            Mux(before, 0, cycle),
        )
