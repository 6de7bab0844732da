"""Layer normalisation and root-mean-square normalisation along the last axis."""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np

from arch.config import Config
from compiler.expression.expr import Expr
from compiler.expression.functions import rsqrt, square
from compiler.ir.tensor import Tensor, View
from compiler.library.activations import FLOATS
from compiler.library.bounds import stream_bound, vectors
from compiler.library.chains import chain
from compiler.library.kernel import Argument, Arrays, Bound, Kernel, Parameter, Parameters
from compiler.library.operands import declare, over_time
from compiler.program import Program


def layernorm(
    program: Program,
    x: Tensor | View,
    gamma: Tensor | View,
    beta: Tensor | View,
    epsilon: float = 1e-5,
    dtype: str | None = None,
) -> View:
    """Return ``(x - mean) / sqrt(variance + epsilon) * gamma + beta`` along the last axis.

    In fp32: the mean is the sum times fp32(1 / n), the variance that of the squared differences; the division is a
    product with rsqrt. The order of sums is that of `Program.reduce`.

    Parameters
    ----------
    program : Program
    x : Tensor or View
        float16 or float32, shape (..., n).
    gamma, beta : Tensor or View
        float32, shape (n,).
    epsilon : float
        Rounded to fp32.
    dtype : str, optional
        Format of the result; that of `x` by default.

    Returns
    -------
    View
        Shape of `x`, lanes along another axis than the last.
    """
    view, axis, layout = over_time(program, x, -1)
    share = 1 / view.shape[-1]
    mean = program.reduce(view, "add", axis, finish=_mean(share), keepdims=True, layout=layout)
    scale, centred = program.reduce(
        (view, mean), "add", axis, function=_centred, finish=_deviation(share, epsilon), keepdims=True
    )
    y = program.map(_scaled, centred, scale, gamma, beta, dtype=dtype or view.dtype)
    found: View = y.reshape(*x.shape)
    return found


def rmsnorm(
    program: Program, x: Tensor | View, gamma: Tensor | View, epsilon: float = 1e-5, dtype: str | None = None
) -> View:
    """Return ``x / sqrt(mean(x * x) + epsilon) * gamma`` along the last axis; otherwise as `layernorm`."""
    view, axis, layout = over_time(program, x, -1)
    finish = _deviation(1 / view.shape[-1], epsilon)
    scale = program.reduce(view, "add", axis, function=square, finish=finish, keepdims=True, layout=layout)
    y = program.map(_scaled, view, scale, gamma, dtype=dtype or view.dtype)
    found: View = y.reshape(*x.shape)
    return found


def _mean(share: float) -> Callable[[Expr], Expr]:
    return lambda total: total * share


def _deviation(share: float, epsilon: float) -> Callable[[Expr], Expr]:
    return lambda total: rsqrt(total * share + epsilon)


def _centred(value: Expr, mean: Expr) -> tuple[Expr, Expr]:
    difference = value - mean
    return square(difference), difference


def _scaled(value: Expr, scale: Expr, gamma: Expr, *beta: Expr) -> Expr:
    found = value * scale * gamma
    for shift in beta:
        found = found + shift
    return found


def _rows(program: Program, arrays: Arrays) -> dict[str, Any]:
    """Return inputs, those of x as rows."""
    shape = arrays["x"].shape
    inputs = declare(program, arrays)
    return inputs | {"x": inputs["x"].reshape(prod(shape[:-1]), shape[-1])}


def _layernorm(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    y = layernorm(program, **_rows(program, arrays), epsilon=float(parameters["epsilon"]))
    return {"y": y.reshape(*arrays["x"].shape)}


def _rmsnorm(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    y = rmsnorm(program, **_rows(program, arrays), epsilon=float(parameters["epsilon"]))
    return {"y": y.reshape(*arrays["x"].shape)}


def _layernorm_bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    dtype, terms = arrays["x"].dtype.name, arrays["x"].shape[-1]
    share, epsilon = 1 / terms, float(parameters["epsilon"])
    singles = ["float32"] * 4
    return _bound(
        config,
        arrays,
        chain(lambda value: value, [dtype], operation="add", terms=terms, finish=_mean(share)),
        chain(_centred, [dtype, "float32"], operation="add", terms=terms, finish=_deviation(share, epsilon), after=1),
        chain(_scaled, singles, dtype=dtype, after=1),
    )


def _rmsnorm_bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    dtype, terms = arrays["x"].dtype.name, arrays["x"].shape[-1]
    finish = _deviation(1 / terms, float(parameters["epsilon"]))
    return _bound(
        config,
        arrays,
        chain(square, [dtype], operation="add", terms=terms, finish=finish),
        chain(_scaled, [dtype, "float32", "float32"], dtype=dtype, after=1),
    )


def _bound(config: Config, arrays: Arrays, *passes: tuple[str, ...]) -> Bound:
    shape = arrays["x"].shape
    groups = vectors(config, prod(shape[:-1]))
    return stream_bound(config, groups * shape[-1], *passes, groups=groups)


_X = Argument(name="x", dtypes=FLOATS, shape="..., n", doc="rows")
_GAMMA = Argument(name="gamma", dtypes=("float32",), shape="n", doc="factors")
_BETA = Argument(name="beta", dtypes=("float32",), shape="n", doc="addends")
_EPSILON = Parameter(
    name="epsilon", default=1e-5, least=0.0, most=float(np.finfo(np.float32).max), doc="added to the mean square"
)

LAYERNORM = Kernel(
    name="layernorm",
    doc="(x - mean) / sqrt(variance + epsilon) * gamma + beta along the last axis",
    arguments=(_X, _GAMMA, _BETA),
    parameters=(_EPSILON,),
    results=("y",),
    build=_layernorm,
    bound=_layernorm_bound,
)

RMSNORM = Kernel(
    name="rmsnorm",
    doc="x / sqrt(mean(x * x) + epsilon) * gamma along the last axis",
    arguments=(_X, _GAMMA),
    parameters=(_EPSILON,),
    results=("y",),
    build=_rmsnorm,
    bound=_rmsnorm_bound,
)
