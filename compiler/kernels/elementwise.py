"""A chain of elementwise operations."""

from collections.abc import Mapping

import numpy as np

from arch.config import Config
from arch.errors import TaktError
from compiler.expression.functions import relu
from compiler.kernels.activations import FLOATS
from compiler.kernels.bounds import chain_bound, vectors
from compiler.kernels.kernel import Argument, Arrays, Bound, Kernel, Parameters
from compiler.program import Program
from compiler.tensor import View


def _build(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    shape, dtype = arrays["x"].shape, arrays["x"].dtype.name
    operands = [program.input("x", shape, dtype)]
    operands += [program.input(name, arrays[name].shape, "float32") for name in ("scale", "shift")]
    if "residual" in arrays:
        operands.append(program.input("residual", shape, dtype))
        y = program.map(lambda x, a, b, r: relu(x * a + b + r), *operands, dtype=dtype)
    else:
        y = program.map(lambda x, a, b: relu(x * a + b), *operands, dtype=dtype)
    return {"y": y.view()}


def _check(config: Config, arrays: Arrays, parameters: Parameters) -> None:
    x, residual = arrays["x"], arrays.get("residual")
    if residual is not None and (residual.shape, residual.dtype) != (x.shape, x.dtype):
        raise TaktError(f"residual must be {x.dtype} of shape {x.shape} as x, not {residual.dtype} {residual.shape}")


def _bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    x = arrays["x"]
    casts = ("CVT",) if x.dtype == np.float16 else ()
    again = [*(["+CVT"] if casts else []), "ADD"] if "residual" in arrays else []
    operations = [*casts, "MUL", "ADD", *again, "RELU", *casts]
    return chain_bound(config, vectors(config, x.shape[-1], *x.shape[:-1]), operations)


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
