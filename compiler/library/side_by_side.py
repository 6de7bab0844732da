"""Passes as several chains side by side: each in ALUs of its own, over its share of the vectors.

A chain of ALUs takes a vector per cycle, however short it is. Where an expression leaves ALUs idle, further chains work
on other vectors in the same cycles, as far as ALUs, MEM slices and streams go.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import HEMISPHERES, Config
from arch.timing import timing
from compiler.declare.map_pass import common_shape
from compiler.declare.reduce_pass import total_of
from compiler.expression.expr import OPERAND, Expr, convert, format_of
from compiler.ir.tensor import Tensor, View, as_view
from compiler.library.bounds import pass_latency
from compiler.mesh.graph import Graph, Kind, lower
from compiler.mesh.mapper import mappings
from compiler.program import Program

__all__ = ["Chains", "map_widely", "shares"]

_WAIT = 12
"""Rough cycles that a pass waits for ALUs and slices beside those in which its operands arrive."""


@dataclass(frozen=True)
class Chains:
    """Chains of the same expressions side by side.

    Attributes
    ----------
    config : Config
    function : callable
        From the expressions of `own` operands, then of the shared ones, to one expression or a tuple of several.
    own, shared : tuple of str
        NumPy names of formats: of operands of which each chain has its share, and of those that all chains read.
    operation : str or None
        Of a reduction: what becomes of the expressions' values over time, taken in plain order.
    copies : int
        Copies of the results that readers are expected to want, in slices of their own.
    tied : bool
        Whether own operands are views of one result that overlap: whatever makes it drives a vector in one direction,
        and so all of them come from one side.
    """

    config: Config
    function: Callable[..., Any]
    own: tuple[str, ...]
    shared: tuple[str, ...] = ()
    operation: str | None = None
    copies: int = 1
    tied: bool = False

    @property
    def results(self) -> int:
        """Results of a chain in a step."""
        return len(self.graph.outputs)

    @cached_property
    def graph(self) -> Graph:
        """What one chain does in a step."""
        return lower(self._outputs(1))

    def steps(self, count: int, width: int, terms: int = 1) -> int:
        """Return the steps in which `width` chains make `count` vectors of each result; each of as many `terms`."""
        share = -(-count // width)
        if self.operation is None:
            return share
        apart = timing(self.config).held
        return -(-share // apart) * apart * terms

    def width(self, count: int, terms: int = 1) -> int:
        """Return how many chains make `count` vectors of each result: as few as take the fewest steps."""
        best = self.widest(count)
        least = self.steps(count, best, terms)
        return next(width for width in range(1, best + 1) if self.steps(count, width, terms) == least)

    def cycles(self, count: int, terms: int = 1, blocks: int = 1) -> int:
        """Return about how many cycles a pass takes, for each of some `blocks` of channels."""
        return blocks * self.steps(count, self.width(count, terms), terms) + self.latency

    def has_text(self, count: int, terms: int, blocks: int = 1) -> bool:
        """Return whether queues hold the text of a reduction: a word for each term of each turn."""
        turns = blocks * self.steps(count, self.width(count, terms), terms) // timing(self.config).held
        # Other queues of a position have text too, and a pause takes a word of its own.
        return 2 * turns <= self.config.queue_depth

    @property
    def latency(self) -> int:
        """About how many cycles a pass takes beside its steps."""
        levels: list[int] = []
        for node in self.graph.nodes:
            before = (levels[ref.number] for ref in node.operands if ref.kind is Kind.NODE)
            levels.append(1 + max(before, default=0))
        return pass_latency(self.config, max(levels)) + _WAIT

    def widest(self, most: int) -> int:
        """Return how many chains find room side by side, at least one."""
        alus = self.config.alu_rows * self.config.alu_cols
        most = min(alus // len(self.graph.nodes), most)
        return next((width for width in range(most, 1, -1) if self.fits(width)), 1)

    def fits(self, width: int) -> bool:
        """Return whether there are slices and streams for all operands and results of some chains, and ALUs."""
        config = self.config
        outputs = self._outputs(width)
        graph = lower(outputs)
        read = sum(port.dtype.size for port in graph.ports)
        written = sum(output.dtype.size for output in outputs)
        # Words come and leave in both directions. Sums leave now and then, those of different levels one after another.
        leaving = written if self.operation is None else written // 2
        if read + leaving > HEMISPHERES * config.streams * 7 // 8:
            return False
        own = width * sum(format_of(name).size for name in self.own)
        # Beside them the maker of these operands has some of its own, in as few streams and slices.
        if self.tied and own > min(config.streams, config.mem_slices) * 5 // 8:
            return False
        return read + self.copies * written <= config.slices * 7 // 8 and bool(mappings(config, graph))

    def run(self, program: Program, operands: Sequence[Sequence[View]], shared: Sequence[View] = ()) -> View:
        """Return what chains make of operands of each, of one shape (steps, channels), terms before it if there are.

        Returns
        -------
        View
            Shape (chains, results of each, steps, channels), lanes along the channels.
        """
        every = [view for views in operands for view in views]
        steps, channels = every[0].shape[-2:]
        function: Any = self._beside(len(operands))
        if self.operation is None:
            made = program.map(function, *every, *shared, layout="rows", join=-2)
        else:
            made = program.reduce((*every, *shared), self.operation, 0, function=function, layout="rows", join=-2)
        return as_view(made).reshape(len(operands), -1, steps, channels)

    def after(self, program: Program, made: View, beside: Sequence[View] = ()) -> View:
        """Return the one result for what chains before have made, each chain for all of some of these.

        Whoever reads what several chains made together ties them to one side.

        Parameters
        ----------
        program : Program
        made : View
            Shape (chains before, 1, steps, channels): the first own operand.
        beside : sequence of View
            Of the same shape: the others, inputs or constants.

        Returns
        -------
        View
            Shape (chains before * steps, channels).
        """
        before, _, steps, channels = made.shape
        widths = [width for width in range(before, 1, -1) if before % width == 0 and self.fits(width)]
        width = max(widths, default=1)
        parts = [view.reshape(width, before // width * steps, channels) for view in (made, *beside)]
        return self.run(program, [[part[chain] for part in parts] for chain in range(width)]).reshape(-1, channels)

    def over(self, program: Program, own: Sequence[View], shared: Sequence[View] = ()) -> View:
        """Return the one result for views of shape (terms if any, count, channels), shared among chains.

        Returns
        -------
        View
            Shape (count, channels).
        """
        count, channels = own[0].shape[-2:]
        return self.parts(program, own, shared).reshape(-1, channels)[:count]

    def parts(self, program: Program, own: Sequence[View], shared: Sequence[View] = ()) -> View:
        """Return the same as `run` does, of shape (chains, 1, steps, channels)."""
        *terms, count, _ = own[0].shape
        places = shares(count, self.width(count, *terms))
        return self.run(program, [[view[..., part, :] for view in own] for part in places], shared)

    def _beside(self, width: int) -> Callable[..., tuple[Expr, ...]]:
        """Return the function of the operands of `width` chains, one after another, and of the shared ones."""
        own = len(self.own)

        def every(*values: Expr) -> tuple[Expr, ...]:
            shared = values[width * own :]
            found = [self.function(*values[chain * own : (chain + 1) * own], *shared) for chain in range(width)]
            return tuple(expr for value in found for expr in (value if isinstance(value, tuple) else (value,)))

        return every

    def _outputs(self, width: int) -> tuple[Expr, ...]:
        """Return the expressions of `width` chains."""
        names = self.own * width + self.shared
        found = self._beside(width)(*(Expr(OPERAND, format_of(name), index=index) for index, name in enumerate(names)))
        return found if self.operation is None else tuple(total_of(self.operation, term) for term in found)


def shares(count: int, width: int) -> npt.NDArray[np.int64]:
    """Return the numbers below `count` in `width` equal shares, shape (width, share); the last may be repeated."""
    share = -(-count // width)
    return np.minimum(np.arange(width * share), count - 1).reshape(width, share)


def map_widely(program: Program, function: Callable[..., Expr], *operands: Tensor | View, dtype: str) -> View:
    """Return what `Program.map` does, of what the host writes in as many chains as find room.

    Vectors of a result lie where their maker left them, and come one at a time.

    Parameters
    ----------
    program : Program
    function : callable
    *operands : Tensor or View
    dtype : str
        Format of the result.

    Returns
    -------
    View
        Of the shape to which the operands broadcast.
    """
    views = [as_view(operand) for operand in operands]
    shape, vector = common_shape(views), program.config.vector_length
    own = [number for number, view in enumerate(views) if view.shape == shape]
    shared = [number for number in range(len(views)) if number not in own]
    alike = all(views[number].shape[-1:] == shape[-1:] == (views[number].elements.size,) for number in shared)
    if not shape or not alike or any(program.is_result(view) for view in views):
        return as_view(program.map(function, *operands, dtype=dtype))

    def reordered(*values: Expr) -> Expr:
        given = dict(zip((*own, *shared), values, strict=True))
        return convert(function(*(given[number] for number in range(len(views)))), dtype)

    # Chains share out rows, or vectors where a row has many and all of them are treated alike.
    size, length = math.prod(shape), shape[-1]
    if not shared and (len(shape) == 1 or length % vector == 0):
        length = vector
    count = -(-size // length)
    mine, others = (tuple(views[number].dtype for number in numbers) for numbers in (own, shared))
    chains = Chains(program.config, reordered, mine, others)
    if not chains.fits(1) or chains.width(count) == 1:
        return as_view(program.map(function, *operands, dtype=dtype))
    rows = [views[number].reshape(size).pad(((0, count * length - size),)).reshape(count, length) for number in own]
    made = chains.over(program, rows, [views[number].reshape(length) for number in shared])
    return made.reshape(-1)[:size].reshape(*shape)
