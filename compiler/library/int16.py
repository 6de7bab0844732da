"""Products of int16 activations, quantised row by row as the program runs, with int8 weights.

Planes multiply int8. An int16 number is two of them, ``256 * high + low``, which meet the same weights as two rows of
one product: where weights bound the time, the second one is free. Both sums are exact.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from compiler.expression.expr import Expr
from compiler.expression.functions import cast, maximum, minimum, recip, rsqrt, square
from compiler.ir.tensor import Tensor, View, as_view
from compiler.library.lane_norms import parts_in_lanes, sums_in_lanes
from compiler.library.operands import product
from compiler.program import Program

__all__ = ["Int16Rows", "int16_product", "quantised_rows"]

LARGEST = 127 * 256
"""What the length of a row becomes: no number is larger, but for rounding, and those above have two int8 digits too."""

_NEAR = 2.0**5
"""Largest square that stays one float16, times `_RAISED`. What squares have above it is a second one."""

_RAISED = 2.0**10
"""Factor of that first part, for squares of small numbers to be none of the smallest float16."""

_FAR = 2.0**-19
"""Factor of the second part: with it the largest square of a float16 is one too."""

_UNIT = 2.0**-4
"""What sums of squares are counted in: in it, both parts have factors that are float16 numbers."""

_LEAST = 2.0**-28
"""Least sum of squares in that unit: below it float16 rounds squares by more than one part in 2,048."""


@dataclass(frozen=True)
class Int16Rows:
    """Rows of int16 numbers, each with the step that they count.

    Attributes
    ----------
    digits : View
        int8, shape (2 m, k): the high digits of all rows, then their low ones.
    step : View
        float32, shape (m, c): a vector or less, the same in all lanes.
    """

    digits: View
    step: View


def quantised_rows(program: Program, x: Tensor | View) -> Int16Rows:
    """Return rows of float16 as int16 numbers, counted in steps of their length over 32512.

    The length is a float16 product, as planes add up lanes, and lanes meet nowhere sooner: of the squares, each of
    which is two float16 numbers, ``min(square, 2**5) * 2**10`` and what is above that times ``2**-19``, with 2**-14 and
    2**15. All else is fp32. With ``inverse = rsqrt(max(sum, 2**-28)) * 8128`` a number is
    ``round_half_even(x * inverse)``, its high digit ``(number + 128) >> 8``, its low one what is left, and the step
    ``recip(inverse)``. A row of k numbers of one size has 32512 / sqrt(k) steps for each.

    Parameters
    ----------
    program : Program
    x : Tensor or View
        float16, shape (m, k), finite; lanes along k.
    """
    k = x.shape[1]
    squares = parts_in_lanes(program, _parts, as_view(x))
    inverse = sums_in_lanes(program, squares, (_UNIT / _RAISED, _UNIT / _FAR), k, _inverse)
    digits = program.map(_digits, x, inverse, join=-2)
    step = program.map(recip, inverse[:, : min(k, program.config.vector_length)])
    return Int16Rows(as_view(digits), as_view(step))


def int16_product(
    program: Program,
    rows: Int16Rows,
    w: Tensor | View,
    scale: Tensor | View,
    finish: Callable[..., Any] | None = None,
    operands: Sequence[Any] = (),
    dtype: str | None = None,
) -> Tensor:
    """Return ``finish((256 * high @ w + low @ w) * step * scale, *operands)``.

    The sums are int32; all else is fp32, rounded after every operation, in this order.

    Parameters
    ----------
    program : Program
    rows : Int16Rows
        Of m rows of k numbers.
    w : Tensor or View
        int8, shape (k, n).
    scale : Tensor or View
        float32, shape (n,).
    finish : callable, optional
        From expressions to one.
    operands : sequence of Tensor or View
        What it takes beside the product: of shape (n,) or (m, n).
    dtype : str, optional
        Format of the result, float32 by default.

    Returns
    -------
    Tensor
        Shape (m, n), lanes along n.
    """
    m, n = rows.step.shape[0], w.shape[1]
    sums = product(program, rows.digits, w)
    step = rows.step[:, np.arange(n) % rows.step.shape[1]]

    def whole(high: Expr, low: Expr, counted: Expr, factor: Expr, *others: Expr) -> Any:
        total = (cast(high, "float32") * 256.0 + cast(low, "float32")) * counted * factor
        return finish(total, *others) if finish else total

    found: Tensor = program.map(whole, sums[:m], sums[m:], step, scale, *operands, dtype=dtype)
    return found


def _parts(value: Expr) -> tuple[Expr, Expr]:
    """Return the two parts of a square, of which one is zero or at its limit."""
    whole = square(cast(value, "float32"))
    near = minimum(whole, _NEAR)
    return cast(near * _RAISED, "float16"), cast((whole - near) * _FAR, "float16")


def _inverse(total: Expr) -> Expr:
    return rsqrt(maximum(total, _LEAST)) * (LARGEST * sqrt(_UNIT))


def _digits(value: Expr, inverse: Expr) -> tuple[Expr, Expr]:
    number = cast(cast(value, "float32") * inverse, "int32")
    high = (number + 128) >> 8
    return cast(high, "int8"), cast(number - (high << 8), "int8")
