"""Softmax along an axis."""

from collections.abc import Mapping
from math import prod

from arch.config import Config
from compiler.expression.expr import Expr
from compiler.expression.functions import exp, recip
from compiler.ir.tensor import Tensor, View
from compiler.library.activations import FLOATS
from compiler.library.bounds import stream_bound, vectors
from compiler.library.chains import chain
from compiler.library.kernel import Argument, Arrays, Bound, Kernel, Parameters
from compiler.library.operands import declare, over_time
from compiler.program import Program

_KEPT = 12
"""MEM slices that are read beside two copies of x where exponentials are kept: those, in two places, and sums.

With fewer slices they are computed twice.
"""


def softmax(program: Program, x: Tensor | View, axis: int = -1, dtype: str | None = None) -> View:
    """Return ``exp(x - max) / sum(exp(x - max))`` along an axis, in fp32, rounded to the result's format at the end.

    The quotient is a product with the reciprocal of the sum, whose order is that of `Program.reduce`.

    Parameters
    ----------
    program : Program
    x : Tensor or View
        float16 or float32, of any rank.
    axis : int
    dtype : str, optional
        Format of the result; that of `x` by default.

    Returns
    -------
    View
        Shape of `x`, lanes along another axis.
    """
    view, axis, layout = over_time(program, x, axis)
    target = dtype or view.dtype
    largest = program.reduce(view, "max", axis, keepdims=True, layout=layout, in_turn=False)
    if 2 * view.itemsize + _KEPT <= program.config.slices:
        scale, weights = program.reduce(
            (view, largest),
            "add",
            axis,
            function=lambda a, b: (term := _weight(a, b), term),
            finish=recip,
            keepdims=True,
        )
        y = program.map(_product, weights, scale, dtype=target)
    else:
        scale = program.reduce(
            (view, largest), "add", axis, function=_weight, finish=recip, keepdims=True, layout=layout
        )
        y = program.map(lambda a, b, c: _product(_weight(a, b), c), view, largest, scale, dtype=target)
    found: View = y.reshape(*x.shape)
    return found


def _weight(score: Expr, largest: Expr) -> Expr:
    return exp(score - largest)


def _product(weight: Expr, scale: Expr) -> Expr:
    return weight * scale


def _build(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    shape = arrays["x"].shape
    x = declare(program, arrays)["x"].reshape(prod(shape[:-1]), shape[-1])
    return {"y": softmax(program, x).reshape(*shape)}


def _bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    x = arrays["x"]
    dtype, terms = x.dtype.name, x.shape[-1]
    groups = vectors(config, prod(x.shape[:-1]))
    passes = (
        chain(lambda value: value, [dtype], operation="max"),
        chain(_weight, [dtype, "float32"], operation="add", terms=terms, finish=recip, after=1),
        chain(_product, ["float32", "float32"], dtype=dtype, after=1),
    )
    return stream_bound(config, groups * terms, *passes, groups=groups)


SOFTMAX = Kernel(
    name="softmax",
    doc="exp(x - max) / sum(exp(x - max)) along the last axis",
    arguments=(Argument(name="x", dtypes=FLOATS, shape="..., n", doc="scores"),),
    results=("y",),
    build=_build,
    bound=_bound,
)
