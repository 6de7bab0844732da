"""A cycle for every instruction of an operation whose operands and results are placed."""

from collections.abc import Sequence

from compiler.gather.builder import gather_template
from compiler.gather.operation import Gather
from compiler.kernels.matmul import GroupBuilder, groups_of
from compiler.kernels.plan import Plan
from compiler.operation import MatMul
from compiler.placement.placed import Placed
from compiler.placement.storage import Storage
from compiler.scatter.builder import scatter_template
from compiler.scatter.operation import Scatter
from compiler.schedule.scheduler import Scheduler
from compiler.switch.builder import switch_templates
from compiler.switch.operation import Switch
from compiler.vector.builder import PassBuilder, PassTemplate
from compiler.vector.operation import Pass
from compiler.vector.pieces import pieces
from compiler.vector.plan import PassPlan

_AHEAD = 48
"""Cycles that a part of a pass must be ready before the whole to start by itself."""


def schedule_operation(
    scheduler: Scheduler,
    storage: Storage,
    op: MatMul | Pass,
    plan: Plan | PassPlan,
    whole: bool,
) -> None:
    """Place an operation at the first cycles that suit.

    Parameters
    ----------
    scheduler : Scheduler
    storage : Storage
    op : MatMul or Pass
    plan : Plan or PassPlan
    whole : bool
        Blocks of a pass do not start by themselves.

    Raises
    ------
    Unschedulable
        When it does not fit even where nothing else is.
    """
    if isinstance(op, Pass):
        assert isinstance(plan, PassPlan)
        _schedule_pass(scheduler, storage, op, plan, whole)
    else:
        assert isinstance(plan, Plan)
        _schedule_product(scheduler, storage, op, plan)


def _schedule_pass(scheduler: Scheduler, storage: Storage, op: Pass, plan: PassPlan, whole: bool) -> None:
    """Place a pass, in ALUs in which it can start first; without pauses if those do not let it start much earlier."""
    placed = storage.placed[id(op)]
    if isinstance(op, Gather):
        _place_templates(scheduler, [gather_template(op, placed)])
        return
    if isinstance(op, Switch):
        _place_templates(scheduler, switch_templates(op, placed))
        return
    overwritten = storage.overwritten(op)
    if isinstance(op, Scatter):
        _place_after_reads(scheduler, [scatter_template(op, placed)], overwritten)
        return
    templates = _pass_templates(op, placed, plan)
    if overwritten:
        _place_after_reads(scheduler, templates, overwritten, _handicaps(op, plan, templates))
        return
    parts = [] if whole else [*pieces(op, placed)]
    # Blocks that are ready much earlier than the last one need not wait for it.
    if parts:
        first, found = parts[0]
        needs = PassBuilder(plan.paces(first)[0], found, plan.mappings[0]).build().needs
        if needs + max(_AHEAD, op.steps // (2 * len(parts))) < templates[0].needs:
            for piece, where in parts:
                its = _pass_templates(piece, where, plan)
                _place_templates(scheduler, its, _handicaps(piece, plan, its))
            return
    _place_templates(scheduler, templates, _handicaps(op, plan, templates))


def _pass_templates(op: Pass, placed: Placed, plan: PassPlan) -> list[PassTemplate]:
    return [PassBuilder(pace, placed, mapping).build() for pace in plan.paces(op) for mapping in plan.mappings]


def _handicaps(op: Pass, plan: PassPlan, templates: list[PassTemplate]) -> list[int]:
    """Return how many cycles earlier others would have to start: those without pauses leave slices sooner."""
    paces = plan.paces(op)
    each = len(templates) // len(paces)
    return [0] * each + [paces[0].duration] * each * (len(paces) - 1)


def _place_after_reads(
    scheduler: Scheduler, templates: list[PassTemplate], overwritten: set[int], handicaps: Sequence[int] = ()
) -> None:
    """Place one of several templates that overwrite words of some slices, after everything so far has read them."""
    read = scheduler.last_read(overwritten)
    for template in templates:
        template.needs = max(template.needs, read + 1 - template.first_write)
    _place_templates(scheduler, templates, handicaps)


def _place_templates(scheduler: Scheduler, templates: list[PassTemplate], handicaps: Sequence[int] = ()) -> None:
    choices = [(template.macro, template.needs) for template in templates]
    number, start = scheduler.place_first(choices, handicaps=handicaps)
    templates[number].place(start)


def _schedule_product(scheduler: Scheduler, storage: Storage, op: MatMul, plan: Plan) -> None:
    """Place all groups of an operation, the feeders taking turns."""
    placed = storage.placed[id(op)]
    pending = [groups_of(op, feeder, number) for number, feeder in enumerate(plan.feeders)]
    earliest = [0] * len(pending)
    for turn in range(max(len(groups) for groups in pending)):
        for number, groups in enumerate(pending):
            if turn < len(groups):
                template = GroupBuilder(op, placed, groups[turn]).build()
                start = scheduler.place(template.macro, max(earliest[number], template.needs))
                template.place(start)
                earliest[number] = start
