"""The clock of GATHER and SCATTER."""

from collections.abc import Iterable

from amaranth.hdl import Cat, Module, Signal, Value

from arch.config import Config
from hdl.activity_gate import ActivityGate
from hdl.ecc.reader import REPORT_DELAY

__all__ = ["indexed_clock"]


def indexed_clock(m: Module, config: Config, *, start: Value, busy: Iterable[Value]) -> tuple[Signal, Signal]:
    """Add the gate for a position's `IndexedControl` and `IndexedTile` modules; return clock and reset.

    One for all slices of the position: in a simulator every clock of its own costs a little, used or not.

    Parameters
    ----------
    m : Module
    config : Config
    start : Value
        As that of a controller.
    busy : iterable of Value
        `MemController.indexed_busy` of every slice.
    """
    # From the first micro-op to the driver of the top tile, and to its report of flipped bits.
    m.submodules.indexed_gate = gate = ActivityGate(linger=config.superlanes + REPORT_DELAY)
    m.d.comb += [gate.busy.eq(Cat(busy).any()), gate.flush.eq(start)]
    return gate.clock, gate.reset
