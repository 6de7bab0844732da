"""Softmax along the last axis."""

from collections.abc import Mapping
from math import prod

from arch.config import Config
from compiler.expression.functions import exp, recip
from compiler.kernels.activations import FLOATS
from compiler.kernels.bounds import joins, stream_bound, vectors
from compiler.kernels.kernel import Argument, Arrays, Bound, Kernel, Parameters
from compiler.program import Program
from compiler.tensor import View

_KEPT = 12
"""MEM slices that are read beside two copies of x where exponentials are kept: those, in two places, and sums.

With fewer slices they are computed twice.
"""


def _build(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    shape, dtype = arrays["x"].shape, arrays["x"].dtype.name
    x = program.input("x", shape, dtype).reshape(prod(shape[:-1]), shape[-1])
    largest = program.reduce(x, "max", 1, keepdims=True, layout="columns", in_turn=False)
    if 2 * arrays["x"].itemsize + _KEPT <= program.config.slices:
        scale, weights = program.reduce(
            (x, largest), "add", 1, function=lambda a, b: (term := exp(a - b), term), finish=recip, keepdims=True
        )
        y = program.map(lambda a, b: a * b, weights, scale, dtype=dtype)
    else:
        scale = program.reduce(
            (x, largest), "add", 1, function=lambda a, b: exp(a - b), finish=recip, keepdims=True, layout="columns"
        )
        y = program.map(lambda a, b, c: exp(a - b) * c, x, largest, scale, dtype=dtype)
    return {"y": y.reshape(*shape)}


def _bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    shape = arrays["x"].shape
    groups = vectors(config, prod(shape[:-1]))
    # Maxima can be taken in any order, so that nothing is left to join.
    return stream_bound(config, groups * shape[-1], 1, 4 + joins(shape[-1]), 1, groups=groups)


SOFTMAX = Kernel(
    name="softmax",
    doc="exp(x - max) / sum(exp(x - max)) along the last axis",
    arguments=(Argument(name="x", dtypes=FLOATS, shape="..., n", doc="scores"),),
    results=("y",),
    build=_build,
    bound=_bound,
)
