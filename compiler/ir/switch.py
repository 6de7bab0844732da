"""The operation that passes vectors through the SXM."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from arch.config import Config
from arch.errors import TaktError
from arch.geometry import UnitKind
from compiler.ir.lanes import Numbers
from compiler.ir.tensor import Tensor
from compiler.ir.vector import Operand, Pass, Result, words_of
from compiler.ir.work import Work


@dataclass(frozen=True, eq=False)
class Switch:
    """n steps: each reads a vector of every operand, and writes one of every result, a byte plane per cycle.

    Attributes
    ----------
    config : Config
    name : str
    operands : tuple of Operand
    results : tuple of Result
        Parts of one tensor that have no vector in common.
    mnemonic : str
    kind : UnitKind
        Of the queues that execute it.
    fields : dict of str to int
        Instruction fields other than streams.
    sources : tuple of str
        Stream field of each operand; operands of one field stand on neighbouring streams.
    register : int or None
        Map register that is loaded before the first step; None for a map that comes on streams.
    more : bool
        Whether the next operation makes further vectors of the same tensor, at the same time if it can.
    """

    config: Config
    name: str
    operands: tuple[Operand, ...]
    results: tuple[Result, ...]
    mnemonic: str
    kind: UnitKind
    fields: Mapping[str, int] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    register: int | None = None
    more: bool = False

    as_pass = None
    makes_weights = True
    work = Work()

    @property
    def target(self) -> Tensor:
        """The tensor that the results are parts of."""
        return self.results[0].tensor

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.results[0].steps)

    @property
    def interval(self) -> int:
        """Cycles from one step to the next: byte plane b of step i issues in cycle ``interval * i + b``."""
        return self.target.itemsize

    @property
    def times(self) -> Numbers:
        """Cycle of the first byte plane of each step, relative to the first one."""
        return np.arange(self.steps) * self.interval

    @property
    def duration(self) -> int:
        """Cycles from the first step to the end of the last one."""
        return self.interval * self.steps

    def part(self, first: int, last: int) -> "Switch":
        """Return the steps from `first` to `last`, without that one."""
        return replace(
            self,
            operands=tuple(operand.part(first, last) for operand in self.operands),
            results=tuple(result.part(first, last) for result in self.results),
        )

    def reads(self) -> Iterator[Tensor]:
        """Yield the tensors that are read."""
        for operand in self.operands:
            yield operand.tensor

    def writes(self) -> Iterator[Tensor]:
        """Yield the tensor that is made."""
        yield self.target

    def words(self) -> Iterator[tuple[Tensor, int]]:
        """Yield the tensors that are read or made, and the words that they fill at least."""
        return words_of(self.operands, self.results)

    def check_superlanes(self, superlanes: int, limited: bool) -> None:
        """Check that all superlanes are on: lanes move between them."""
        if superlanes < self.config.superlanes:
            raise TaktError(f"superlanes must be all {self.config.superlanes} for the {self.name}, not {superlanes}")

    def finished_by(self, change: Callable[[Pass], Pass]) -> "Switch":
        """Return the operation: the SXM fills up with zeros what no element comes to."""
        return self

    def is_serial(self, operand: int) -> bool:
        """Return whether an operand's bytes come one after another on one stream (maps come side by side)."""
        return self.sources[operand] != "map"
