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

    Parameters
    ----------
    units
        Number of queues of the chip.

    Attributes
    ----------
    faults_0, faults_1, ... : in
        Faults of each unit in this cycle; bit ``code - 1`` per `FaultKind`.
    run : in 1
        The machine runs: faults count.
    cycle : in
        Number of this cycle.
    clear : in 1
        Forget the fault.
    found : out 1
        A fault counts in this cycle.
    fault : out 1
        A fault is latched (from the cycle after it).
    kind, unit, at : out
        Its code, unit and cycle; 0 without a fault.
    """

    def __init__(self, *, units: int) -> None:
        self.units = units
        super().__init__(
            {
                **{f"faults_{unit}": In(KINDS) for unit in range(units)},
                "run": In(1),
                "cycle": In(COUNTER_BITS),
                "clear": In(1),
                "found": Out(1),
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
        m.d.comb += self.found.eq(Cat(faults).any())
        first = Signal(KINDS)
        number = Signal(range(self.units))
        for unit, mine in reversed(list(enumerate(faults))):
            with m.If(mine.any()):
                m.d.comb += [first.eq(mine), number.eq(unit)]
        with m.If(self.clear):
            m.d.sync += [self.fault.eq(0), self.kind.eq(0), self.unit.eq(0), self.at.eq(0)]
        with m.Elif(~self.fault & self.found):
            m.d.sync += [self.fault.eq(1), self.unit.eq(number)]
            with m.If(self.run):
                m.d.sync += self.at.eq(self.cycle)
            for kind in reversed(FaultKind):
                with m.If(first[kind - 1]):
                    m.d.sync += self.kind.eq(kind)
        return m
