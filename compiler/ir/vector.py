"""The operation that passes vectors through the VXM."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from arch.config import Config
from compiler.ir.tensor import Elements, Tensor
from compiler.mesh.graph import Graph

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Operand:
    """What a port of the graph carries.

    Attributes
    ----------
    tensor : Tensor
    vectors : ndarray of int32, shape (u, vector_length), or None
        Elements of each vector that the host writes; None for a result, whose vectors are its own.
    steps : ndarray, shape (n,)
        Number of the vector read in each step; -1 for a vector of zeros (results only).
    """

    tensor: Tensor
    vectors: Elements | None
    steps: Numbers


@dataclass(frozen=True, eq=False)
class Result:
    """What becomes of an output of the graph: in each step a vector of `tensor`, or (-1) nothing."""

    tensor: Tensor
    steps: Numbers


@dataclass(frozen=True, eq=False)
class Pass:
    """n steps: each reads a vector of every operand and writes one of every result.

    Attributes
    ----------
    config : Config
    name : str
    graph : Graph
    operands : tuple of Operand
        One per port.
    results : tuple of Result
        One per output.
    restarts : ndarray of bool, shape (n,)
        Steps in which accumulating nodes pass their operand instead of adding to what they hold.
    interval : int
        Cycles from one turn of steps to the next.
    turn : int
        Steps of a turn.
    within : int
        Cycles from one of its steps to the next. Where nodes accumulate, either all steps follow one another directly,
        or a turn is a group, and its steps are far enough apart for each to see the result of the one before.
    makes : bool
        Whether the results are new; False for a pass that overwrites a state, which comes after all reads of it.
    """

    config: Config
    name: str
    graph: Graph
    operands: tuple[Operand, ...]
    results: tuple[Result, ...]
    restarts: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    interval: int = 1
    turn: int = 1
    within: int = 1
    makes: bool = True

    in_mesh = True
    """Whether ALUs work on it."""

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.results[0].steps)

    @property
    def times(self) -> Numbers:
        """Cycle of each step, relative to the first one."""
        turn, place = np.divmod(np.arange(self.steps), self.turn)
        times: Numbers = turn * self.interval + place * self.within
        return times

    @property
    def duration(self) -> int:
        """Cycles from the first step to the end of the last one."""
        return int(self.times[-1]) + 1

    @property
    def pauses(self) -> bool:
        """Whether there are pauses between turns."""
        return self.interval > self.turn * self.within

    def hurried(self) -> "Pass":
        """Return the pass without pauses between turns."""
        return replace(self, interval=self.turn * self.within)

    def reads(self) -> Iterator[Tensor]:
        """Yield the tensors that are read."""
        for operand in self.operands:
            yield operand.tensor

    def writes(self) -> Iterator[Tensor]:
        """Yield the tensors that are made."""
        for result in self.results:
            yield result.tensor
