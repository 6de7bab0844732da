"""Product of float16 matrices with a fused epilogue: bias, residual, activation."""

from collections.abc import Callable, Mapping

from arch.config import Config
from compiler.expression.activations import ACTIVATIONS
from compiler.expression.expr import Expr
from compiler.ir.tensor import Tensor, View
from compiler.library.bounds import chain_levels, length_of, product_bound
from compiler.library.chains import chain
from compiler.library.kernel import Argument, Arrays, Bound, Kernel, Parameter, Parameters
from compiler.library.operands import declare, product
from compiler.program import Program

Activation = Callable[[Expr], Expr]


def gemm(
    program: Program,
    x: Tensor | View,
    w: Tensor | View,
    bias: Tensor | View | None = None,
    residual: Tensor | View | None = None,
    activation: Activation | None = None,
    dtype: str | None = None,
) -> Tensor:
    """Return ``activation(x @ w + bias + residual)``, in fp32, rounded after every operation, in this order.

    Parameters
    ----------
    program : Program
    x : Tensor or View
        float16, shape (m, k), lanes along k.
    w : Tensor or View
        float16, shape (k, n); of a result, lanes along k.
    bias : Tensor or View, optional
        float32, shape (n,).
    residual : Tensor or View, optional
        float32 or float16, shape (m, n), lanes along n.
    activation : callable, optional
        From an expression to one: `compiler.expression.functions.relu`, `compiler.expression.activations.gelu` ...
    dtype : str, optional
        Format of the result, float32 by default.

    Returns
    -------
    Tensor
        Shape (m, n), lanes along n.
    """
    operands = tuple(operand for operand in (bias, residual) if operand is not None)
    fused = _finish(activation) if operands or activation or dtype else None
    return product(program, x, w, epilogue=fused, operands=operands, dtype=dtype)


def _finish(activation: Activation | None) -> Callable[..., Expr]:
    def finish(total: Expr, *terms: Expr) -> Expr:
        for term in terms:
            total = total + term
        return activation(total) if activation else total

    return finish


def _build(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, Tensor]:
    return {"y": gemm(program, **declare(program, arrays), activation=ACTIVATIONS[int(parameters["activation"])])}


def _bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    (m, k), n = arrays["x"].shape, arrays["w"].shape[1]
    activation = ACTIVATIONS[int(parameters["activation"])]
    terms = [name for name in ("bias", "residual") if name in arrays]
    if not terms and not activation:
        return product_bound(config, "float16", m, k, n)
    operations = chain(_finish(activation), ["float32"] * (1 + len(terms)), after=0)
    # What does not fit the mesh takes at least its operations.
    return product_bound(config, "float16", m, k, n, chain_levels(config, operations) or length_of(operations))


GEMM = Kernel(
    name="gemm",
    doc="matrix product with epilogue: activation(x w + bias + residual)",
    arguments=(
        Argument(name="x", dtypes=("float16",), shape="m, k", doc="activations"),
        Argument(name="w", dtypes=("float16",), shape="k, n", doc="weights"),
        Argument(name="bias", dtypes=("float32",), shape="n", doc="per column", optional=True),
        Argument(name="residual", dtypes=("float32",), shape="m, n", doc="added to the product", optional=True),
    ),
    parameters=(
        Parameter(
            name="activation", default=0, least=0, most=len(ACTIVATIONS) - 1, doc="0 none, 1 ReLU, 2 GELU, 3 SiLU"
        ),
    ),
    results=("y",),
    build=_build,
    bound=_bound,
)
