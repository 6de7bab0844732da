"""Operations that use some superlanes only."""

from collections.abc import Sequence

from arch.config import Config
from compiler.ir.operation import Operation


def superlanes_at(config: Config, stretches: Sequence[tuple[int, int]], number: int) -> int:
    """Return the superlanes that are on for operation `number`; `stretches` as of `superlanes_of`."""
    return ([config.superlanes] + [on for first, on in stretches if first <= number])[-1]


def superlanes_of(
    config: Config, operations: Sequence[Operation], stretches: Sequence[tuple[int, int]]
) -> dict[Operation, int]:
    """Return the superlanes of every operation.

    Parameters
    ----------
    config : Config
    operations : sequence of Operation
    stretches : sequence of (int, int)
        Number of the first operation, and superlanes from there on; in order.

    Raises
    ------
    TaktError
        For an operation with longer vectors than the superlanes hold, or that needs all superlanes whatever its
        vectors are: one that moves lanes. In a program that switches superlanes off, for a float16 product, since
        values that are not defined, times zero, may be NaN; and for weights that are a result or a state, since they
        have no zeros there.
    """
    limited = any(superlanes < config.superlanes for _, superlanes in stretches)
    found = {}
    for number, op in enumerate(operations):
        found[op] = superlanes_at(config, stretches, number)
        op.check_superlanes(found[op], limited)
    return found
