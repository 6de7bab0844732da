"""The table of lowerings: for each kind of operation its plans, its demands, and how one plan is tried.

Nothing else tells kinds apart: whoever has an operation asks its lowering, or the operation itself.
"""

from collections.abc import Callable, Iterator, Sequence, Set
from functools import partial

import numpy as np

from arch.geometry import UnitKind
from compiler.ir.gather import Gather
from compiler.ir.matmul import MatMul
from compiler.ir.operation import Operation
from compiler.ir.scatter import Scatter
from compiler.ir.switch import Switch
from compiler.ir.tensor import Tensor
from compiler.ir.vector import Operand, Pass
from compiler.lower.mem.gather import gather_template
from compiler.lower.mem.scatter import scatter_template
from compiler.lower.mxm.group import Group, GroupBuilder, period, teams_of
from compiler.lower.mxm.plan import Plan, plans
from compiler.lower.parts import blocks_of, parts_of, starts_of
from compiler.lower.storage import OperationStorage
from compiler.lower.sxm.builder import switch_templates
from compiler.lower.vxm.builder import PassBuilder
from compiler.lower.vxm.cut import cut
from compiler.lower.vxm.plan import PassPlan, pass_plans
from compiler.memory.copies import Template
from compiler.memory.demand import Demand
from compiler.mesh.mapping import Mapping
from compiler.place.demands import demands_of_pass, demands_of_product, demands_of_scatter, demands_of_switch
from compiler.place.lowering import Lowering, MovePlan, Whole, place_clear, place_first
from compiler.place.operands import first_cycle, place_host, place_operands
from compiler.place.policy import Policy
from compiler.place.products import count_sums, place_product, place_stationary, place_weights
from compiler.place.results import place_results
from compiler.place.state import PlacementState
from compiler.place.switched import place_switched
from compiler.place.tables import place_gathered, table_choices
from compiler.place.trial import Choice, Trial, give_up, savepoint

_AHEAD = 48
"""Cycles that a part of a pass must be ready before the whole to start by itself."""

_SOON = 8
"""Cycles that a product rather waits for ALUs than that others are looked for."""

_PORTIONS = 4
"""Parts of a segment of text: an operation with more text than one of these is placed in parts."""

_SHARES = 6
"""Most ways to share a Gather that are tried."""


def _free_states(state: PlacementState, op: Pass, storage: OperationStorage) -> None:
    """Let what overwrites a state come after all reads of it."""
    for result, copies in zip(op.results, storage.outputs, strict=True):
        # Words of a state are never released, so that nothing but this keeps new values behind reads of the old ones.
        changed = copies if result.tensor in state.states else state.written.get(result.tensor, [])
        for copy in changed:
            copy.free = copy.last + 1


def _hosted(operands: Sequence[Operand]) -> tuple[int | None, ...]:
    """Return how many vectors the host writes of each operand; None of results."""
    return tuple(None if one.vectors is None else len(one.vectors) for one in operands)


def _signature_of_pass(op: Pass) -> object:
    return Pass, op.graph, op.steps, op.interval, op.turn, op.within, _hosted(op.operands)


def _portions(state: PlacementState, template: Template) -> int:
    """Return in how many parts an operation is to be placed, so that segments of text end between them."""
    segment = state.policy.segment
    return 1 if segment is None else -(-state.scheduler.words(template.macro) * _PORTIONS // segment)


class PassLowering(Whole):
    """Lowering of a pass through the VXM."""

    def pieces(self, op: Pass, spared: int, latched: bool) -> Sequence[Operation]:
        """Return passes of parts of the expression, that mesh and slices have room for."""
        return cut(op, spared, latched)

    def leaving_alus(
        self, plan: PassPlan, earlier: Sequence[Sequence[Mapping]], later: Sequence[Sequence[Mapping]]
    ) -> PassPlan:
        """Return the plan with those mappings first that leave ALUs for the passes that follow."""
        return plan.leaving_alus(earlier, later)

    def is_like(self, plan: PassPlan, other: PassPlan) -> bool:
        """Return whether plans differ in the order of their mappings at most."""
        return set(plan.mappings) == set(other.mappings)

    def signature(self, op: Pass) -> object:
        """Return expression, steps, pace, and what is host's of the operands of a pass."""
        return _signature_of_pass(op)

    def plans(self, op: Pass, policy: Policy) -> Sequence[PassPlan]:
        """Return groups of mappings."""
        return pass_plans(op, policy.latched, policy.sparse)

    def demands(self, op: Pass, plan: PassPlan, stored: Callable[[Tensor], bool]) -> Iterator[Demand]:
        """Yield one demand per stream."""
        return demands_of_pass(op, plan)

    def attempt(self, state: PlacementState, trial: Trial, choice: Choice) -> bool:
        """Place a pass in ALUs in which it can start first; without pauses if those do not let it start earlier."""
        op, plan = trial.op, choice.plan
        assert isinstance(op, Pass) and isinstance(plan, PassPlan)
        if not place_operands(state, trial, choice.fresh):
            return False
        # It cannot run sooner: words that are in use until then will do for its results.
        start = first_cycle(state, trial, dict.fromkeys(trial.storage.ports, op.times))
        trial.window = start, start + op.duration

        def results(bar: Set[int]) -> bool:
            found = place_results(state, trial, op, choice, max(choice.when, start), bar)
            if found:
                _free_states(state, op, trial.storage)
            return found

        return place_clear(
            state,
            trial,
            results,
            lambda: self._place_parts(state, trial, op, choice),
            lambda: PassBuilder(op, trial.storage, plan.mappings[0]).build(),
        )

    def _place_parts(self, state: PlacementState, trial: Trial, op: Pass, choice: Choice) -> bool:
        """Place the cycles of a pass whose words are placed, in parts if that lets it start earlier."""
        plan = choice.plan
        if not op.makes or any(result.tensor in state.written for result in op.results):
            return self._place(state, trial, op, trial.storage, plan, choice.limit)
        if state.policy.segment is not None:
            return self._place_apart(state, trial, op, choice)
        if state.policy.copied:
            return self._place(state, trial, op, trial.storage, plan, choice.limit)
        parts = [*blocks_of(op, trial.storage)]
        # Blocks that are ready much earlier than the last one need not wait for it.
        if parts:
            first, found = parts[0]
            part, whole = (
                PassBuilder(plan.paces(item)[0], storage, plan.mappings[0]).build().needs
                for item, storage in ((first, found), (op, trial.storage))
            )
            # Parts have text of their own, and are in each other's way: it has to be worth it.
            if part + max(_AHEAD, op.steps // (2 * len(parts))) < whole:
                return all(self._place(state, trial, item, where, plan, choice.limit) for item, where in parts)
        return self._place(state, trial, op, trial.storage, plan, choice.limit)

    def _place_apart(self, state: PlacementState, trial: Trial, op: Pass, choice: Choice) -> bool:
        """Place a pass in parts, each of which has its place in a segment of text."""
        plan = choice.plan
        whole = PassBuilder(plan.paces(op)[0], trial.storage, plan.mappings[0]).build()
        parts = parts_of(op, trial.storage, _portions(state, whole), starts_of(op))
        return all(self._place(state, trial, part, storage, plan, choice.limit) for part, storage in parts)

    def _place(
        self,
        state: PlacementState,
        trial: Trial,
        op: Pass,
        storage: OperationStorage,
        plan: PassPlan,
        limit: int | None,
    ) -> bool:
        """Place a pass, or a part of one, in the mapping and pace in which it can start first.

        A pace without pauses leaves slices sooner: others have to start earlier by its duration. Mappings with the same
        levels access MEM alike, and so cannot start before these accesses can; where one does, the others are not even
        built.
        """
        best: tuple[int, int, Template] | None = None
        point = state.scheduler.mark()
        paces = plan.paces(op)
        for number, pace in enumerate(paces):
            # Paused, it is in the way of others for longer: it has to start much earlier to be worth it.
            handicap = paces[0].duration if number else 0
            built: dict[object, tuple[PassBuilder, int | None]] = {}
            for mapping in plan.mappings:
                levels = (
                    tuple(stream.level for stream in mapping.streams),
                    tuple(mapping.cells[output].level for output in mapping.outputs),
                )
                like, least = built.get(levels, (None, None))
                if like is not None and (least is None or (best is not None and least + handicap >= best[0])):
                    continue
                builder = PassBuilder(pace, storage, mapping)
                template = builder.build(like)
                bounds = [] if limit is None else [limit - template.end]
                bounds += [] if best is None else [best[0] - handicap]
                bound = min(bounds, default=None)
                if like is None:
                    least = state.scheduler.place(builder.access, template.needs, bound)
                    state.scheduler.rollback(point)
                    built[levels] = builder, least
                    if least is None:
                        continue
                assert least is not None
                start = state.scheduler.place(template.macro, least, bound)
                state.scheduler.rollback(point)
                if start is not None:
                    best = start + handicap, start, template
        if best is None:
            return False
        _, start, template = best
        # Nothing has changed since the start was found.
        placed = state.scheduler.place(template.macro, start, start + 1)
        assert placed == start
        trial.started.append((template, start))
        return True


class SwitchLowering(Whole):
    """Lowering of an operation of the SXM."""

    def plans(self, op: Switch, policy: Policy) -> Sequence[MovePlan]:
        """Return the one plan."""
        return [MovePlan(op.duration)]

    def signature(self, op: Switch) -> object:
        """Return steps, size of an element, and what is host's of the operands."""
        return Switch, op.steps, op.interval, _hosted(op.operands)

    def demands(self, op: Switch, plan: MovePlan, stored: Callable[[Tensor], bool]) -> Iterator[Demand]:
        """Yield one demand per operand."""
        return demands_of_switch(op)

    def attempt(self, state: PlacementState, trial: Trial, choice: Choice) -> bool:
        """Place a switch operation in the queue in which it can start first."""
        op = trial.op
        assert isinstance(op, Switch)
        if not place_operands(state, trial, choice.fresh):
            return False
        start = first_cycle(state, trial, {key: op.times[port.used] for key, port in trial.storage.ports.items()})
        trial.window = start, start + op.duration
        return place_clear(
            state,
            trial,
            lambda bar: place_switched(state, trial, op, choice, max(choice.when, start), bar),
            lambda: self._place_parts(state, trial, op, choice.limit),
            lambda: switch_templates(op, trial.storage)[0],
        )

    def _place_parts(self, state: PlacementState, trial: Trial, op: Switch, limit: int | None) -> bool:
        """Place the cycles of a switch operation, in parts where text comes in segments."""
        templates = switch_templates(op, trial.storage)
        count = _portions(state, templates[0])
        if count < 2:
            return place_first(state, trial, templates, limit)
        for part, storage in parts_of(op, trial.storage, count, np.ones(op.steps, np.bool_)):
            if not place_first(state, trial, switch_templates(part, storage), limit):
                return False
        return True


class GatherLowering(Whole):
    """Lowering of a Gather."""

    def plans(self, op: Gather, policy: Policy) -> Sequence[MovePlan]:
        """Return the one plan."""
        return [MovePlan(op.blocks * op.m)]

    def signature(self, op: Gather) -> object:
        """Return the vectors that are gathered."""
        return Gather, op.blocks * op.m

    def demands(self, op: Gather, plan: MovePlan, stored: Callable[[Tensor], bool]) -> Iterator[Demand]:
        """Yield nothing: table and indices are placed with the work."""
        return iter(())

    def attempt(self, state: PlacementState, trial: Trial, choice: Choice) -> bool:
        """Place a Gather in the fastest share of the work that finds room."""
        op = trial.op
        assert isinstance(op, Gather)
        point = savepoint(state, op)
        # Among more slices it is faster and takes more room: the fastest that finds room is taken.
        for way, share in table_choices(state, op, choice)[:_SHARES]:
            if place_gathered(state, trial, op, way, share, choice):
                template = gather_template(op, trial.storage)
                if place_first(state, trial, [template], choice.limit):
                    return True
            give_up(state, point)
            trial.storage, trial.maps, trial.published = OperationStorage(), [], []
        return False


class ScatterLowering(Whole):
    """Lowering of a Scatter."""

    def plans(self, op: Scatter, policy: Policy) -> Sequence[MovePlan]:
        """Return the one plan."""
        return [MovePlan(op.duration)]

    def signature(self, op: Scatter) -> object:
        """Return steps, and what is host's of rows and indices."""
        return Scatter, op.steps, _hosted(op.operands)

    def demands(self, op: Scatter, plan: MovePlan, stored: Callable[[Tensor], bool]) -> Iterator[Demand]:
        """Yield rows and indices."""
        return demands_of_scatter(op)

    def attempt(self, state: PlacementState, trial: Trial, choice: Choice) -> bool:
        """Place a Scatter after all reads of the state as it was."""
        op = trial.op
        assert isinstance(op, Scatter)
        if not place_operands(state, trial, choice.fresh):
            return False
        # In place: an index is a distance from the first row, so rows cannot move.
        trial.storage.outputs = [state.copies[op.state]]
        trial.storage.scattering = state.targets[op.state]
        return place_first(state, trial, [scatter_template(op, trial.storage)], choice.limit)


class ProductLowering(Whole):
    """Lowering of a matrix product with its epilogue."""

    # It takes far longer than a vector takes through a unit, and reads as its plan says.
    has_neighbours = False

    def pieces(self, op: MatMul, spared: int, latched: bool) -> Sequence[Operation]:
        """Return the product, and its epilogue as passes over the sums where it has no room on their way."""
        return [op] if op.epilogue is None or plans(op) else self.apart(op, latched)

    def apart(self, op: MatMul, latched: bool) -> Sequence[Operation]:
        """Return the product, and its epilogue as passes over the sums in MEM."""
        if op.epilogue is None:
            return []
        product, rest = op.apart()
        return [product, *cut(rest, 0, latched)]

    def rate(self, op: MatMul, plan: Plan) -> int:
        """Return the multiply-accumulates per cycle of the planes that a plan uses."""
        return plan.planes // op.array * op.config.vector_length**2 // op.interval

    def plans(self, op: MatMul, policy: Policy) -> Sequence[Plan]:
        """Return ways to share out the product among planes."""
        return plans(op)

    def signature(self, op: MatMul) -> object:
        """Return sizes, formats, and the epilogue of a product."""
        epilogue = None if op.epilogue is None else _signature_of_pass(op.epilogue)
        return MatMul, op.m, op.k, op.n, op.x.dtype, op.planes, op.ways, op.computed, epilogue

    def demands(self, op: MatMul, plan: Plan, stored: Callable[[Tensor], bool]) -> Iterator[Demand]:
        """Yield activations of every feeder, computed weights, and operands of the epilogue."""
        return demands_of_product(op, plan, stored)

    def prepare(self, state: PlacementState, trial: Trial, choice: Choice, step: str) -> bool:
        """Place weights, stationary operands, or activations and other operands."""
        op, plan = trial.op, choice.plan
        assert isinstance(op, MatMul)
        if step == "weights":
            return op.computed or place_weights(state, trial, op, plan)
        return step != "stationary" or self._operands(state, trial, partial(place_host, fresh=False))

    def _operands(self, state: PlacementState, trial: Trial, others: Callable[[PlacementState, Trial], bool]) -> bool:
        """Place stationary operands, then the others; where that leaves no room, the others first."""
        op = trial.op
        assert isinstance(op, MatMul)
        point, ports, known = savepoint(state, op), dict(trial.storage.ports), trial.counts()
        for tight in (False, True):
            alone = tight or place_stationary(state, trial, op, tight=False)
            if alone and others(state, trial) and (not tight or place_stationary(state, trial, op, tight=True)):
                return True
            # In another order it would be lacking too.
            if trial.lacking:
                return False
            give_up(state, point)
            trial.storage.ports = dict(ports)
            trial.cut(known)
        return False

    def attempt(self, state: PlacementState, trial: Trial, choice: Choice) -> bool:
        """Place all groups of a product, the feeders taking turns."""
        op, plan = trial.op, choice.plan
        assert isinstance(op, MatMul) and isinstance(plan, Plan)
        # Their maker has left them, or repair has to copy them first: how planes load them cannot be had otherwise.
        if op.computed:
            trial.storage.computed = state.computed.get(op)
            if trial.storage.computed is None:
                trial.lacking += [demand for demand in trial.demands.values() if demand.columns]
                return False
        elif not place_weights(state, trial, op, plan):
            return False
        if not self._operands(state, trial, partial(place_operands, fresh=choice.fresh)):
            return False
        start = self._first(state, trial, op, plan)
        trial.window = start, start
        count_sums(state, op, plan)
        if not place_product(state, trial, op, plan, choice, max(choice.when, start)):
            return False
        pending = teams_of(op, plan)
        earliest = [0] * len(pending)
        # Feeders run side by side: all groups of one first would leave the others what that has not taken.
        for turn in range(max(len(groups) for groups in pending)):
            for number, groups in enumerate(pending):
                if turn < len(groups):
                    found = self._place_group(state, trial, op, groups[turn], earliest[number], choice.limit)
                    if found is None:
                        return False
                    # Its planes are taken until then.
                    earliest[number] = found + groups[turn][0].feeder.tiles(op) * period(op, groups[turn])
        return True

    def _place_group(
        self, state: PlacementState, trial: Trial, op: MatMul, team: Sequence[Group], earliest: int, end: int | None
    ) -> int | None:
        """Place groups side by side with the ALUs with which they can start first; return the start, None without."""
        best: tuple[int, Template] | None = None
        point = state.scheduler.mark()
        least = earliest
        for ways in zip(*(group.feeder.alternatives for group in team), strict=True):
            groups = [group.through(chains) for group, chains in zip(team, ways, strict=True)]
            template = GroupBuilder(op, trial.storage, groups).build()
            least = max(least, template.needs)
            bounds = [] if end is None else [end - template.end]
            bounds += [] if best is None else [best[0]]
            start = state.scheduler.place(template.macro, least, min(bounds, default=None))
            if start is not None and start - least <= _SOON:
                trial.started.append((template, start))
                return start
            state.scheduler.rollback(point)
            if start is None and best is None:
                return None
            if best is None:
                # Where ALUs are not what it waits for, others are of no use.
                assert start is not None
                others = state.scheduler.place(template.macro.without(UnitKind.VXM), least, start)
                state.scheduler.rollback(point)
                least = start if others is None else others
            if start is not None:
                best = start, template
            if best is not None and best[0] - least <= _SOON:
                break
        assert best is not None
        # Nothing has changed since the start was found.
        placed = state.scheduler.place(best[1].macro, best[0], best[0] + 1)
        assert placed == best[0]
        trial.started.append((best[1], placed))
        return placed

    def _first(self, state: PlacementState, trial: Trial, op: MatMul, plan: Plan) -> int:
        """Return a cycle before which no activations can be read."""
        start = 0
        for number, feeder in enumerate(plan.feeders):
            every = feeder.period(op, feeder.blocks[0][1], feeder.groups[0])
            for part in range(feeder.parts):
                port = trial.storage.ports[number * feeder.parts + part]
                block, row = np.divmod(port.used, op.m)
                ready = port.words()[2][port.used] - block // feeder.parts * every - row * op.interval
                start = max(start, int(ready.min()))
        return start


LOWERINGS: dict[type, Lowering] = {
    MatMul: ProductLowering(),
    Pass: PassLowering(),
    Switch: SwitchLowering(),
    Gather: GatherLowering(),
    Scatter: ScatterLowering(),
}
"""By type of operation: a new kind needs an entry here, and no test of types anywhere else."""


def lowering_of(op: Operation) -> Lowering:
    """Return the lowering of an operation."""
    return LOWERINGS[type(op)]
