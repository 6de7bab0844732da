"""From operations to a verified image: the best of the ways in which a program can be compiled."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import NamedTuple

from arch.errors import TaktError
from arch.image import Image
from compiler.candidate import Candidate
from compiler.combinations import combinations
from compiler.gather.operation import Gather
from compiler.image import build_image
from compiler.kernels.plan import Plan, plans
from compiler.operation import MatMul
from compiler.placement.allocator import OutOfMemory
from compiler.placement.policy import Policy
from compiler.placement.states import States, direct_updates
from compiler.placement.storage import FEW
from compiler.schedule.scheduler import Unschedulable
from compiler.source import Source
from compiler.tensor import Tensor
from compiler.vector.cut import cut
from compiler.vector.operation import Pass
from compiler.vector.plan import PassPlan, pass_plans
from compiler.vector.steps import kept_ports

_SPARE = (0, 4, 8)
"""MEM slices that passes leave alone, so that what others use at the same time finds room: first none."""

_POOLED = 1
"""Combinations tried where slices are pooled: what the first one does not find is rarely found by others."""

_IN_PLACE = 8
"""Combinations of plans tried while a pass changes a state in place, which plans of others have little to do with."""


class _Variant(NamedTuple):
    """How to place, and whether ALUs hold what many steps of a pass share."""

    policy: Policy
    kept: bool = False


def compile_program(source: Source) -> Image:
    """Return the verified image of a program.

    Plans are tried in the order of their promise: those that use more planes may need more room in MEM than there is.
    Epilogues are fused at best, and passes of their own where that does not fit, or takes longer. Passes that read the
    same input read one copy of it, or one each, so that they can run at the same time: whichever is faster. Where
    slices are too few for that, some have all that is read now and then, and ALUs hold what many steps share.

    Raises
    ------
    TaktError
        When no plan fits MEM, the VXM's mesh or the queues.
    """
    errors: list[TaktError] = []
    found: list[Image] = []
    variants = _variants(source)
    for fused in (True, False) if any(_is_fused(op) for op in source.operations) else (True,):
        tried: list[tuple[Image | None, bool]] = []
        for variant in variants:
            if variant.policy.pooled and tried and not any(image for image, _ in tried):
                # What has no room in all of MEM has none in part of it.
                break
            tried.append(_first_fit(source, fused, variant, errors))
        found += [image for image, _ in tried if image is not None]
        if any(best for _, best in tried):
            break
    if found:
        return min(found, key=lambda image: image.cycles)
    if not errors:
        raise TaktError(f"streams must be enough for {source.name}, not {source.config.streams}")
    raise min(errors, key=lambda error: error.short if isinstance(error, OutOfMemory) else 0)


def _first_fit(source: Source, fused: bool, variant: _Variant, errors: list[TaktError]) -> tuple[Image | None, bool]:
    """Return the image of the first combination of plans that fits, and whether that is the most promising one.

    Adds to `errors` why others did not fit.
    """
    attempts = _POOLED if variant.policy.pooled else None
    for candidate, is_best in islice(_candidates(source, fused, variant), attempts):
        try:
            return build_image(source, candidate), is_best
        except Unschedulable:
            continue
        except TaktError as error:
            errors.append(error)
    return None, False


def _candidates(source: Source, fused: bool, variant: _Variant) -> Iterator[tuple[Candidate, bool]]:
    """Yield ways to compile a program, the most promising first, and whether each is as promising as the first."""
    tried: list[list[int]] = []
    for spare in _SPARE:
        pieces = [_pieces(op, spare, fused, variant.kept) for op in source.operations]
        parts = [part for its in pieces for part in its]
        sizes = [len(part.graph.nodes) if isinstance(part, Pass) else 0 for part in parts]
        if sizes in tried:
            continue
        tried.append(sizes)
        controlled = source.control.of_pieces(source.operations, pieces)
        made = {id(tensor) for part in parts if isinstance(part, Pass) for tensor in part.writes()}
        known = partial(_is_any, source.stored, made)
        direct = direct_updates(parts, source.updates)
        for passed in (direct, {}) if direct else ({},):
            every = [*parts, *(update for state, update in source.updates.items() if state not in passed.values())]
            choices = [
                plans(op) if isinstance(op, MatMul) else pass_plans(op, variant.kept, variant.policy.pooled)
                for op in every
            ]
            # One copy for several readers is of use where there are several passes, one of a table for every gather.
            copies = sum(isinstance(op, Pass) for op in every) > 1 or any(isinstance(op, Gather) for op in every)
            for dense in (False, True) if copies else (False,):
                first: list[Plan | PassPlan] | None = None
                attempts = _IN_PLACE if _changes_in_place(every, passed) else None
                for choice, tight in islice(combinations(choices), attempts):
                    first = first or choice
                    candidate = Candidate(
                        work=list(zip(every, choice, strict=True)),
                        stored=known,
                        states=States(tuple(source.states), passed),
                        policy=replace(variant.policy, tight=tight, dense=dense),
                        control=controlled,
                    )
                    yield candidate, choice is first and not dense and len(tried) == 1


def _changes_in_place(operations: Sequence[MatMul | Pass], passed: Mapping[Tensor, Tensor]) -> bool:
    """Return whether an operation reads the state that its result is written into."""
    return any(
        tensor in passed and any(other is passed[tensor] for other in op.reads())
        for op in operations
        if isinstance(op, Pass)
        for tensor in op.writes()
    )


def _variants(source: Source) -> list[_Variant]:
    """Return the variants to try: more where slices are too few for all that passes read at the same time."""
    passes = [op for op in source.operations if isinstance(op, Pass) and op.in_mesh]
    found = [_Variant(Policy())]
    if _has_shared(source.operations):
        found.append(_Variant(Policy(copied=True)))
    if sum(operand.tensor.itemsize for op in passes for operand in op.operands) > source.config.slices:
        policy = Policy(copied=True, pooled=True)
        found.append(_Variant(policy))
        if any(kept_ports(op) for op in passes):
            found.append(_Variant(policy, kept=True))
    return found


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


def _pieces(op: MatMul | Pass, spare: int, fused: bool, kept: bool) -> list[MatMul | Pass]:
    """Return the operations that do the work of one, which finds room in the mesh and MEM in these pieces only."""
    if isinstance(op, Pass):
        return [*cut(op, spare, kept)]
    if op.epilogue is None or (fused and plans(op)):
        return [op]
    product, rest = op.apart()
    return [product, *cut(rest, spare, kept)]


def _is_any(stored: Callable[[Tensor], bool], made: set[int], tensor: Tensor) -> bool:
    return id(tensor) in made or stored(tensor)
