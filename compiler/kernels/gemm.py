"""Product of float16 matrices with a fused epilogue: bias, residual, activation."""

from collections.abc import Callable, Mapping

from arch.config import Config
from compiler.expression.expr import Expr
from compiler.expression.functions import relu
from compiler.kernels.activations import ACTIVATIONS, gelu, silu
from compiler.kernels.bounds import chain_levels, product_bound
from compiler.kernels.kernel import Argument, Arrays, Bound, Kernel, Parameter, Parameters
from compiler.program import Program
from compiler.tensor import Tensor

_ACTIVATIONS: tuple[Callable[[Expr], Expr] | None, ...] = (None, relu, gelu, silu)
_OPERATIONS = ((), ("RELU",), ACTIVATIONS["gelu"][1], ACTIVATIONS["silu"][1])
"""Operations in a row of each."""
_FUSED = ("bias", "residual")


def _build(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, Tensor]:
    activation = _ACTIVATIONS[int(parameters["activation"])]
    inputs = {name: program.input(name, array.shape, array.dtype.name) for name, array in arrays.items()}
    operands = tuple(inputs[name] for name in _FUSED if name in inputs)

    def finish(total: Expr, *terms: Expr) -> Expr:
        for term in terms:
            total = total + term
        return activation(total) if activation else total

    fused = finish if operands or activation else None
    return {"y": program.matmul(inputs["x"], inputs["w"], epilogue=fused, operands=operands)}


def _bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    (m, k), n = arrays["x"].shape, arrays["w"].shape[1]
    operations = ["ADD" for name in _FUSED if name in arrays]
    operations += [name.strip("*") for name in _OPERATIONS[int(parameters["activation"])]]
    # What does not fit the mesh takes at least its operations.
    levels = chain_levels(config, operations) or len(operations)
    return product_bound(config, "float16", m, k, n, levels or None)


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
            name="activation", default=0, least=0, most=len(_ACTIVATIONS) - 1, doc="0 none, 1 ReLU, 2 GELU, 3 SiLU"
        ),
    ),
    results=("y",),
    build=_build,
    bound=_bound,
)
