"""Shares of the slices of a table in the work of a Gather."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from arch.config import Config
from arch.isa.mem_rows import gather_accesses
from arch.timing import timing
from compiler.ir.gather import Rows, Turn
from compiler.schedule.sweeps import BURST_LIMIT

_NEAR = 16
"""A share that takes up to one part in so many longer than another, and needs fewer copies, is the better one."""
_CHUNKS = 4
"""Most chunks of the indices, per lane: more of them even out less than their pauses cost."""


@dataclass(frozen=True)
class Stint:
    """Work of a slice in one turn: it gathers a part of the table for the indices of a way."""

    part: int
    turn: int
    way: int


@dataclass(frozen=True)
class Share:
    """A division of the work among slices.

    The first `whole` parts of the table (a byte of a block of columns each) are gathered by one slice each, turn after
    turn. The others have copies in several slices: every one gathers the indices of a *chunk*, one of `chunks`, which
    pass the slices together, a cycle apart, since a slice looks at the indices in one of `lanes` cycles only.

    Attributes
    ----------
    config : Config
    m : int
        Indices.
    parts : int
    whole : int
        A multiple of `slices`, or all.
    chunks : int
    slices : int
        That can gather.
    """

    config: Config
    m: int
    parts: int
    whole: int
    chunks: int
    slices: int

    @property
    def work(self) -> int:
        """Stints of all slices: about the copies of parts, too."""
        return self.whole + (self.parts - self.whole) * self.chunks

    @cached_property
    def stints(self) -> tuple[Stint, ...]:
        """Stints in the order of their turns, chunk after chunk, so that few of these pass at a time."""
        found = [Stint(part, part // self.slices, 0) for part in range(self.whole)]
        before = -(-self.whole // self.slices)
        left = self.parts - self.whole
        for number in range(left * self.chunks):
            turn = number // self.slices
            way = number // left - turn * self.slices // left
            found.append(Stint(self.whole + number % left, before + turn, way))
        return tuple(found)

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """The turns, with the rows of each way."""
        every = np.arange(self.m)
        found = [Turn((every,))] * -(-self.whole // self.slices)
        left = self.parts - self.whole
        for first in range(0, left * self.chunks, self.slices):
            last = min(first + self.slices, left * self.chunks) - 1
            chunks = range(first // left, last // left + 1)
            found.append(Turn(tuple(np.arange(chunk, self.m, self.chunks) for chunk in chunks)))
        return tuple(found)

    @property
    def shared_turns(self) -> int:
        """Turns of the parts that have several copies."""
        return len(self.turns) - -(-self.whole // self.slices)

    @property
    def fits(self) -> bool:
        """Whether the ways of every turn can pass the slices together."""
        return all(len(turn.ways) <= gather_accesses(self.config) for turn in self.turns)

    @property
    def cycles(self) -> int:
        """Cycles of all turns."""
        return sum(turn_cycles(self.config, turn) for turn in self.turns)


def passing(config: Config, rows: int) -> Rows:
    """Return when each row of a way passes, after the first one; an engine is free a little later than its bank."""
    step = np.arange(rows)
    return step * gather_accesses(config) + step // BURST_LIMIT * _pause(config)


def turn_cycles(config: Config, turn: Turn) -> int:
    """Return the cycles from one turn to the next."""
    last = max(int(passing(config, len(rows))[-1]) for rows in turn.ways)
    return last + len(turn.ways) - 1 + gather_accesses(config) + _pause(config)


def shares(config: Config, m: int, parts: int, slices: int) -> Iterator[Share]:
    """Yield ways to share the work, the fastest first, then those that need fewer and fewer copies, at last one each.

    Parameters
    ----------
    config : Config
    m : int
        Indices.
    parts : int
        Bytes of blocks of columns.
    slices : int
        That can gather.
    """
    alone = Share(config, m, parts, parts, 1, slices)
    # Parts that fill whole turns of all slices gain nothing from copies. Of the rest, and of one turn more, every
    # number of chunks is tried: which evens out best depends on remainders.
    most = parts // slices * slices
    found = [
        share
        for whole in {most, max(most - slices, 0)} - {parts}
        for chunks in range(2, min(m, _CHUNKS * config.lanes) + 1)
        if (share := Share(config, m, parts, whole, chunks, slices)).fits
    ]
    left = [alone, *found]
    # A fast share needs copies of the table, which may find no room: the next one offered always needs fewer.
    while left:
        best = min(share.cycles for share in left)
        near = [share for share in left if share.cycles * _NEAR <= best * (_NEAR + 1)]
        chosen = min(near, key=lambda share: (share.work, share.cycles))
        yield chosen
        left = [share for share in left if share.work < chosen.work]


def _pause(config: Config) -> int:
    """Return the cycles for which an engine is taken after a GATHER's last access."""
    return timing(config).mem_free["GATHER"] - gather_accesses(config)
