"""Random graphs from a seed."""

from collections.abc import Sequence

import numpy as np

from verif.compiler.fuzz import table
from verif.compiler.fuzz.draft import Draft
from verif.compiler.fuzz.expressions import Illegal, random_expression
from verif.compiler.fuzz.graph import Graph, Step

__all__ = ["collected", "generate"]


def generate(
    seed: int,
    machine: str,
    settings: Sequence[str] = (),
    operations: tuple[int, int] = (2, 40),
    largest: int = 70,
    depth: int = 6,
    complete: bool = True,
) -> Graph:
    """Return the random graph of a seed.

    Parameters
    ----------
    seed : int
    machine : str
        A preset, with `settings` beside it.
    settings : sequence of str
    operations : (int, int)
        Fewest and most operations.
    largest : int
        Largest size of an axis.
    depth : int
        Most operations of an expression.
    complete : bool
        Whether of the complete tensor interface; otherwise results are used in the whole vectors that they have.
    """
    draft = Draft(seed, machine, tuple(settings), largest, depth, complete)
    kinds = [
        (operation.draw, operation.weight)
        for operation in table.OPERATIONS.values()
        if operation.draw is not None and (complete or not operation.complete)
    ]
    weights = np.array([weight for _, weight in kinds])
    wanted = int(draft.rng.integers(operations[0], operations[1] + 1))
    draft.declare(draft.shape(), draft.dtype(), constant=False)
    for _ in range(20 * wanted):
        if sum(step.is_work for step in draft.steps) >= wanted:
            break
        draft.attempt(kinds[int(draft.rng.choice(len(kinds), p=weights / weights.sum()))][0])
    _change_states(draft)
    _give_out(draft)
    has_states = any(step.operation.effect == "state" for step in draft.steps)
    return Graph(machine, tuple(settings), collected(draft.steps), 3 if has_states else 2)


def _change_states(draft: Draft) -> None:
    """Update each state that no SCATTER writes: with a value that there is, or with one made of it."""
    for state in draft.states():
        if draft.changed(state):
            continue
        shape, dtype = draft.shape_of(state), draft.dtype_of(state)
        if draft.chance(0.5):
            value = draft.operand_like(shape, dtype)
        else:
            other = draft.operand_like(shape, dtype)
            function, _ = random_expression(draft.rng, [dtype, dtype], 2)
            value = draft.add("map", [("x", state), ("x", other)], {"function": [function], "dtype": dtype})
        draft.add("update", [("state", state), ("value", value)])


def _give_out(draft: Draft) -> None:
    """Make an output of each result that nothing reads, and of some others."""
    read = {number for step in draft.steps for _, number in step.args}
    results = [number for number in draft.nodes() if draft.is_result(number)]
    if not draft.complete:
        results = [number for number in results if draft.holds_each_once(number)]
    results = [number for number in results if draft.may_give_out(number)]
    chosen = [number for number in results if number not in read or draft.chance(0.2)]
    if not chosen:
        x = draft.any_operand()
        chosen = [draft.add("map", [("x", x)], {"function": ["a"]}, draft.common_lanes([x]) or -1)]
    for number in chosen:
        draft.add("output", [("x", number)])


def collected(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps that are statements or are read, with their new numbers.

    Raises
    ------
    Illegal
        When an operand is no earlier step.
    """
    needed: set[int] = set()
    for number in reversed(range(len(steps))):
        if steps[number].is_statement or number in needed:
            if any(not 0 <= arg < number for _, arg in steps[number].args):
                raise Illegal("operands must come before their step")
            needed |= {number, *(arg for _, arg in steps[number].args)}
    places = {number: place for place, number in enumerate(sorted(needed))}
    return tuple(
        Step(steps[number].kind, tuple((role, places[arg]) for role, arg in steps[number].args), steps[number].params)
        for number in sorted(needed)
    )
