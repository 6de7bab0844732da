"""Projections of a sequence to heads: columns of a product in the lanes in which they are wanted."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from compiler.expression.expr import Expr
from compiler.ir.tensor import Tensor, View, as_view
from compiler.library.attention import whole
from compiler.library.operands import product
from compiler.program import Program

Operand = Tensor | View


def projected(
    program: Program, x: Operand, w: Operand, bias: Operand | None, parts: Sequence[Sequence[int]], size: int
) -> Tensor:
    """Return heads of ``x @ w + bias``, float16, in parts that begin a vector each; zeros follow, and stand for -1.

    In rows of x that are not finite there are other NaNs than zeros.

    Parameters
    ----------
    program : Program
    x : Tensor or View
        float16, shape (m, width).
    w, bias : Tensor or View
        Shapes (width, heads * size) and (heads * size,), inputs or constants.
    parts : sequence of sequence of int
        Heads of each part, side by side; of equal numbers, or fewer in the last ones.
    size : int

    Returns
    -------
    Tensor
        Shape (m, parts * whole vectors of a part).
    """
    depth = whole(program.config, size * max(len(part) for part in parts))
    places: npt.NDArray[np.int64] = np.full((len(parts), depth), -1, np.int64)
    for number, part in enumerate(parts):
        for place, head in enumerate(part):
            if head >= 0:
                places[number, size * place : size * (place + 1)] = size * head + np.arange(size)
    return placed(program, x, w, bias, places.reshape(-1))


def placed(program: Program, x: Operand, w: Operand, bias: Operand | None, places: npt.NDArray[np.int64]) -> Tensor:
    """Return columns of ``x @ w + bias`` by number, float16; zeros for -1."""
    operands = () if bias is None else (_columns(as_view(bias), places),)
    columns = _columns(as_view(w), places)
    return product(program, x, columns, epilogue=total_of, operands=operands, dtype="float16")


def _columns(view: View, places: npt.NDArray[np.int64]) -> View:
    """Return columns by number along the last axis; zeros for -1."""
    return View(view.tensor, np.where(places < 0, -1, view.elements[..., places]).astype(np.int32))


def total_of(total: Expr, *terms: Expr) -> Expr:
    """Return a sum plus terms, in order: an epilogue."""
    for term in terms:
        total = total + term
    return total
