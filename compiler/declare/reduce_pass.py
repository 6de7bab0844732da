"""Reductions over time as passes.

An ALU sees its own result of three steps before, so a sum runs as three interleaved ones.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from arch.config import Config
from arch.errors import TaktError
from arch.timing import timing
from compiler.declare.map_pass import (
    Function,
    Scope,
    build_pass,
    check_join,
    common_lanes,
    common_shape,
    joined_results,
    map_pass,
    operand_exprs,
    replace_stored,
    spread,
    trace,
)
from compiler.expression.expr import OPERAND, Expr, binary, convert, format_of
from compiler.ir.lanes import Numbers, find_vectors, vectors_along
from compiler.ir.tensor import Elements, Tensor, View
from compiler.ir.vector import Pass, Result
from compiler.mesh.graph import lower
from compiler.mesh.mapper import mappings

MNEMONICS = {"add": "ADD", "max": "MAX", "min": "MIN"}

Kept = Sequence[tuple[Expr, Result]]
"""Further results: their expression, and which vector each step makes."""

_SECOND_PASS = 40
"""Rough cycles that a pass of its own for the partial results takes beside its steps."""

_SLICES = 4
"""Part of all slices from which a reduction reads at most when it takes several elements at a time."""

_TEXT = 4
"""Part of a queue's depth that one reduction may fill with the READs of groups that take turns."""


def interleaves(config: Config, length: int, groups: int) -> bool:
    """Return whether a reduction of any order is one pass, groups taking turns, and not one with a second to join."""
    apart = timing(config).held
    turns = -(-groups // apart)
    # Groups that take turns have a word of text per element in the queues that read them; one after the other, one per
    # group.
    if turns * length > config.queue_depth // _TEXT:
        return False
    return apart * length * turns <= groups * length + groups + _SECOND_PASS


def reduce_passes(
    scope: Scope,
    name: str,
    views: Sequence[View],
    operation: str,
    axes: tuple[int, ...],
    function: Function,
    finish: Function,
    layout: str | int | None,
    in_turn: bool | None,
    join: int | None = None,
    at_once: bool = False,
) -> tuple[list[Pass], int]:
    """Return the passes of a reduction over time, and how many further results the first one has.

    With `join` all that `function` returns are terms, whose reductions are parts of one tensor, next to each other
    along that axis (negative): they are made side by side, in one pass.

    The first result of the last pass is the reduction, axes kept with size 1; the further ones are what `function`
    returned beside the term, and follow the first pass's own.

    Element r of a group belongs to the partial result r mod 3; each partial result takes its elements in order,
    beginning with the first one itself. Partial results are joined as ``(p0 + p1) + p2``. With `in_turn` the elements
    are taken in order instead, three groups taking turns; integer sums, maxima and minima do not depend on the order,
    and use whichever is faster; `at_once`, several elements of a group may be taken in a step.

    Raises
    ------
    TaktError
        For an unknown operation, axes that are none or all, and a layout along one of them.
    """
    if not isinstance(operation, str) or operation not in MNEMONICS:
        raise TaktError(f"reduction must be one of {', '.join(MNEMONICS)}, not {operation!r}")
    shape = common_shape(views)
    rank = len(shape)
    negative = {axis if axis < 0 else axis - rank for axis in axes}
    if not all(-rank <= axis < 0 for axis in negative) or not 0 < len(negative) < rank:
        raise TaktError(f"axis must be one of the {rank} of shape {shape}, not {axes}")
    lanes = common_lanes(scope, views, shape, layout, negative)
    if lanes in negative:
        raise TaktError(f"layout must be an axis of {shape} that is not reduced, not {layout!r}")
    exprs = operand_exprs(views)
    given = views
    views = [scope.settled(spread(view, shape, lanes), lanes) for view in views]
    # What had to be rearranged is made by the SXM.
    at_once &= all(view.tensor is before.tensor for view, before in zip(views, given, strict=True))
    outside = [axis for axis in range(-rank, 0) if axis not in negative and axis != lanes]
    order = [*outside, *sorted(negative), lanes]
    vector = scope.config.vector_length
    rows = [
        (view.tensor, vectors_along(np.broadcast_to(view.elements, shape).transpose(order), -1, vector))
        for view in views
    ]
    length = int(np.prod([shape[axis] for axis in negative]))
    groups = len(rows[0][1]) // length
    blocks = -(-shape[lanes] // vector)
    outer = tuple(1 if axis in negative else shape[axis] for axis in range(-rank, 0))
    outputs, _ = trace(function, exprs)
    apart = timing(scope.config).held
    if join is not None:
        totals = [total_of(operation, term) for term in outputs]
        return [_beside(scope, name, totals, rows, finish, outer, lanes, length, groups, apart, join)], 0
    term, *others = outputs
    further: list[tuple[Expr, Result]] = []
    numbers = np.arange(int(np.prod(shape)), dtype=np.int32).reshape(shape).transpose(order)
    for index, other in enumerate(others):
        tensor = Tensor(f"{name}.{index}", shape, other.dtype.numpy.name, None, lanes)
        further.append((other, Result(tensor, find_vectors(tensor, vectors_along(numbers, -1, vector), vector))))
    total = total_of(operation, term)
    free = operation != "add" or not total.dtype.is_float
    # Many groups take turns, and leave slices and ALUs to others.
    if free and at_once and groups < apart and in_turn is None and not others:
        width, total = _at_once(scope.config, operation, function, views, length, groups)
        each = [(tensor, _shares(operation, elements, groups, width)) for tensor, elements in rows]
        rows = [(tensor, shares[number]) for number in range(width) for tensor, shares in each]
        length = -(-length // width)
    if in_turn or (in_turn is None and free and interleaves(scope.config, length, groups)):
        single = _interleaved(scope, name, total, rows, finish, outer, lanes, length, groups, apart, further)
        return [single], len(further)
    # Partial results are written in the order in which they end; where any order will do, it is that of their numbers,
    # and one burst.
    turn = -length % apart if free else 0
    first = _partial(scope, name, total, rows, outer, lanes, length, groups, blocks, apart, turn, further)
    tensor = first.results[0].tensor
    inner = replace_stored(scope, tensor)

    count = tensor.shape[0]
    if length >= apart * count:
        return [first, _joined(inner, name, operation, tensor, finish, outer, lanes, length, apart)], len(further)

    def added(*parts: Expr) -> Expr:
        return _finished(finish, reduce(lambda a, b: binary(MNEMONICS[operation], a, b), parts))

    parts = [tensor[index] for index in range(count)]
    second, _ = map_pass(inner, name, added, parts, None, lanes)
    # Groups are finished as the first pass brings their parts.
    return [first, replace(second, interval=length)], len(further)


def total_of(operation: str, term: Expr) -> Expr:
    """Return the reduction of a term in an ALU."""
    if operation == "add":
        term = convert(term, "float32" if term.dtype.is_float else "int32")
    elif term.dtype.is_float:
        term = convert(term, "float32")
    return Expr(MNEMONICS[operation], term.dtype, (term,), term.dtype, accumulates=True)


def _at_once(
    config: Config, operation: str, function: Function, views: Sequence[View], length: int, groups: int
) -> tuple[int, Expr]:
    """Return how many elements of a group a reduction of any order takes at a time, and its expression.

    They meet in ALUs before the one that accumulates, as many as take the fewest cycles. The operands of one element
    come after those of another.
    """
    formats = [view.dtype for view in views]
    size = sum(view.itemsize for view in views)

    def expression(width: int) -> Expr:
        exprs = [Expr(OPERAND, format_of(name), index=index) for index, name in enumerate(formats * width)]
        shares = [exprs[share * len(views) : (share + 1) * len(views)] for share in range(width)]
        return total_of(operation, _joined_terms(operation, [trace(function, own)[0][0] for own in shares]))

    def cycles(width: int) -> int:
        return groups * -(-length // width) + timing(config).chain * (width - 1).bit_length()

    # Whoever makes what is read has slices and streams of its own.
    widest = min(config.slices // (_SLICES * size), config.alu_rows * config.alu_cols, length)
    # What fills up the last share must not count: elements that come twice, or zeros of terms that are the operand.
    (term, *_), _ = trace(function, operand_exprs(views))
    padded = operation != "add" or term.mnemonic == OPERAND
    widths = [width for width in range(2, widest + 1) if padded or length % width == 0]
    for width in sorted(widths, key=cycles):
        found = expression(width)
        if cycles(width) < cycles(1) and mappings(config, lower([found])):
            return width, found
    return 1, expression(1)


def _joined_terms(operation: str, terms: Sequence[Expr]) -> Expr:
    """Return terms joined in pairs: of sums of integers the first addition makes them int32."""
    found = list(terms)
    wide = "int32" if operation == "add" else None
    while len(found) > 1:
        pairs = [found[i : i + 2] for i in range(0, len(found), 2)]
        found = [reduce(lambda a, b: binary(MNEMONICS[operation], a, b, wide), pair) for pair in pairs]
    return found[0]


def _shares(operation: str, elements: Elements, groups: int, width: int) -> list[Elements]:
    """Return the elements of each group in equal shares, filled up with what does not count."""
    length = len(elements) // groups
    share = -(-length // width)
    members = np.arange(width * share)
    found = elements.reshape(groups, length, -1)[:, np.minimum(members, length - 1)]
    if operation == "add":
        found[:, members >= length] = -1
    return [part.reshape(groups * share, -1) for part in np.split(found, width, axis=1)]


def _finished(finish: Function, total: Expr) -> Expr:
    """Return what becomes of a reduction: one expression."""
    found, several = trace(finish, [total])
    if several:
        raise TaktError(f"finish must return one expression, not {len(found)}")
    return found[0]


def _interleaved(
    scope: Scope,
    name: str,
    total: Expr,
    rows: Sequence[tuple[Tensor, Elements]],
    finish: Function,
    outer: tuple[int, ...],
    lanes: int,
    length: int,
    groups: int,
    apart: int,
    kept: Kept,
) -> Pass:
    """Return one pass that works on `apart` groups in turn; missing ones at the end repeat the last."""
    group, member = _in_turns(groups, length, apart)
    wanted = np.minimum(group, groups - 1) * length + member
    steps: Numbers = np.where((member == length - 1) & (group < groups), group, -1)
    output = _finished(finish, total)
    result = Result(Tensor(name, outer, output.dtype.numpy.name, None, lanes), steps)
    taken = [(tensor, elements[wanted]) for tensor, elements in rows]
    outputs, results = [output], [result]
    for expr, other in kept:
        outputs.append(expr)
        results.append(Result(other.tensor, np.where(group < groups, other.steps[wanted], -1)))
    return build_pass(scope, name, outputs, taken, results, member == 0)


def _in_turns(groups: int, length: int, apart: int) -> tuple[Numbers, Numbers]:
    """Return group and member of every step where `apart` groups take turns."""
    turns = -(-groups // apart)
    group = (np.arange(turns)[:, None, None] * apart + np.arange(apart)).repeat(length, axis=1)
    member = np.broadcast_to(np.arange(length)[None, :, None], group.shape).reshape(-1)
    return group.reshape(-1), member


def _beside(
    scope: Scope,
    name: str,
    totals: Sequence[Expr],
    rows: Sequence[tuple[Tensor, Elements]],
    finish: Function,
    outer: tuple[int, ...],
    lanes: int,
    length: int,
    groups: int,
    apart: int,
    join: int,
) -> Pass:
    """Return one pass that makes several reductions at the same time, each of `apart` groups in turn."""
    group, member = _in_turns(groups, length, apart)
    known = np.minimum(group, groups - 1)
    ends = (member == length - 1) & (group < groups)
    outputs = [_finished(finish, total) for total in totals]
    vector = scope.config.vector_length
    dtypes = [output.dtype.numpy.name for output in outputs]
    check_join(dtypes, outer, join)
    if join == lanes and outer[lanes] % vector and len(outputs) > 1:
        raise TaktError(f"join must be an axis without lanes, which have {outer[lanes]} elements, not {join}")
    parts = joined_results(name, dtypes[0], len(dtypes), outer, lanes, vector, join)
    results = [Result(part.tensor, np.where(ends, part.steps[known], -1)) for part in parts]
    taken = [(tensor, elements[known * length + member]) for tensor, elements in rows]
    return build_pass(scope, name, outputs, taken, results, member == 0)


def _joined(
    scope: Scope,
    name: str,
    operation: str,
    tensor: Tensor,
    finish: Function,
    outer: tuple[int, ...],
    lanes: int,
    length: int,
    apart: int,
) -> Pass:
    """Return the pass that adds up partial results: those of a group one after another, as the first pass ends them."""
    count = tensor.shape[0]
    numbers = np.moveaxis(np.moveaxis(tensor.view().elements, lanes, -1), 0, -2)
    rows = vectors_along(numbers, -1, scope.config.vector_length)
    part = operand_exprs([tensor.view()])[0]
    output = _finished(finish, Expr(MNEMONICS[operation], part.dtype, (part,), part.dtype, accumulates=True))
    step = np.arange(len(rows))
    steps: Numbers = np.where(step % count == count - 1, step // count, -1)
    result = Result(Tensor(name, outer, output.dtype.numpy.name, None, lanes), steps)
    found = build_pass(scope, name, [output], [(tensor, rows)], [result], step % count == 0)
    return replace(found, interval=length, turn=count, within=apart)


def _partial(
    scope: Scope,
    name: str,
    total: Expr,
    rows: Sequence[tuple[Tensor, Elements]],
    outer: tuple[int, ...],
    lanes: int,
    length: int,
    groups: int,
    blocks: int,
    apart: int,
    turn: int,
    kept: Kept,
) -> Pass:
    """Return the pass that leaves up to `apart` partial results of each group, along a new first axis.

    The first element belongs to number `turn`, the others to the next ones in turn.
    """
    parts = min(apart, length)
    group, member = np.divmod(np.arange(groups * length), length)
    per_block = groups // blocks
    block, step = np.divmod(group, per_block)
    number = (block * parts + (member + turn) % parts) * per_block + step
    steps: Numbers = np.where(member >= length - parts, number, -1)
    result = Result(Tensor(f"{name}.parts", (parts, *outer), total.dtype.numpy.name, None, lanes), steps)
    outputs, results = [total], [result]
    for expr, other in kept:
        outputs.append(expr)
        results.append(other)
    return build_pass(scope, name, outputs, rows, results, member < apart)
