"""One IFETCH with the READs that bring its text."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.geometry import Direction, Unit, units
from arch.timing import timing
from compiler.memory.words import Bank
from compiler.schedule.flow import Flow
from compiler.schedule.macro import Action, Macro
from compiler.schedule.pattern import Pattern

Cycles = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Burst:
    """Vectors of a text that one READ brings.

    Attributes
    ----------
    bank : Bank
    addr : int
        Of the first; the others are its neighbours.
    first, count : int
        Which vectors.
    cycle : int
        Of the READ, from the IFETCH's on.
    """

    bank: Bank
    addr: int
    first: int
    count: int
    cycle: int

    def at(self, addr: int) -> "Burst":
        """Return the same from another address."""
        return replace(self, addr=addr)


@dataclass(eq=False)
class Fetch:
    """A placed IFETCH.

    Attributes
    ----------
    cycle : int
        Of its issue.
    words : int
        That it brings: whole vectors.
    bursts : tuple of Burst
    """

    cycle: int
    words: int
    bursts: tuple[Burst, ...]


def words_per_vector(config: Config) -> int:
    """Return the instruction words in a vector of text."""
    return config.vector_length // 8


def arrivals(config: Config, cycle: int, words: int) -> Cycles:
    """Return the first cycles in which the words of an IFETCH that issues in `cycle` can issue."""
    table = timing(config)
    return cycle + table.fetch_first + table.fetch_period * np.arange(words, dtype=np.int64)


def spacing_of(config: Config) -> int:
    """Return the cycles from one vector of a text to the next."""
    return 2 * config.superlanes


def direction_of(unit: Unit, source: Unit) -> Direction:
    """Return the direction in which text moves from a slice to a queue's fetch port."""
    east = source.position < unit.position or (source.position == unit.position and source.outward is Direction.EAST)
    return Direction.EAST if east else Direction.WEST


def read_cycle(config: Config, unit: Unit, source: Unit) -> int:
    """Return when a slice has to READ the first vector of an IFETCH's text, from its issue on."""
    skew, latency = timing(config)["IFETCH"].d_skew, timing(config)["READ"].d_func
    assert skew is not None and latency is not None
    return skew - abs(source.position - unit.position) - latency


def fetch_macro(config: Config, unit: Unit, bursts: Sequence[Burst]) -> Macro:
    """Return an IFETCH of a queue, in cycle 0, with the READs of its text, all from one side of its fetch port."""
    every, spacing, latency = units(config), spacing_of(config), timing(config)["READ"].d_func
    assert latency is not None
    direction = direction_of(unit, every[bursts[0].bank.slice])
    flow = Flow(("text", unit.id), direction, 1)
    macro = Macro(f"the text of {unit.name}", flows=[flow])
    fields = {"dir": int(direction), "count": sum(burst.count for burst in bursts)}
    macro.actions = [Action(unit, "IFETCH", 0, fields, {"stream": (flow, 0)}, interval=spacing)]
    for burst in bursts:
        source = every[burst.bank.slice]
        driven = Pattern(burst.cycle + latency, burst.count, spacing, 1)
        flow.carry(0, source.position, unit.position, driven)
        # Not while CONFIG limits the slice: text is whole vectors.
        macro.holds.append((("text", source.id), Pattern(burst.cycle)))
        fields = {"dir": int(direction), "addr": burst.addr, "stride": 1, "count": burst.count}
        macro.actions.append(Action(source, "READ", burst.cycle, fields, {"stream": (flow, 0)}, interval=spacing))
    return macro
