"""Layer normalisation and root-mean-square normalisation along the last axis."""

from collections.abc import Callable, Mapping
from math import prod

import numpy as np

from arch.config import Config
from compiler.expression.expr import Expr
from compiler.expression.functions import rsqrt, square
from compiler.kernels.activations import FLOATS
from compiler.kernels.bounds import joins, stream_bound, vectors
from compiler.kernels.kernel import Argument, Arrays, Bound, Kernel, Parameter, Parameters
from compiler.program import Program
from compiler.tensor import View

_X = Argument(name="x", dtypes=FLOATS, shape="..., n", doc="rows")
_GAMMA = Argument(name="gamma", dtypes=("float32",), shape="n", doc="factors")
_BETA = Argument(name="beta", dtypes=("float32",), shape="n", doc="addends")
_EPSILON = Parameter(
    name="epsilon", default=1e-5, least=0.0, most=float(np.finfo(np.float32).max), doc="added to the mean square"
)


def _rows(program: Program, arrays: Arrays) -> View:
    x = arrays["x"]
    return program.input("x", x.shape, x.dtype.name).reshape(prod(x.shape[:-1]), x.shape[-1])


def _layernorm(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    shape, dtype = arrays["x"].shape, arrays["x"].dtype.name
    x = _rows(program, arrays)
    gamma, beta = (program.input(name, shape[-1:], "float32") for name in ("gamma", "beta"))
    share, epsilon = 1 / shape[-1], float(parameters["epsilon"])
    mean = program.reduce(x, "add", 1, finish=lambda total: total * share, keepdims=True, layout="columns")

    def centre(a: Expr, b: Expr) -> tuple[Expr, Expr]:
        difference = a - b
        return square(difference), difference

    scale, centred = program.reduce(
        (x, mean), "add", 1, function=centre, finish=lambda total: rsqrt(total * share + epsilon), keepdims=True
    )
    y = program.map(lambda a, b, c, d: a * b * c + d, centred, scale, gamma, beta, dtype=dtype)
    return {"y": y.reshape(*shape)}


def _rmsnorm(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    shape, dtype = arrays["x"].shape, arrays["x"].dtype.name
    x = _rows(program, arrays)
    gamma = program.input("gamma", shape[-1:], "float32")
    share, epsilon = 1 / shape[-1], float(parameters["epsilon"])
    scale = program.reduce(
        x,
        "add",
        1,
        function=square,
        finish=lambda total: rsqrt(total * share + epsilon),
        keepdims=True,
        layout="columns",
    )
    return {"y": program.map(lambda a, b, c: a * b * c, x, scale, gamma, dtype=dtype).reshape(*shape)}


def _bound(sums: tuple[int, ...], last: int) -> Callable[[Config, Arrays, Parameters], Bound]:
    """Return the bound of passes that end in sums, with so many operations each but the joins, and a last one."""

    def bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
        shape = arrays["x"].shape
        groups = vectors(config, prod(shape[:-1]))
        levels = [level + joins(shape[-1]) for level in sums]
        return stream_bound(config, groups * shape[-1], *levels, last, groups=groups)

    return bound


LAYERNORM = Kernel(
    name="layernorm",
    doc="(x - mean) / sqrt(variance + epsilon) * gamma + beta along the last axis",
    arguments=(_X, _GAMMA, _BETA),
    parameters=(_EPSILON,),
    results=("y",),
    build=_layernorm,
    bound=_bound((2, 6), 3),
)

RMSNORM = Kernel(
    name="rmsnorm",
    doc="x / sqrt(mean(x * x) + epsilon) * gamma along the last axis",
    arguments=(_X, _GAMMA),
    parameters=(_EPSILON,),
    results=("y",),
    build=_rmsnorm,
    bound=_bound((5,), 2),
)
