"""Rotary position embedding (RoPE)."""

from collections.abc import Mapping

from arch.config import Config
from arch.errors import TaktError
from compiler.expression.expr import Expr
from compiler.kernels.activations import FLOATS
from compiler.kernels.bounds import chain_bound, vectors
from compiler.kernels.kernel import Argument, Arrays, Bound, Kernel, Parameters
from compiler.program import Program
from compiler.tensor import View


def _build(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    """Lanes are positions, so that the two halves of a row are vectors of their own."""
    rows, size = arrays["x"].shape
    dtype = arrays["x"].dtype.name
    half = size // 2
    x = program.input("x", (rows, size), dtype).view()
    cosine, sine = (program.input(name, (rows, half), "float32").view() for name in ("cosine", "sine"))

    def turn(a: Expr, b: Expr, c: Expr, s: Expr) -> tuple[Expr, Expr]:
        return a * c - b * s, b * c + a * s

    y = program.map(turn, x[:, :half], x[:, half:], cosine, sine, dtype=dtype, layout="columns", join=-1)
    return {"y": y.view()}


def _check(config: Config, arrays: Arrays, parameters: Parameters) -> None:
    size, half = arrays["x"].shape[1], arrays["cosine"].shape[1]
    if size % 2:
        raise TaktError(f"d must be even, not {size}")
    if half != size // 2:
        raise TaktError(f"e, the columns of cosine and sine, must be d / 2 = {size // 2}, not {half}")


def _bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    """Return the bound: both halves of x come at the same time, each from slices of its own."""
    rows, size = arrays["x"].shape
    casts = ("CVT",) if arrays["x"].dtype.name == "float16" else ()
    return chain_bound(config, vectors(config, rows, size // 2), [*casts, "MUL", "ADD", *casts])


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
