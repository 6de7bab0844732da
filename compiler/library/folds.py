"""Folds: the taps of windows joined one after another, in the passes that take the fewest cycles."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from arch.config import Config
from compiler.expression.expr import Expr, convert
from compiler.ir.tensor import View
from compiler.library.side_by_side import Chains
from compiler.program import Program

__all__ = ["Fold"]


@dataclass(frozen=True)
class Fold:
    """Fold ``finish(join(join(t0, t1), t2) ...)`` of the terms of many windows, a pass taking some taps of all of them.

    Attributes
    ----------
    config : Config
    taps : int
        Terms of a window.
    count : int
        Windows.
    blocks : int
        Vectors of the channels.
    join : callable
        From what there is so far and a further term.
    own, shared : tuple of str
        NumPy names of formats: of what each tap takes of the windows, and of what it takes that all of them share.
    total : str
        Format of what passes leave to the next.
    term : callable, optional
        From these operands of a tap to its term; by default the one operand.
    finish : callable, optional
    copies : int
        Copies of the result that readers are expected to want.
    tied : bool
        As of `Chains`.
    """

    config: Config
    taps: int
    count: int
    blocks: int
    join: Callable[[Expr, Expr], Expr]
    own: tuple[str, ...]
    total: str
    shared: tuple[str, ...] = ()
    term: Callable[..., Expr] | None = None
    finish: Callable[[Expr], Expr] | None = None
    copies: int = 1
    tied: bool = False

    @property
    def cycles(self) -> int:
        """About how many cycles the passes take, each after the one before."""
        return self._best[0]

    @property
    def passes(self) -> tuple[int, ...]:
        """How many taps each pass takes."""
        return self._best[1]

    def build(self, program: Program, own: Sequence[Sequence[View]], shared: Sequence[Sequence[View]] = ()) -> View:
        """Return the fold of views of shape (count, channels), and of shared ones of shape (channels,), of every tap.

        Returns
        -------
        View
            Shape (count, channels).
        """
        first, total = 0, None
        for taps in self.passes:
            chains = self._chains(first, taps)
            part = slice(first, first + taps)
            mine = [view for views in own[part] for view in views]
            others = [view for views in shared[part] for view in views]
            total = chains.over(program, mine if total is None else [total, *mine], others)
            first += taps
        assert total is not None
        return total

    @cached_property
    def _best(self) -> tuple[int, tuple[int, ...]]:
        """Cycles and passes that take the fewest, from the last pass to the first."""
        alus = self.config.alu_rows * self.config.alu_cols
        rest: list[tuple[int, tuple[int, ...]]] = [(0, ())]
        # A pass depends on whether it is the first or the last, and on its taps: equal ones are looked at once.
        known: dict[tuple[bool, int, bool], int | None] = {}
        for first in reversed(range(self.taps)):
            found = []
            for taps in range(1, min(self.taps - first, alus) + 1):
                kind = first == 0, taps, first + taps == self.taps
                if kind not in known:
                    chains = self._chains(first, taps)
                    # One tap is not cut further here: an expression may be cut later.
                    fits = taps == 1 or chains.fits(1)
                    known[kind] = chains.cycles(self.count, blocks=self.blocks) if fits else None
                cycles = known[kind]
                if cycles is None:
                    continue
                after, passes = rest[self.taps - first - taps]
                found.append((cycles + after, (taps, *passes)))
            rest.append(min(found))
        return rest[self.taps]

    def _chains(self, first: int, taps: int) -> Chains:
        """Return the chains of a pass that takes `taps` terms from number `first` on."""
        own, shared = len(self.own), len(self.shared)
        last = first + taps == self.taps

        def function(*values: Expr) -> Expr:
            total, rest = (None, values) if first == 0 else (values[0], values[1:])
            operands, others = rest[: taps * own], rest[taps * own :]
            for tap in range(taps):
                mine = *operands[tap * own : (tap + 1) * own], *others[tap * shared : (tap + 1) * shared]
                value = mine[0] if self.term is None else self.term(*mine)
                total = value if total is None else self.join(total, value)
            assert total is not None
            total = convert(total, self.total)
            return self.finish(total) if last and self.finish is not None else total

        before = () if first == 0 else (self.total,)
        copies = self.copies if last else 1
        return Chains(
            self.config, function, before + self.own * taps, self.shared * taps, copies=copies, tied=self.tied
        )
