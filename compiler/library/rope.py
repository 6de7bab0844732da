"""Rotary position embedding (RoPE)."""

from collections.abc import Mapping

import numpy as np

from arch.config import Config
from arch.errors import TaktError
from compiler.expression.expr import Expr
from compiler.ir.lanes import lane_axis
from compiler.ir.tensor import Tensor, View, as_view
from compiler.library.activations import FLOATS
from compiler.library.bounds import chain_bound, one_by_one, vectors
from compiler.library.chains import chain
from compiler.library.kernel import Argument, Arrays, Bound, Kernel, Parameters
from compiler.library.operands import declare
from compiler.program import Program


def rope(
    program: Program, x: Tensor | View, cosine: Tensor | View, sine: Tensor | View, dtype: str | None = None
) -> Tensor:
    """Rotate pairs of elements (i, i + d/2) of every row by its position's angles (Su et al., RoFormer, 3.4.2).

    In fp32: ``(a cos - b sin, b cos + a sin)`` for the halves a and b of a row, products rounded before the sum.

    Parameters
    ----------
    program : Program
    x : Tensor or View
        float16 or float32, shape (m, d), d even.
    cosine, sine : Tensor or View
        float32, shape (m, d / 2), inputs or constants.
    dtype : str, optional
        Format of the result; that of `x` by default.

    Returns
    -------
    Tensor
        Shape of `x`.

    Notes
    -----
    With lanes along m, or where half a row fills whole vectors, both halves are vectors of their own: one pass. A
    result with a row in each vector meets the other half by way of the SXM (a PERMUTE per byte).

    Raises
    ------
    TaktError
        For an odd d, and angles of another shape.
    """
    view, target = as_view(x), dtype or x.dtype
    check_angles(view.shape, cosine.shape)
    vector, half = program.config.vector_length, view.shape[1] // 2
    in_rows = program.is_result(view) and lane_axis(view, vector) == -1
    if in_rows and half % vector and view.shape[1] <= vector:
        return _within_vectors(program, view, cosine, sine, target)
    found: Tensor = program.map(
        _turn, view[:, :half], view[:, half:], cosine, sine, dtype=target, layout=None if in_rows else -2, join=-1
    )
    return found


def check_angles(shape: tuple[int, ...], angles: tuple[int, ...]) -> None:
    """Raise TaktError unless rows of pairs can be turned by angles of a shape."""
    if shape[1] % 2:
        raise TaktError(f"d must be even, not {shape[1]}")
    if angles[1] != shape[1] // 2:
        raise TaktError(f"e, the columns of cosine and sine, must be d / 2 = {shape[1] // 2}, not {angles[1]}")


def _turn(a: Expr, b: Expr, cosine: Expr, sine: Expr) -> tuple[Expr, Expr]:
    return a * cosine - b * sine, b * cosine + a * sine


def _within_vectors(program: Program, x: View, cosine: Tensor | View, sine: Tensor | View, dtype: str) -> Tensor:
    """Return the rotation of rows of which each lies in one vector.

    ``a * c - b * s`` has the bits of ``a * c + b * -s``: the sign goes to the factor that every lane has of its own.
    """
    vector, size = program.config.vector_length, x.shape[1]
    half = size // 2
    lane = np.arange(vector)
    partner = np.where(lane < size, (lane + half) % size, lane)
    other = program.permute(x, partner)[:, :size]
    again = np.arange(size) % half
    sign = np.where(np.arange(size) < half, -1, 1).astype(np.float32)
    found: Tensor = program.map(
        lambda a, b, c, s, side: a * c + b * (s * side),
        x,
        other,
        as_view(cosine)[:, again],
        as_view(sine)[:, again],
        sign,
        dtype=dtype,
    )
    return found


def _build(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    return {"y": rope(program, **declare(program, arrays)).view()}


def _check(config: Config, arrays: Arrays, parameters: Parameters) -> None:
    check_angles(arrays["x"].shape, arrays["cosine"].shape)


def _bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    """Return the bound: both halves of x come at the same time, each from slices of its own."""
    rows, size = arrays["x"].shape
    dtype = arrays["x"].dtype.name
    operations = chain(_turn, [dtype, dtype, "float32", "float32"], dtype=dtype)
    return chain_bound(config, one_by_one(vectors(config, rows, size // 2)), operations)


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
    rule=_check,
)
