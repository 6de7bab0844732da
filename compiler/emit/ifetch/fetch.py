"""One IFETCH with the READ that brings its text."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.geometry import Direction, Unit, units
from arch.timing import timing
from compiler.schedule.flow import Flow
from compiler.schedule.macro import Action, Macro
from compiler.schedule.pattern import Pattern


@dataclass(frozen=True)
class Fetch:
    """A placed IFETCH.

    Attributes
    ----------
    cycle : int
        Of its issue.
    words : int
        That it brings: whole vectors.
    slice : int
    addrs : ndarray of int32, shape (vectors,)
        MEM words of the text.
    """

    cycle: int
    words: int
    slice: int
    addrs: npt.NDArray[np.int32]


def words_per_vector(config: Config) -> int:
    """Return the instruction words in a vector of text."""
    return config.vector_length // 8


def arrival(config: Config, cycle: int, number: int) -> int:
    """Return the first cycle in which word `number` of an IFETCH that issues in `cycle` can issue."""
    table = timing(config)
    return cycle + table.fetch_first + number * table.fetch_period


def fetch_macro(config: Config, unit: Unit, number: int, addr: int, vectors: int) -> Macro:
    """Return an IFETCH of a queue, in cycle 0, with the READ of its text from slice `number`."""
    table = timing(config)
    source = units(config)[number]
    spacing = 2 * config.superlanes
    east = source.position < unit.position or (source.position == unit.position and source.outward is Direction.EAST)
    direction = Direction.EAST if east else Direction.WEST
    skew, latency = table["IFETCH"].d_skew, table["READ"].d_func
    assert skew is not None and latency is not None
    driven = skew - abs(source.position - unit.position)
    flow = Flow(("text", unit.id), direction, 1)
    flow.carry(0, source.position, unit.position, Pattern(driven, vectors, spacing, 1))
    macro = Macro(f"the text of {unit.name}", flows=[flow])
    # Not while CONFIG limits the slice: text is whole vectors.
    macro.holds = [(("text", number), Pattern(driven - latency))]
    macro.actions = [
        Action(unit, "IFETCH", 0, {"dir": int(direction), "count": vectors}, {"stream": (flow, 0)}, interval=spacing),
        Action(
            source,
            "READ",
            driven - latency,
            {"dir": int(direction), "addr": addr, "stride": 1, "count": vectors},
            {"stream": (flow, 0)},
            interval=spacing,
        ),
    ]
    return macro
