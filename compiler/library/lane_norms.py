"""Layer normalisation and root-mean-square normalisation of rows that lie in the lanes: sums are products with ones.

`compiler.library.normalisation` goes along time, so that what has its rows in the lanes is transposed before and after.
Here it stays where it is; planes, which add up lanes, multiply float16 only, and so squares are rounded to it.
"""

from collections.abc import Callable
from math import sqrt

import numpy as np

from compiler.expression.expr import Expr
from compiler.expression.functions import cast, minimum, rsqrt, square
from compiler.ir.tensor import Tensor, View, as_view
from compiler.library.bounds import vectors
from compiler.library.operands import product
from compiler.program import Program

__all__ = ["layernorm_in_lanes", "parts_in_lanes", "rmsnorm_in_lanes", "sums_in_lanes"]

_LIMIT = 2.0**15
"""Largest square that stays one float16. What squares have above it is a second one."""

_FAR = 2.0**-19
"""Factor of that second part: with it the largest square, 2**34 of a difference of float16 numbers, is one too."""

_UNIT = 2.0**-4
"""What sums of squares are counted in: in it, both parts have factors that are float16 numbers, 1 and ``1 / _FAR``."""


def layernorm_in_lanes(
    program: Program, x: Tensor | View, gamma: Tensor | View, beta: Tensor | View, epsilon: float = 1e-5
) -> Tensor:
    """Return ``(x - mean) / sqrt(variance + epsilon) * gamma + beta`` along the last axis, float16.

    The sums are MXM products with ones: of x; and of the squares of the differences, each of which is two float16
    numbers, ``min(square, 2**15)``, and what is above that times ``2**-19``. Everything else is fp32:
    ``difference * sqrt(n) * gamma * rsqrt(sum of squares + n * epsilon) + beta`` in this order, with n and the sum of
    squares in units of ``2**-4``. The rounding of squares changes the variance by less than one part in 2,048.

    Parameters
    ----------
    program : Program
    x : Tensor or View
        float16, shape (m, n), lanes along n.
    gamma, beta : Tensor or View
        float32, shape (n,).
    epsilon : float
        Rounded to fp32.

    Returns
    -------
    Tensor
        Shape (m, n), lanes along n.
    """
    view = as_view(x)
    share = 1 / view.shape[1]
    mean = sums_in_lanes(program, view, (1.0,), view.shape[1], lambda total: total * share)
    return _over_root(program, view, (mean,), (gamma, beta), epsilon)


def rmsnorm_in_lanes(program: Program, x: Tensor | View, gamma: Tensor | View, epsilon: float = 1e-5) -> Tensor:
    """Return ``x / sqrt(mean(x * x) + epsilon) * gamma`` along the last axis; otherwise as `layernorm_in_lanes`."""
    return _over_root(program, as_view(x), (), (gamma,), epsilon)


def _over_root(
    program: Program, x: View, mean: tuple[View, ...], affine: tuple[Tensor | View, ...], epsilon: float
) -> Tensor:
    """Return what x is above its mean, over the root of the mean of its squares, times a factor, and an addend."""
    rows = parts_in_lanes(program, _parts, x, *mean)
    count = x.shape[1] * _UNIT

    def finish(total: Expr, value: Expr, *others: Expr) -> Expr:
        centred, (gamma, *beta) = _centred(value, *others[: len(mean)]), others[len(mean) :]
        # x is at hand long before the sum: what can be done to it in the meantime delays nothing.
        found = centred * sqrt(count) * gamma * rsqrt(total + epsilon * count)
        for shift in beta:
            found = found + shift
        return found

    return _with_sums(program, rows, (_UNIT, _UNIT / _FAR), finish, (x, *mean, *affine))


def _parts(value: Expr, *mean: Expr) -> tuple[Expr, Expr]:
    """Return the two parts of a square, of which one is zero or at its limit."""
    whole = square(_centred(value, *mean))
    near = minimum(whole, _LIMIT)
    return cast(near, "float16"), cast((whole - near) * _FAR, "float16")


def _centred(value: Expr, *mean: Expr) -> Expr:
    return value - mean[0] if mean else value


def _ones(program: Program, x: View, factors: tuple[float, ...], columns: int) -> Tensor:
    """Return columns of ones times factors, one for each equal share of the lanes of x."""
    column = np.repeat(np.array(factors, np.float16), x.shape[1] // len(factors))
    return program.constant(program.fresh_name("ones"), np.repeat(column[:, None], columns, axis=1))


def parts_in_lanes(program: Program, parts: Callable[..., tuple[Expr, Expr]], x: View, *operands: View) -> View:
    """Return two parts of every element of x in lanes side by side, each part in whole vectors, for `sums_in_lanes`."""
    m, n = x.shape
    made = program.map(parts, x, *operands, join=-2)
    beside = as_view(made).reshape(2, m, n).transpose(1, 0, 2)
    whole = vectors(program.config, n) * program.config.vector_length
    return beside.pad(((0, 0), (0, 0), (0, whole - n))).reshape(m, 2 * whole)


def sums_in_lanes(
    program: Program, x: View, factors: tuple[float, ...], n: int, finish: Callable[[Expr], Expr] | None = None
) -> View:
    """Return sums over the lanes of x, whose equal shares have factors of their own, in each of n lanes.

    One vector a row has them in every lane, and where the rows are longer it is read again.
    """
    vector = program.config.vector_length
    weights = _ones(program, x, factors, min(n, vector))
    return product(program, x, weights, epilogue=finish)[:, np.arange(n) % vector]


def _with_sums(
    program: Program,
    x: View,
    factors: tuple[float, ...],
    finish: Callable[..., Expr],
    operands: tuple[Tensor | View, ...],
) -> Tensor:
    """Return ``finish(sum, *operands)``, float16, of `sums_in_lanes`; the first operand has the result's shape."""
    n = operands[0].shape[1]
    if n <= program.config.vector_length:
        weights = _ones(program, x, factors, n)
        return product(program, x, weights, epilogue=finish, operands=operands, dtype="float16")
    found: Tensor = program.map(finish, sums_in_lanes(program, x, factors, n), *operands, dtype="float16")
    return found
