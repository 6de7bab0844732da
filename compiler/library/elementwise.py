"""A chain of elementwise operations."""

from collections.abc import Mapping

from arch.config import Config
from arch.errors import TaktError
from compiler.expression.expr import Expr
from compiler.expression.functions import relu
from compiler.ir.tensor import Tensor, View
from compiler.library.activations import FLOATS
from compiler.library.bounds import chain_bound, side_by_side, vectors
from compiler.library.chains import chain, graph_of
from compiler.library.kernel import Argument, Arrays, Bound, Kernel, Parameters
from compiler.library.operands import declare
from compiler.library.side_by_side import map_widely
from compiler.program import Program


def elementwise(
    program: Program,
    x: Tensor | View,
    scale: Tensor | View,
    shift: Tensor | View,
    residual: Tensor | View | None = None,
    dtype: str | None = None,
) -> View:
    """Return ``max(x * scale + shift + residual, 0)``, in fp32, rounded after every operation, in this order.

    Parameters
    ----------
    program : Program
    x, residual : Tensor or View
        float16 or float32, of one shape.
    scale, shift : Tensor or View
        float32, that broadcast to it; one number per channel has the shape (n,).
    dtype : str, optional
        Format of the result; that of `x` by default.
    """
    operands = [x, scale, shift] if residual is None else [x, scale, shift, residual]
    return map_widely(program, _function, *operands, dtype=dtype or x.dtype)


def _function(x: Expr, scale: Expr, shift: Expr, *residual: Expr) -> Expr:
    total = x * scale + shift
    for term in residual:
        total = total + term
    return relu(total)


def _build(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    return {"y": elementwise(program, **declare(program, arrays))}


def _check(config: Config, arrays: Arrays, parameters: Parameters) -> None:
    x, residual = arrays["x"], arrays.get("residual")
    if residual is not None and (residual.shape, residual.dtype) != (x.shape, x.dtype):
        raise TaktError(f"residual must be {x.dtype} of shape {x.shape} as x, not {residual.dtype} {residual.shape}")


def _bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    x, dtype = arrays["x"], arrays["x"].dtype.name
    formats = [array.dtype.name for array in arrays.values()]
    graph = graph_of(_function, formats, dtype)
    words = sum(vectors(config, one.shape[-1], *one.shape[:-1]) * one.itemsize for one in arrays.values())
    steps = side_by_side(config, words, (vectors(config, x.shape[-1], *x.shape[:-1]), graph))
    return chain_bound(config, steps, chain(_function, formats, dtype=dtype))


ELEMENTWISE = Kernel(
    name="elementwise",
    doc="max(x * scale + shift + residual, 0) in fp32, scale and shift along the last axis",
    arguments=(
        Argument(name="x", dtypes=FLOATS, shape="..., n", doc="values"),
        Argument(name="scale", dtypes=("float32",), shape="n", doc="factors"),
        Argument(name="shift", dtypes=("float32",), shape="n", doc="addends"),
        Argument(name="residual", dtypes=FLOATS, shape="..., n", doc="of the shape and dtype of x", optional=True),
    ),
    results=("y",),
    build=_build,
    bound=_bound,
    rule=_check,
)
