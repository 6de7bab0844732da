"""Operations that use some superlanes only."""

from collections.abc import Sequence

from arch.config import Config
from arch.errors import TaktError
from compiler.ir.operation import MatMul
from compiler.ir.switch import Switch
from compiler.ir.tensor import Tensor
from compiler.ir.vector import Pass


def superlanes_at(config: Config, stretches: Sequence[tuple[int, int]], number: int) -> int:
    """Return the superlanes that are on for operation `number`; `stretches` as of `superlanes_of`."""
    return ([config.superlanes] + [on for first, on in stretches if first <= number])[-1]


def superlanes_of(
    config: Config, operations: Sequence[MatMul | Pass], stretches: Sequence[tuple[int, int]]
) -> dict[int, int]:
    """Return the superlanes of every operation by its id.

    Parameters
    ----------
    config : Config
    operations : sequence of MatMul or Pass
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
    found = {}
    limited = any(superlanes < config.superlanes for _, superlanes in stretches)
    for number, op in enumerate(operations):
        superlanes = superlanes_at(config, stretches, number)
        found[id(op)] = superlanes
        if limited and isinstance(op, MatMul) and op.tandem:
            raise TaktError(f"x of {op.y.name} must be int8 in a program that switches superlanes off, not float16")
        if limited and isinstance(op, MatMul) and op.computed:
            raise TaktError(
                f"w of {op.y.name} must be a constant or an input in a program that switches superlanes off, "
                f"not {op.w.name!r}"
            )
        if superlanes < config.superlanes:
            _check(op, superlanes)
    return found


def _check(op: MatMul | Pass, superlanes: int) -> None:
    lanes = superlanes * op.config.lanes
    if isinstance(op, Switch):
        raise TaktError(f"superlanes must be all {op.config.superlanes} for the {op.name}, not {superlanes}")
    if isinstance(op, MatMul):
        lengths = {"inner dimension": op.k, "columns": op.n}
    else:
        lengths = {"lanes": max(_length(tensor) for tensor in op.writes())}
    name = op.y.name if isinstance(op, MatMul) else op.name
    for what, length in lengths.items():
        if length > lanes:
            raise TaktError(f"{what} of {name} must be at most {lanes} with {superlanes} superlanes on, not {length}")


def _length(tensor: Tensor) -> int:
    return tensor.shape[tensor.lanes]
