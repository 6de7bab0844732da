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
from compiler.vector.reduce_pass import interleaves


def _build(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    shape, dtype = arrays["x"].shape, arrays["x"].dtype.name
    x = program.input("x", shape, dtype).reshape(prod(shape[:-1]), shape[-1])
    largest = program.reduce(x, "max", 1, keepdims=True, layout="columns")
    scale, weights = program.reduce(
        (x, largest), "add", 1, function=lambda a, b: (term := exp(a - b), term), finish=recip, keepdims=True
    )
    return {"y": program.map(lambda a, b: a * b, weights, scale, dtype=dtype).reshape(*shape)}


def _bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    shape = arrays["x"].shape
    groups = vectors(config, prod(shape[:-1]))
    join = joins(shape[-1])
    if interleaves(config, shape[-1], groups):
        # Three groups take turns in their maxima, which come at the same time, of x in an order of its own.
        found = stream_bound(config, groups * shape[-1], 1, 4 + join, 1, groups=groups)
        return Bound(found.cycles + min(2, groups - 1) * shape[-1], found.limit)
    return stream_bound(config, groups * shape[-1], 1 + join, 4 + join, 1, reads=2, groups=groups)


SOFTMAX = Kernel(
    name="softmax",
    doc="exp(x - max) / sum(exp(x - max)) along the last axis",
    arguments=(Argument(name="x", dtypes=FLOATS, shape="..., n", doc="scores"),),
    results=("y",),
    build=_build,
    bound=_bound,
)
