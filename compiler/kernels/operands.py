"""Operands of kernels: inputs of the command, and which way lanes should run in what no operation has made yet.

The host writes inputs and constants wherever they are read, so that a kernel may choose their lane axis. Results keep
theirs: a kernel takes them as they are.
"""

from collections.abc import Sequence
from typing import Any

from compiler.kernels.kernel import Arrays
from compiler.program import Program
from compiler.tensor import Tensor, View, as_view
from compiler.vector.lanes import lane_axis

__all__ = ["concatenate", "declare", "in_columns", "in_rows", "over_time"]


def declare(program: Program, arrays: Arrays, *names: str) -> dict[str, Any]:
    """Return inputs (tensors) like arrays, by name: those of some names, or all."""
    return {
        name: program.input(name, array.shape, array.dtype.name)
        for name, array in arrays.items()
        if not names or name in names
    }


def over_time(program: Program, x: Tensor | View, axis: int) -> tuple[View, int, int | None]:
    """Return what an operation that goes along an axis in time works on.

    Parameters
    ----------
    program : Program
    x : Tensor or View
    axis : int

    Returns
    -------
    view : View
        `x`, a row of it if it is one.
    axis : int
        From the end.
    layout : int or None
        Lane axis, another one; None where it is no longer free.
    """
    view = as_view(x)
    if len(view.shape) == 1:
        view = view.reshape(1, *view.shape)
    rank = len(view.shape)
    axis = axis - rank if axis >= 0 else axis
    return view, axis, None if program.is_result(view) else -2 if axis == -1 else -1


def concatenate(program: Program, parts: Sequence[Tensor | View], axis: int) -> View:
    """Return tensors of one shape and format next to each other along an axis (from the end): a pass that copies them.

    Raises
    ------
    TaktError
        Where a part does not begin a vector of the whole.
    """
    if len(parts) == 1:
        return as_view(parts[0])
    found: Tensor = program.map(lambda *values: values, *parts, dtype=parts[0].dtype, join=axis)
    return found.view()


def in_rows(program: Program, x: Tensor | View) -> Tensor | View:
    """Return a matrix with lanes along its rows: a transposition of a result that has them along its columns."""
    return _turned(program, x, -1)


def in_columns(program: Program, x: Tensor | View) -> Tensor | View:
    """Return a matrix with lanes along its columns: a transposition of a result that has them along its rows."""
    return _turned(program, x, -2)


def _turned(program: Program, x: Tensor | View, lanes: int) -> Tensor | View:
    view = as_view(x)
    if not program.is_result(view) or lane_axis(view, program.config.vector_length) == lanes:
        return x
    if lanes == -1:
        return program.transpose2d(view.transpose())
    return program.transpose2d(view).transpose()
