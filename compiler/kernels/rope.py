"""Rotary position embedding (RoPE)."""

from collections.abc import Mapping

import numpy as np

from arch.config import Config
from arch.errors import TaktError
from compiler.kernels.activations import FLOATS
from compiler.kernels.bounds import stream_bound, vectors
from compiler.kernels.kernel import Argument, Arrays, Bound, Kernel, Parameters
from compiler.program import Program
from compiler.tensor import View, join


def _build(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    """Lanes are positions, so that the two halves of a row are vectors of their own."""
    rows, size = arrays["x"].shape
    dtype = arrays["x"].dtype.name
    if size % 2:
        raise TaktError(f"d must be even, not {size}")
    half = size // 2
    x = program.input("x", (rows, size), dtype).view()
    cosine, sine = (program.input(name, (rows, half), "float32").view() for name in ("cosine", "sine"))
    sign = program.constant("sign", np.repeat(np.array([[-1, 1]], np.float32), half, axis=1))
    y = program.map(
        lambda a, b, c, s, one: a * c + b * s * one,
        x,
        join([x[:, half:], x[:, :half]], 1),
        join([cosine, cosine], 1),
        join([sine, sine], 1),
        sign,
        dtype=dtype,
        layout="columns",
    )
    return {"y": y.view()}


def _bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    shape = arrays["x"].shape
    casts = 2 if arrays["x"].dtype.name == "float16" else 0
    return stream_bound(config, vectors(config, *shape), 2 + casts)


ROPE = Kernel(
    name="rope",
    doc="rotate the pairs (i, i + d/2) of every row by its position's angles",
    arguments=(
        Argument(name="x", dtypes=FLOATS, shape="m, d", doc="queries or keys"),
        Argument(name="cosine", dtypes=("float32",), shape="m, e", doc="of the angles, e = d / 2"),
        Argument(name="sine", dtypes=("float32",), shape="m, e", doc="of the angles"),
    ),
    results=("y",),
    build=_build,
    bound=_bound,
)
