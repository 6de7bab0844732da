"""Operands and results of operations in vectors, and the operation that passes them through the VXM."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from compiler.expression.expr import BITS
from compiler.ir.lanes import Numbers
from compiler.ir.tensor import Elements, Tensor
from compiler.ir.work import Work
from compiler.mesh.graph import Graph, Kind, Node, Port, Ref


@dataclass(frozen=True, eq=False)
class Operand:
    """Vectors that a port of an operation reads, step by step.

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

    def part(self, first: int, last: int) -> "Operand":
        """Return what the port reads in the steps from `first` to `last`, without that one."""
        return Operand(self.tensor, self.vectors, self.steps[first:last])


@dataclass(frozen=True, eq=False)
class Result:
    """Vectors that an output of an operation becomes: in each step one of `tensor`, or (-1) nothing."""

    tensor: Tensor
    steps: Numbers

    def part(self, first: int, last: int) -> "Result":
        """Return what it becomes in the steps from `first` to `last`, without that one."""
        return Result(self.tensor, self.steps[first:last])


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

    @property
    def as_pass(self) -> "Pass":
        """Itself."""
        return self

    @property
    def makes_weights(self) -> bool:
        """Whether it can leave its results where planes load weights: states have words of their own."""
        return self.makes

    @property
    def work(self) -> Work:
        """Work of units that it takes at least: an operation may read a vector once for many of its steps."""
        words = sum(len(np.unique(one.steps[one.steps >= 0])) * one.tensor.itemsize for one in self.operands)
        return Work(operations=len(self.graph.nodes) * self.steps, words=words)

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

    def part(self, first: int, last: int) -> "Pass":
        """Return the steps from `first` to `last`, without that one."""
        return replace(
            self,
            operands=tuple(operand.part(first, last) for operand in self.operands),
            results=tuple(result.part(first, last) for result in self.results),
            restarts=self.restarts[first:last],
        )

    def reads(self) -> Iterator[Tensor]:
        """Yield the tensors that are read."""
        for operand in self.operands:
            yield operand.tensor

    def writes(self) -> Iterator[Tensor]:
        """Yield the tensors that are made."""
        for result in self.results:
            yield result.tensor

    def words(self) -> Iterator[tuple[Tensor, int]]:
        """Yield the tensors that are read or made, and the words that they fill at least."""
        return words_of(self.operands, self.results)

    def check_superlanes(self, superlanes: int, limited: bool) -> None:
        """Check that results fit the superlanes that are on: see `Operation`."""
        check_lanes(self.name, self.writes(), self.config, superlanes)

    def finished_by(self, change: Callable[["Pass"], "Pass"]) -> "Pass":
        """Return what a change makes of the pass."""
        return change(self)


def identity(config: Config, name: str, operand: Operand, result: Result, makes: bool = True) -> Pass:
    """Return the pass that copies vectors: the bits of each of an operand's to the result's of the same step."""
    bits = BITS[operand.tensor.itemsize]
    graph = Graph((Node("PASS", bits, bits, (Ref(Kind.PORT, 0),)),), (Port(0, bits),), (0,))
    return Pass(config, name, graph, (operand,), (result,), np.zeros(len(result.steps), np.bool_), makes=makes)


def words_of(operands: Iterable[Operand], results: Iterable[Result]) -> Iterator[tuple[Tensor, int]]:
    """Yield the tensors of operands and results, and the words that they fill at least."""
    for operand in operands:
        # Vectors of a result are counted where they are made.
        yield operand.tensor, operand.tensor.itemsize * (0 if operand.vectors is None else len(operand.vectors))
    for result in results:
        yield result.tensor, result.tensor.itemsize * int((result.steps >= 0).sum())


def check_lanes(name: str, made: Iterable[Tensor], config: Config, superlanes: int) -> None:
    """Raise TaktError unless vectors of the tensors that an operation makes fit the superlanes that are on."""
    check_lengths(name, {"lanes": max(tensor.shape[tensor.lanes] for tensor in made)}, config, superlanes)


def check_lengths(name: str, lengths: Mapping[str, int], config: Config, superlanes: int) -> None:
    """Raise TaktError unless some lengths, of an operation's vectors, fit the superlanes that are on."""
    lanes = superlanes * config.lanes
    for what, length in lengths.items() if superlanes < config.superlanes else ():
        if length > lanes:
            raise TaktError(f"{what} of {name} must be at most {lanes} with {superlanes} superlanes on, not {length}")
