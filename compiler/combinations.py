"""Which plans of the operations of a program to try together."""

import heapq
from collections.abc import Iterator

from compiler.kernels.plan import Plan
from compiler.vector.plan import PassPlan

_ATTEMPTS = 24
"""Most promising combinations of plans that are tried."""


def combinations(choices: list[list[Plan] | list[PassPlan]]) -> Iterator[tuple[list[Plan | PassPlan], bool]]:
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
