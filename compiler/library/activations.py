"""Activation functions: GELU, SiLU, sigmoid, element by element."""

from collections.abc import Callable, Mapping

from arch.config import Config
from compiler.expression import activations as expressions
from compiler.expression import functions
from compiler.expression.expr import Expr
from compiler.ir.tensor import Tensor, View
from compiler.library.bounds import chain_bound, side_by_side, vectors
from compiler.library.chains import chain, graph_of
from compiler.library.kernel import Argument, Arrays, Bound, Kernel, Parameters
from compiler.library.operands import declare
from compiler.library.side_by_side import map_widely
from compiler.program import Program

FLOATS = ("float16", "float32")


def gelu(program: Program, x: Tensor | View, dtype: str | None = None) -> View:
    """Return ``x * sigmoid(2 sqrt(2/pi) (x + 0.044715 x**3))``, the tanh form of GELU.

    Parameters
    ----------
    program : Program
    x : Tensor or View
        float16 or float32, of any rank.
    dtype : str, optional
        Format of the result, to which the fp32 value is rounded; that of `x` by default.

    Returns
    -------
    View
        Shape of `x`.
    """
    return _apply(program, expressions.gelu, x, dtype)


def silu(program: Program, x: Tensor | View, dtype: str | None = None) -> View:
    """Return ``x * sigmoid(x)``; otherwise as `gelu`."""
    return _apply(program, expressions.silu, x, dtype)


def sigmoid(program: Program, x: Tensor | View, dtype: str | None = None) -> View:
    """Return ``1 / (1 + exp(-x))``; otherwise as `gelu`."""
    return _apply(program, functions.sigmoid, x, dtype)


def _apply(program: Program, function: Callable[[Expr], Expr], x: Tensor | View, dtype: str | None) -> View:
    return map_widely(program, function, x, dtype=dtype or x.dtype)


_Function = Callable[[Program, Tensor | View], View]


def _kernel(name: str, function: _Function, expression: Callable[[Expr], Expr], doc: str) -> Kernel:
    def build(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
        x = arrays["x"]
        # Full vectors, whatever the last axis is.
        return {"y": function(program, declare(program, arrays)["x"].reshape(x.size)).reshape(*x.shape)}

    def bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
        x = arrays["x"]
        dtype, count = x.dtype.name, vectors(config, x.size)
        graph = graph_of(expression, [dtype], dtype)
        steps = side_by_side(config, count * x.itemsize, (count, graph))
        return chain_bound(config, steps, chain(expression, [dtype], dtype=dtype))

    argument = Argument(name="x", dtypes=FLOATS, shape="..., n", doc="values")
    return Kernel(name=name, doc=doc, arguments=(argument,), results=("y",), build=build, bound=bound)


KERNELS = (
    _kernel("gelu", gelu, expressions.gelu, "GELU in its tanh form: x * sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3))"),
    _kernel("silu", silu, expressions.silu, "SiLU: x * sigmoid(x)"),
    _kernel("sigmoid", sigmoid, functions.sigmoid, "1 / (1 + exp(-x))"),
)
