"""Activation functions: GELU, SiLU, sigmoid."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from arch.config import Config
from compiler.expression.expr import Expr
from compiler.expression.functions import sigmoid
from compiler.kernels.bounds import chain_bound, vectors
from compiler.kernels.kernel import Argument, Arrays, Bound, Kernel, Parameters
from compiler.program import Program
from compiler.tensor import View

FLOATS = ("float16", "float32")

_RATIO = float(np.float32(1 / 0.044715))
_CUBE = float(np.float32(2 * np.sqrt(2 / np.pi) * 0.044715))


def gelu(x: Expr) -> Expr:
    """Return ``x * sigmoid(2 sqrt(2/pi) (x + 0.044715 x**3))`` (Hendrycks and Gimpel, section 2).

    Both factors of the sigmoid's argument come from x at the same time: fewer operations in a row.
    """
    return x * sigmoid((x * x + _RATIO) * (x * _CUBE))


def silu(x: Expr) -> Expr:
    """Return ``x * sigmoid(x)``."""
    return x * sigmoid(x)


ACTIVATIONS: dict[str, tuple[Callable[[Expr], Expr], tuple[str, ...], str]] = {
    "gelu": (
        gelu,
        ("MUL", "ADD", "MUL", "SIGMOID", "*MUL"),
        "GELU in its tanh form: x * sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3))",
    ),
    "silu": (silu, ("SIGMOID", "*MUL"), "SiLU: x * sigmoid(x)"),
    "sigmoid": (sigmoid, ("SIGMOID",), "1 / (1 + exp(-x))"),
}
"""Function, operations in a row (a * before those that take x again), one line."""


def _kernel(name: str, function: Callable[[Expr], Expr], operations: tuple[str, ...], doc: str) -> Kernel:
    def build(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
        x = arrays["x"]
        flat = program.input("x", x.shape, x.dtype.name).reshape(x.size)
        return {"y": program.map(function, flat, dtype=x.dtype.name).reshape(*x.shape)}

    def bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
        x = arrays["x"]
        count = vectors(config, x.size)
        if x.dtype == np.float32:
            return chain_bound(config, count, [name.strip("*") for name in operations])
        again = [part for name in operations for part in (("+CVT", name[1:]) if name[0] == "*" else (name,))]
        return chain_bound(config, count, ["CVT", *again, "CVT"])

    argument: Any = Argument(name="x", dtypes=FLOATS, shape="..., n", doc="values")
    return Kernel(name=name, doc=doc, arguments=(argument,), results=("y",), build=build, bound=bound)


KERNELS = tuple(_kernel(name, *rest) for name, rest in ACTIVATIONS.items())
