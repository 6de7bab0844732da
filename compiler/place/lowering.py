"""Lowering: the protocol of what the core has to know of a kind of operation, and what most kinds have in common."""

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from compiler.ir.operation import Operation
from compiler.ir.tensor import Tensor
from compiler.memory.copies import Template
from compiler.memory.demand import Demand
from compiler.mesh.mapping import Mapping
from compiler.place.operands import place_host
from compiler.place.policy import Policy
from compiler.place.state import PlacementState
from compiler.place.trial import Choice, Trial, give_up, savepoint
from compiler.schedule.footprint import meetings

_MOVES = 4
"""Times that results are moved away from where an operation would be in its own way."""


class Lowering(Protocol):
    """Lowering of a kind of operation.

    Attributes
    ----------
    has_neighbours : bool
        Whether it passes vectors, one after another, beside the passes that come before and after it.
    """

    has_neighbours: bool

    def pieces(self, op: Any, spared: int, latched: bool) -> Sequence[Operation]:
        """Return operations that do the work of one, which finds units and slices in these pieces only.

        Each leaves `spared` slices to others. It is the operation itself if that fits, or if nothing helps.
        """
        ...

    def apart(self, op: Any, latched: bool) -> Sequence[Operation]:
        """Return operations that do, one after another, what one does fused; none if nothing is fused."""
        ...

    def plans(self, op: Any, policy: Policy) -> Sequence[Any]:
        """Return the plans of an operation, the most promising first.

        Raises
        ------
        TaktError
            When no unit does it.
        """
        ...

    def demands(self, op: Any, plan: Any, stored: Callable[[Tensor], bool]) -> Iterator[Demand]:
        """Yield what an operation reads under a plan."""
        ...

    def leaving_alus(self, plan: Any, earlier: Sequence[Sequence[Mapping]], later: Sequence[Sequence[Mapping]]) -> Any:
        """Return a plan that tries first what leaves ALUs for operations before and after, given their mappings."""
        ...

    def is_like(self, plan: Any, other: Any) -> bool:
        """Return whether two plans are one, but for what `leaving_alus` changes."""
        ...

    def rate(self, op: Any, plan: Any) -> int:
        """Return the multiply-accumulates per cycle of the planes that a plan uses."""
        ...

    def signature(self, op: Any) -> object:
        """Return what operations have in common for which the same choice is best."""
        ...

    def prepare(self, state: PlacementState, trial: Trial, choice: Choice, step: str) -> bool:
        """Place what the host writes for an operation: ``weights``, ``stationary`` operands of a product and its
        others, ``operands`` of other operations.
        """
        ...

    def attempt(self, state: PlacementState, trial: Trial, choice: Choice) -> bool:
        """Place storage and cycles of an operation, tentatively; return whether that is possible.

        What the trial holds then is what to commit. Otherwise the caller returns the state to where it was; `lacking`
        and `clashing` of the trial may say which operands were in the way.
        """
        ...


class Whole:
    """Lowering of an operation that is fused of nothing, and of which the host writes operands only."""

    has_neighbours = True

    def pieces(self, op: Any, spared: int, latched: bool) -> Sequence[Operation]:
        """Return the operation."""
        return [op]

    def apart(self, op: Any, latched: bool) -> Sequence[Operation]:
        """Return nothing."""
        return []

    def leaving_alus(self, plan: Any, earlier: Sequence[Sequence[Mapping]], later: Sequence[Sequence[Mapping]]) -> Any:
        """Return the plan, which chooses no ALUs."""
        return plan

    def is_like(self, plan: Any, other: Any) -> bool:
        """Return whether two plans are the same one."""
        return plan is other

    def rate(self, op: Any, plan: Any) -> int:
        """Return 0: it uses no planes."""
        return 0

    def prepare(self, state: PlacementState, trial: Trial, choice: Choice, step: str) -> bool:
        """Place what the host writes for the ports of an operation."""
        return step != "operands" or place_host(state, trial, fresh=False)


@dataclass(frozen=True, eq=False)
class MovePlan:
    """Plan of an operation that needs neither ALUs nor planes: where it runs is found when it is tried.

    Attributes
    ----------
    estimate : int
        Rough cycles.
    """

    estimate: int
    planes = 0
    mappings: ClassVar[tuple[Mapping, ...]] = ()


def place_clear(
    state: PlacementState,
    trial: Trial,
    results: Callable[[Set[int]], bool],
    cycles: Callable[[], bool],
    template: Callable[[], Template],
) -> bool:
    """Place results and cycles of an operation, results first where there is room, then where that gives it cycles.

    Parameters
    ----------
    state : PlacementState
    trial : Trial
    results : callable
        Places the results outside of some slices; returns whether there is room.
    cycles : callable
        Places the cycles for these results; returns whether there are any.
    template : callable
        Returns the operation for these results, which has no cycles.
    """
    point, choice = savepoint(state, trial.op), trial.choice
    met: set[int] = set()
    moves = _MOVES if choice.loose and state.thorough else 0
    # Not where it reads; and if that is too much to ask, not where a queue would have to READ and WRITE in one cycle.
    for bar in (set[int](), trial.slices_read, *[met] * moves):
        if results(bar):
            if cycles():
                return True
            if choice.limit is not None:
                return False
            trial.is_stuck = True
            if moves:
                met |= {key[1] for key in meetings(state.config, template().macro) if isinstance(key, tuple)}
        elif not moves:
            return False
        give_up(state, point)
        trial.storage.outputs, trial.started = [], []
        trial.parts, trial.published, trial.computed = [], [], []
    return False


def place_first(state: PlacementState, trial: Trial, templates: Sequence[Template], limit: int | None) -> bool:
    """Place the one of several templates that can start first."""
    best: tuple[int, Template] | None = None
    point = state.scheduler.mark()
    for template in templates:
        bounds = [] if limit is None else [limit - template.end]
        bounds += [] if best is None else [best[0]]
        # Placed to see when, and taken back at once.
        start = state.scheduler.place(template.macro, template.needs, min(bounds, default=None))
        state.scheduler.rollback(point)
        if start is not None:
            best = start, template
    if best is None:
        return False
    first, template = best
    start = state.scheduler.place(template.macro, first)
    assert start is not None
    trial.started.append((template, start))
    return True
