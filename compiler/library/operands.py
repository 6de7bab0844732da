"""Operands of kernels: inputs of the command, and which way lanes should run in what no operation has made yet.

The host writes inputs and constants wherever they are read, so that a kernel may choose their lane axis. Results have
one; where it does not suit, the operation that reads them rearranges them first.
"""

from collections.abc import Callable, Sequence
from typing import Any

from compiler.ir.tensor import Tensor, View, as_view
from compiler.library.kernel import Arrays
from compiler.program import Program

__all__ = ["declare", "over_time", "product"]


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


def product(
    program: Program,
    x: Tensor | View,
    w: Tensor | View,
    *,
    epilogue: Callable[..., Any] | None = None,
    operands: Sequence[Any] = (),
    dtype: str | None = None,
    ways: int | None = None,
) -> Tensor:
    """Return the product of two matrices: arguments as of `Program.matmul`."""
    found: Tensor = program.matmul(x, w, epilogue=epilogue, operands=tuple(operands), dtype=dtype, ways=ways)
    return found
