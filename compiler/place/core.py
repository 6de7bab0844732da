"""The core: takes one operation after another, and gives each its place and its time together.

Of every operation a few choices are tried against the real reservations and the real free words; the one whose results
are there first is committed. Nothing that is committed is taken back. What fails is mended where it fails: an operation
waits until words are free, gets a copy of an operand where it wants it, or is taken apart.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from arch.errors import TaktError
from compiler.ir.operation import Operation
from compiler.memory.demand import Demand
from compiler.place.lowerings import lowering_of
from compiler.place.operands import connect_known
from compiler.place.ranking import written_banks
from compiler.place.refusal import reason_of
from compiler.place.repair import copies_for, gather_operands
from compiler.place.state import PlacementState
from compiler.place.trial import AnyPlan, Choice, Trial, adopt, commit, give_up, savepoint

_BREADTH = 8, 4
"""Plans of an operation that are tried, in a small program and in one with many operations."""

_LARGE = 24
"""Macro-operations of a product from which on the first plan that is possible is taken: trials cost time."""

_MANY = 24
"""Operations of a program from which on equal ones reuse the choice of the first: others are hardly better."""

_LATER = 8
"""Cycles by which an operation may take longer than an equal one did, to be placed likewise."""

_WAITS = 12
"""Moments at which words become free that an operation without room waits for."""

_SUPPLIED = 4
"""Plans beside the preferred one for which operands are copied."""

_ROUNDS = 3
"""Times that operands of a plan are copied until it is possible."""

_SPARED = (8, 4, 2)
"""Parts of all slices that passes spare which do the work of one that has found no place."""

_SLACK = 64
"""Cycles by which a product may be later than planned."""

_FOLLOWING = 2
"""Passes after one that it leaves ALUs for, if it can."""
_FOLLOWING_COPIED = 4


class PlacementError(TaktError):
    """Refusal of an operation for which there is no place or no time, with the reason."""


class Core:
    """Places operations in their order.

    Parameters
    ----------
    state : PlacementState
        Empty but for states; changed by every operation that is placed.
    operations : sequence of Operation
        In an order in which operands come before their users.

    Raises
    ------
    TaktError
        When an operation has no plan: no ALU does it, or the mesh is too small.
    """

    def __init__(self, state: PlacementState, operations: Sequence[Operation]) -> None:
        self._state = state
        self._operations = list(operations)
        self._point = savepoint(state, operations[0])
        self._chosen: dict[object, tuple[int, bool, int]] = {}
        # Products of which an equal one was better done without its epilogue, which came after it.
        self._apart: set[object] = set()
        self._numbers = {op: number for number, op in enumerate(operations)}
        self._plans: dict[Operation, Sequence[AnyPlan]] = {}
        # All demands before any place: whoever makes a tensor has to know its readers, to leave it where they want
        # it.
        demands = self._declared(operations)
        state.declare(operations, demands, [op for op in operations if lowering_of(op).has_neighbours])
        self._prepare()
        self.plans: dict[Operation, AnyPlan] = {}
        """The plan of each operation that is placed."""

    def _declared(self, operations: Sequence[Operation]) -> dict[Operation, list[Demand]]:
        """Take the plans of operations; return what they read under the preferred ones."""
        for op in operations:
            self._plans[op] = lowering_of(op).plans(op, self._state.policy)
        return {op: [*lowering_of(op).demands(op, self._plans[op][0], self._state.stored)] for op in operations}

    def _trial(self, op: Operation, choice: Choice) -> Trial:
        """Return a trial of a choice, of which nothing is placed yet."""
        demands: Iterable[Demand] = self._state.demands[op]
        if choice.plan is not self._plans[op][0]:
            demands = lowering_of(op).demands(op, choice.plan, self._state.stored)
        return Trial(op, choice, {demand.key: demand for demand in demands})

    def _prepare(self) -> None:
        """Place what the host writes, for the preferred plans, weights first.

        It needs words that nothing has used before, and there are most of these now; and results that come later keep
        clear of what their readers read beside them. What finds no room now is tried again with its operation.
        """
        state = self._state
        # Weights fill whole groups of slices and fit few places; single operands fit in what is left.
        for step in ("weights", "stationary", "operands"):
            for op in self._operations:
                choice = Choice(self._plans[op][0])
                trial = self._trial(op, choice)
                trial.storage.ports = dict(state.ports[op])
                if op in state.held:
                    trial.storage.weights = dict(state.held[op])
                point = savepoint(state, op)
                if lowering_of(op).prepare(state, trial, choice, step):
                    adopt(state, trial)
                else:
                    give_up(state, point)

    def place(self, op: Operation) -> None:
        """Place one operation.

        Raises
        ------
        PlacementError
            When there is no place or no time for it.
        """
        state, point = self._state, savepoint(self._state, op)
        end = self._place(op)
        if end is None:
            give_up(state, point)
            state.thorough = True
            end = self._place(op)
            state.thorough = False
        if end is None:
            # After everything else, when every word is free that ever will be: what fails even then is the reason.
            last = Choice(self._plans[op][0], dense=True, loose=True, when=state.scheduler.retired)
            raise PlacementError(reason_of(state, self._trial(op, last)))

    def _place(self, op: Operation) -> int | None:
        """Place one operation, mended if need be; return its end, None if it has no place."""
        if lowering_of(op).signature(op) in self._apart:
            point = savepoint(self._state, op)
            end = self._place_apart(op, lowering_of(op).apart(op, self._state.policy.latched))
            if end is not None:
                return end
            give_up(self._state, point)
        best = self._like_before(op) or self._best(self._choices(op), op)
        if best is not None and self._is_late(best, self._plans[op][0]):
            best = self._supplied(op, best)
        # Fused, sums are spared a way through MEM, but planes have to wait for ALUs: where these are taken, sums that
        # go to MEM first may be done sooner.
        if best is None or self._is_late(best):
            apart = lowering_of(op).apart(op, self._state.policy.latched)
            if apart:
                return self._place_either(op, best, apart)
        best = best or self._mended(op)
        return self._place_smaller(op) if best is None else self._commit(best)

    def _like_before(self, op: Operation) -> Trial | None:
        """Return a trial of the choice that was best for an equal operation before, if it is as good here."""
        known = self._chosen.get(lowering_of(op).signature(op))
        if known is None or known[0] >= len(self._plans[op]):
            return None
        number, fresh, cycles = known
        choice = Choice(self._leaving_alus(op, self._plans[op][number]), fresh=fresh, dense=self._state.policy.dense)
        point = self._point = savepoint(self._state, op)
        found = self._try(op, choice)
        # The same choice may fare worse beside other neighbours: then all of them are tried.
        if found is not None and self._cycles(found) <= cycles + max(_LATER, cycles // 16):
            return found
        give_up(self._state, point)
        return None

    def _commit(self, trial: Trial) -> int:
        op, lowering = trial.op, lowering_of(trial.op)
        # What was a repair there need not be one here.
        if len(self._operations) > _MANY and not trial.choice.loose:
            plan = trial.choice.plan
            number = next((n for n, one in enumerate(self._plans[op]) if lowering.is_like(one, plan)), None)
            if number is not None:
                self._chosen[lowering.signature(op)] = number, trial.choice.fresh, self._cycles(trial)
        commit(self._state, trial)
        self.plans[trial.op] = trial.choice.plan
        return trial.end

    def _cycles(self, trial: Trial) -> int:
        """Return the cycles that an operation takes from when it could begin: no choice brings text sooner."""
        arrival = self._state.scheduler.arrival(template.macro for template, _ in trial.started)
        return trial.end - max(trial.window[0], arrival)

    def _is_late(self, trial: Trial, plan: AnyPlan | None = None) -> bool:
        """Return whether an operation takes so much longer than its plan, or another, that something is in its way."""
        estimate = (plan or trial.choice.plan).estimate
        return self._cycles(trial) > int(estimate) * 5 // 4 + _SLACK

    def _place_either(self, op: Operation, fused: Trial | None, pieces: Sequence[Operation]) -> int | None:
        """Place a product with its epilogue, or one after the other: what ends first, or what is possible."""
        choice, end = (None, None) if fused is None else (fused.choice, fused.end)
        state = self._state
        if fused is not None:
            # There is one state only: to try the other way this one has to go, and comes back by being tried again.
            give_up(state, self._point)
        point = savepoint(state, op)
        apart = self._place_apart(op, pieces)
        if apart is not None and (end is None or apart < end):
            if len(self._operations) > _MANY:
                self._apart.add(lowering_of(op).signature(op))
            return apart
        give_up(state, point)
        best = self._mended(op) if choice is None else self._best(iter([replace(choice, fresh=False)]), op)
        return None if best is None else self._commit(best)

    def _place_smaller(self, op: Operation) -> int | None:
        """Place a pass for which there is no place in passes that read from fewer slices; return as `_place`."""
        point = savepoint(self._state, op)
        for part in _SPARED:
            spared = self._state.config.slices // part
            pieces = lowering_of(op).pieces(op, spared, self._state.policy.latched)
            end = self._place_apart(op, pieces) if len(pieces) > 1 else None
            if end is not None:
                return end
            give_up(self._state, point)
        return None

    def _place_apart(self, op: Operation, pieces: Sequence[Operation]) -> int | None:
        """Place operations that do the work of one, in their order; return the end, None if one has no place."""
        state = self._state
        self._numbers |= dict.fromkeys(pieces, self._numbers[op])
        # From now on it is the pieces that read what the product did.
        state.replace(op, pieces, self._declared(pieces))
        for piece in pieces:
            connect_known(state, piece)
        end = None
        for piece in pieces:
            end = self._place(piece)
            if end is None:
                return None
        return end

    def _choices(self, op: Operation) -> Iterator[Choice]:
        breadth = _BREADTH[len(self._operations) > _MANY]
        for plan in self._plans[op][:breadth]:
            yield Choice(self._leaving_alus(op, plan), dense=self._state.policy.dense)

    def _best(self, choices: Iterator[Choice], op: Operation, first: bool = False) -> Trial | None:
        """Return the trial of the best choice, all of it taken; None when none is possible, and nothing is taken."""
        state = self._state
        point = self._point = savepoint(state, op)
        best: Trial | None = None
        taken: Trial | None = None
        least = min(plan.estimate for plan in self._plans[op])
        for choice in choices:
            for fresh in (False, True):
                # Copies of its own take MEM: worth a try only where sharing somebody else's may have made it wait.
                if fresh and (taken is None or not taken.shared):
                    break
                # A trial that cannot end before the best so far gives up as soon as that is seen.
                limit = None if best is None else best.end
                give_up(state, point)
                taken = self._try(op, replace(choice, fresh=fresh, limit=limit))
                if taken is not None and (best is None or taken.end < best.end):
                    best = taken
                if taken is None:
                    break
            # The plan that should be fastest need not come first: others may leave more to their neighbours.
            if best is not None and (first or (len(best.started) > _LARGE and choice.plan.estimate <= least)):
                break
        # The tables hold the last trial, or nothing. The same state gives the same answer once more.
        if best is not None and taken is not best:
            give_up(state, point)
            # With its limit: without one another pace might be the first to start, and end later.
            again = self._try(op, best.choice)
            assert again is not None and again.end == best.end
            return again
        if best is None:
            give_up(state, point)
        return best

    def _try(self, op: Operation, choice: Choice) -> Trial | None:
        trial = self._trial(op, choice)
        return trial if lowering_of(op).attempt(self._state, trial, choice) else None

    def _mended(self, op: Operation) -> Trial | None:
        """Return a trial of an operation for which no choice was possible as things were."""
        state, plans = self._state, self._plans[op]
        every = [self._leaving_alus(op, plan) for plan in plans]
        # What was prepared suits one plan, and takes words that another one may need.
        state.unprepare(op)
        modes = ((False, False), (True, False), (True, True))
        more = [Choice(plan, dense=dense, loose=loose) for dense, loose in modes for plan in every]
        found = self._best(iter(more), op, first=True)
        # A copy takes cycles and words of its own, so only after all that needs none. Where the preferred plan's do not
        # help, those of plans that read and write less at a time may: these are last.
        for plan in () if found is not None else (plans[0], *plans[:0:-1][:_SUPPLIED]):
            point = savepoint(state, op)
            # What an operation lacks hides what is in its way, which only the next trial finds.
            for _ in range(_ROUNDS):
                if found is not None or not self._supply(op, plan):
                    break
                found = self._best(iter(more), op, first=True)
            if found is not None:
                break
            give_up(state, point)
        # No words are in its way but its own: operands that lie in fewer slices leave others to results.
        if found is None and state.thorough and gather_operands(state, self._tried(op, plans[0])):
            found = self._best(iter(more), op, first=True)
        if found is not None:
            return found
        self._supply(op, plans[0])
        when = 0
        for _ in range(_WAITS):
            later = state.words.next_release(when)
            if later is None:
                break
            # Not every single word: they become free one after another.
            when = later + max(8, (state.scheduler.retired - later) // 8)
            waiting = (
                Choice(plan, dense=dense, loose=loose, when=when)
                for dense, loose in modes
                for plan in every[: _BREADTH[1]]
            )
            found = self._best(waiting, op, first=True)
            if found is not None:
                return found
        return None

    def _tried(self, op: Operation, plan: AnyPlan) -> Trial:
        """Return a trial of which nothing stays, to learn what it lacks and what is in its way."""
        trial, point = self._trial(op, Choice(plan)), savepoint(self._state, op)
        lowering_of(op).attempt(self._state, trial, trial.choice)
        give_up(self._state, point)
        return trial

    def _supply(self, op: Operation, plan: AnyPlan) -> bool:
        """Make copies of what a plan lacks, or finds beside something else that it reads."""
        wanted = self._wanted(self._tried(op, plan))
        return bool(wanted) and copies_for(self._state, wanted)

    def _wanted(self, trial: Trial) -> list[Demand]:
        """Return the demands of a trial that it lacks a copy for, or finds beside something else that it reads."""
        return trial.lacking or trial.clashing or self._overwritten(trial)

    def _overwritten(self, trial: Trial) -> list[Demand]:
        """Return the demands of a trial read from banks that its operation has to write."""
        fixed, ports = written_banks(self._state, trial.op), trial.storage.ports
        return [
            demand
            for key, demand in trial.demands.items()
            if fixed and key in ports and fixed & ports[key].banks(self._state.config.mem_depth)
        ]

    def _supplied(self, op: Operation, late: Trial) -> Trial:
        """Return a trial with copies of operands that are in each other's way, or the late one if that is no later."""
        state, point = self._state, self._point
        if lowering_of(op).is_like(late.choice.plan, self._plans[op][0]) and not self._wanted(late):
            # Busy units are in its way, which copies do not change.
            return late
        give_up(state, point)
        if self._supply(op, self._plans[op][0]):
            # Copies are for the preferred plan.
            found = self._best(iter([next(self._choices(op))]), op)
            if found is not None and found.end < late.end:
                return found
        give_up(state, point)
        self._point = point
        again = self._try(op, late.choice)
        assert again is not None and again.end == late.end
        return again

    def _leaving_alus(self, op: Operation, plan: AnyPlan) -> AnyPlan:
        """Return a plan that tries first what leaves ALUs for the passes that follow."""
        if not plan.mappings:
            return plan
        window = _FOLLOWING_COPIED if self._state.policy.copied else _FOLLOWING
        number = self._numbers[op]
        before = self._operations[max(number - window, 0) : number]
        after = self._operations[number + 1 : number + 1 + window]
        earlier = [self.plans[other].mappings for other in before if other in self.plans]
        later = [self._plans[other][0].mappings for other in after]
        found: AnyPlan = lowering_of(op).leaving_alus(
            plan, [one for one in earlier if one is not None], [one for one in later if one is not None]
        )
        return found
