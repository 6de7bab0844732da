"""From operations to a verified image: choose plans, place, schedule, assemble, verify."""

import heapq
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from arch.config import Config
from arch.errors import TaktError
from arch.image import Image
from arch.timing import timing
from compiler.control import Control
from compiler.gather.builder import gather_template
from compiler.gather.operation import Gather
from compiler.kernels.matmul import GroupBuilder, groups_of
from compiler.kernels.plan import Plan, plans
from compiler.operation import MatMul
from compiler.placement.allocator import OutOfMemory
from compiler.placement.demand import Work
from compiler.placement.maps import tensor_map, view_map
from compiler.placement.placed import Placed
from compiler.placement.states import States, direct_updates
from compiler.placement.storage import FEW, Storage
from compiler.scatter.builder import scatter_template
from compiler.scatter.operation import Scatter
from compiler.schedule.scheduler import Scheduler, Unschedulable
from compiler.switch.builder import switch_templates
from compiler.switch.operation import Switch
from compiler.tensor import Tensor, View, as_view
from compiler.text.streamer import TextStreamer
from compiler.vector.builder import PassBuilder, PassTemplate
from compiler.vector.cut import cut
from compiler.vector.operation import Pass
from compiler.vector.pieces import pieces
from compiler.vector.plan import PassPlan, pass_plans
from compiler.verifier.verify import verify

_ATTEMPTS = 24
"""Most promising combinations of plans that are tried."""

_BESIDE = 2
"""Passes after one that it leaves ALUs for, if it can."""
_BESIDE_COPIED = 4
"""The same where each has copies of its own of what the host writes."""

_AHEAD = 48
"""Cycles that a part of a pass must be ready before the whole to start by itself."""

_SPARE = (0, 4, 8)
"""MEM slices that passes leave alone, so that what others use at the same time finds room: first none."""


def compile_program(
    config: Config,
    name: str,
    operations: list[MatMul | Pass],
    tensors: list[Tensor],
    stored: Callable[[Tensor], bool],
    outputs: Mapping[str, View],
    states: Collection[Tensor],
    updates: Mapping[Tensor, Pass],
    control: Control,
) -> Image:
    """Return the verified image of a program.

    Parameters
    ----------
    config : Config
    name : str
    operations : list of MatMul or Pass
        In an order in which operands come before their users.
    tensors : list of Tensor
        Inputs and constants.
    stored : callable
        Whether a tensor is a result or a state.
    outputs : dict of str to View
    states : collection of Tensor
        Results that live from run to run.
    updates : dict of Tensor to Pass
        Those states that a pass gives their value for the next run, after everything else has read them.
    control : Control
        Barriers and superlanes.

    Plans are tried in the order of their promise: those that use more planes may need more room in MEM than there is.
    Epilogues are fused at best, and passes of their own where that does not fit, or takes longer. Passes that read the
    same input read one copy of it, or one each, so that they can run at the same time: whichever is faster.

    Raises
    ------
    TaktError
        When no plan fits MEM, the VXM's mesh or the queues.
    """
    _check_size(config, name, [*operations, *updates.values()])
    errors: list[TaktError] = []
    found: list[Image] = []
    for fused in (True, False) if any(_is_fused(op) for op in operations) else (True,):
        bests = []
        for copied in (False, True) if _has_shared(operations) else (False,):
            image, best = _first_fit(
                config, name, operations, tensors, stored, outputs, states, updates, control, fused, copied, errors
            )
            bests.append(best)
            if image is not None:
                found.append(image)
        if any(bests):
            break
    if found:
        return min(found, key=lambda image: image.cycles)
    if not errors:
        raise TaktError(f"streams must be enough for {name}, not {config.streams}")
    raise min(errors, key=lambda error: error.short if isinstance(error, OutOfMemory) else 0)


def _first_fit(
    config: Config,
    name: str,
    operations: list[MatMul | Pass],
    tensors: list[Tensor],
    stored: Callable[[Tensor], bool],
    outputs: Mapping[str, View],
    kept: Collection[Tensor],
    updates: Mapping[Tensor, Pass],
    control: Control,
    fused: bool,
    copied: bool,
    errors: list[TaktError],
) -> tuple[Image | None, bool]:
    """Return the image of the first combination of plans that fits, and whether that is the most promising one.

    Adds to `errors` why others did not fit.
    """
    tried: list[list[int]] = []
    for spare in _SPARE:
        pieces = [_pieces(op, spare, fused) for op in operations]
        parts = [part for its in pieces for part in its]
        sizes = [len(part.graph.nodes) if isinstance(part, Pass) else 0 for part in parts]
        if sizes in tried:
            continue
        tried.append(sizes)
        controlled = control.of_pieces(operations, pieces)
        made = {id(tensor) for part in parts if isinstance(part, Pass) for tensor in part.writes()}
        known = partial(_is_any, stored, made)
        direct = direct_updates(parts, updates)
        for passed in (direct, {}) if direct else ({},):
            every = [*parts, *(update for state, update in updates.items() if state not in passed.values())]
            choices = [plans(op) if isinstance(op, MatMul) else pass_plans(op) for op in every]
            # One copy for several readers is of use where there are several passes.
            for dense in (False, True) if sum(isinstance(op, Pass) for op in every) > 1 else (False,):
                first: list[Plan | PassPlan] | None = None
                for choice, tight in _combinations(choices):
                    first = first or choice
                    work = list(zip(every, choice, strict=True))
                    states = States(tuple(kept), passed)
                    try:
                        image = _compile(
                            config, name, work, tensors, known, outputs, states, tight, dense, copied, controlled
                        )
                    except Unschedulable:
                        continue
                    except TaktError as error:
                        errors.append(error)
                    else:
                        return image, choice is first and not dense and len(tried) == 1
    return None, False


def _has_shared(operations: Sequence[MatMul | Pass]) -> bool:
    """Return whether several passes read something that the host writes, more than each has a copy of anyway."""
    read = [
        {id(item.tensor) for item in op.operands if item.vectors is not None and len(item.vectors) > FEW}
        for op in operations
        if isinstance(op, Pass) and op.in_mesh
    ]
    return len(set().union(*read)) < sum(map(len, read))


def _is_fused(op: MatMul | Pass) -> bool:
    return isinstance(op, MatMul) and op.epilogue is not None


def _pieces(op: MatMul | Pass, spare: int, fused: bool) -> list[MatMul | Pass]:
    """Return the operations that do the work of one, which finds room in the mesh and MEM in these pieces only."""
    if isinstance(op, Pass):
        return [*cut(op, spare)]
    if op.epilogue is None or (fused and plans(op)):
        return [op]
    product, rest = op.apart()
    return [product, *cut(rest, spare)]


def _is_any(stored: Callable[[Tensor], bool], made: set[int], tensor: Tensor) -> bool:
    return id(tensor) in made or stored(tensor)


def _check_size(config: Config, name: str, operations: list[MatMul | Pass]) -> None:
    """Refuse what cannot fit MEM however it is placed."""
    words = 0
    placed: set[int] = set()
    for op in operations:
        for tensor, needed in _needs(op):
            words += 0 if id(tensor) in placed else needed
            placed.add(id(tensor))
    needed = words * config.vector_length
    if needed > config.mem_bytes:
        raise TaktError(
            f"{name} must fit the MEM of {config.name}, {config.mem_bytes} bytes, "
            f"not need {needed} ({needed - config.mem_bytes} too many)"
        )


def _needs(op: MatMul | Pass) -> Iterator[tuple[Tensor, int]]:
    """Yield the tensors of an operation and the words that they fill at least."""
    config = op.config
    if isinstance(op, Pass):
        for operand in op.operands:
            yield operand.tensor, operand.tensor.itemsize * (0 if operand.vectors is None else len(operand.vectors))
        for result in op.results:
            yield result.tensor, result.tensor.itemsize * int((result.steps >= 0).sum())
        return
    x = as_view(op.x)
    if isinstance(op.x, Tensor):
        yield op.x, op.k_blocks * op.m * op.x.itemsize
    yield x.tensor, 0
    yield op.y, op.n_blocks * op.m * op.y.itemsize
    for operand in [] if op.epilogue is None else op.epilogue.operands:
        if operand.tensor is not op.sums:
            yield operand.tensor, operand.tensor.itemsize * (0 if operand.vectors is None else len(operand.vectors))
    columns = config.lanes * sum(op.load_steps(block) for block in range(op.n_blocks))
    yield as_view(op.w).tensor, 0 if op.computed else op.k_blocks * columns * op.w.itemsize


def _combinations(choices: list[list[Plan] | list[PassPlan]]) -> Iterator[tuple[list[Plan | PassPlan], bool]]:
    """Yield combinations of one plan per operation, and whether to place them tightly.

    The most promising combinations come first; then those that need less and less room, with a feeder per hemisphere.
    """
    heap = [(sum(found[0].estimate for found in choices), [0] * len(choices))]
    seen = {tuple(heap[0][1])}
    for _ in range(_ATTEMPTS):
        if not heap:
            break
        cycles, picks = heapq.heappop(heap)
        chosen = [found[pick] for found, pick in zip(choices, picks, strict=True)]
        for tight in (False, True) if any(plan.shares for plan in chosen) else (False,):
            yield chosen, tight
        for place, pick in enumerate(picks):
            following = [*picks[:place], pick + 1, *picks[place + 1 :]]
            if pick + 1 < len(choices[place]) and tuple(following) not in seen:
                seen.add(tuple(following))
                more = choices[place][pick + 1].estimate - choices[place][pick].estimate
                heapq.heappush(heap, (cycles + more, following))
    counts = {plan.planes for found in choices for plan in found if plan.simple and plan.planes}
    for planes in sorted(counts, reverse=True):
        lean = [[plan for plan in found if plan.simple and plan.planes <= planes] for found in choices]
        for tight in (False, True) if all(lean) else ():
            yield [found[0] for found in lean], tight


def _compile(
    config: Config,
    name: str,
    work: Work,
    tensors: list[Tensor],
    stored: Callable[[Tensor], bool],
    outputs: Mapping[str, View],
    states: States,
    tight: bool,
    dense: bool,
    copied: bool,
    control: Control,
) -> Image:
    storage = Storage(config, work, stored, [view.tensor for view in outputs.values()], states, tight, dense, copied)
    scheduler = Scheduler(config)
    for number, (op, plan) in enumerate(work):
        scheduler.configure(control.superlanes.get(id(op), config.superlanes))
        if isinstance(op, Pass):
            assert isinstance(plan, PassPlan)
            following = [
                later
                for _, later in work[number + 1 : number + 1 + (_BESIDE_COPIED if copied else _BESIDE)]
                if isinstance(later, PassPlan)
            ]
            _schedule_pass(scheduler, storage, op, plan.beside(following))
        else:
            assert isinstance(plan, Plan)
            _schedule_product(scheduler, storage, op, plan)
        if id(op) in control.barriers:
            scheduler.barrier()
    scheduler.configure(config.superlanes)
    scheduler.synchronise()
    text = TextStreamer(config, scheduler, storage.allocator).fit()
    waits = {"SYNC": timing(config).barrier - 1}
    closed = max(issue.cycles[-1] + waits.get(issue.mnemonic, 0) for issue in scheduler.issues) + 2
    used = [tensor for tensor in tensors if id(tensor) in storage.words]
    constants = [tensor_map(tensor, storage.words[id(tensor)]) for tensor in used if tensor.data is not None]
    values = [tensor.data for tensor in used if tensor.data is not None]
    zeros = sum(len(slices) for slices, _ in storage.zeros)
    image = Image(
        config=config,
        queues=text.queues,
        constant_slices=_joined(
            [*(part.slices for part in constants), *(slices for slices, _ in storage.zeros), text.slices]
        ),
        constant_addrs=_joined(
            [*(part.addrs for part in constants), *(addrs for _, addrs in storage.zeros), text.addrs]
        ),
        constant_words=np.concatenate(
            [
                *(part.pack(data) for part, data in zip(constants, values, strict=True)),
                np.zeros((zeros, config.vector_length), np.uint8),
                text.content,
            ]
        ),
        inputs=tuple(tensor_map(tensor, storage.words[id(tensor)]) for tensor in used if tensor.data is None),
        outputs=tuple(view_map(key, view, storage.words[id(view.tensor)]) for key, view in outputs.items()),
        cycles=max(scheduler.retired, int(closed)),
        notes={
            "work": name,
            "macs": sum(op.macs for op, _ in work if isinstance(op, MatMul)),
            "planes": max(plan.planes for _, plan in work),
            "macs_per_cycle": max((_rate(op, plan) for op, plan in work), default=0),
            "instructions": text.instructions,
        },
    )
    cycles = verify(image)
    if cycles != image.cycles:
        raise AssertionError(f"scheduler predicts {image.cycles} cycles, verifier finds {cycles}")
    return image


def _rate(op: MatMul | Pass, plan: Plan | PassPlan) -> int:
    """Return the multiply-accumulates per cycle of the planes that an operation uses."""
    if isinstance(op, Pass):
        return 0
    return plan.planes // op.array * op.config.vector_length**2 // op.interval


def _schedule_pass(scheduler: Scheduler, storage: Storage, op: Pass, plan: PassPlan) -> None:
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
        _place_after_reads(scheduler, templates, overwritten, _handicaps(op, templates))
        return
    parts = [(piece, _pass_templates(piece, where, plan)) for piece, where in pieces(op, placed)]
    # Blocks that are ready much earlier than the last one need not wait for it.
    if parts and parts[0][1][0].needs + max(_AHEAD, op.steps // (2 * len(parts))) < templates[0].needs:
        for piece, its in parts:
            _place_templates(scheduler, its, _handicaps(piece, its))
    else:
        _place_templates(scheduler, templates, _handicaps(op, templates))


def _paces(op: Pass) -> list[Pass]:
    return [op] if op.interval == op.turn * op.within else [op.hurried(), op]


def _pass_templates(op: Pass, placed: Placed, plan: PassPlan) -> list[PassTemplate]:
    return [PassBuilder(pace, placed, mapping).build() for pace in _paces(op) for mapping in plan.mappings]


def _handicaps(op: Pass, templates: list[PassTemplate]) -> list[int]:
    """Return how many cycles earlier others would have to start: those without pauses leave slices sooner."""
    paces = _paces(op)
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


def _joined(parts: list[np.ndarray[tuple[int], np.dtype[np.int32]]]) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.concatenate([np.zeros(0, np.int32), *parts]).astype(np.int32)
