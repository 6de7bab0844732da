"""Two-dimensional convolution: one pass of the MXM per element of the filter, lanes are channels."""

from collections.abc import Mapping

from arch.config import Config
from arch.errors import TaktError
from compiler.kernels.bounds import product_bound, vectors
from compiler.kernels.kernel import Argument, Arrays, Bound, Kernel, Parameter, Parameters
from compiler.kernels.pooling import LARGEST, check_windows, places
from compiler.program import Program
from compiler.tensor import View


def _build(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    shape, filters = arrays["x"].shape, arrays["w"].shape
    dtype = arrays["x"].dtype.name
    rows, columns = places(shape, parameters, *filters[:2])
    stride, padding = int(parameters["stride"]), int(parameters["padding"])
    vector = program.config.vector_length
    # Whole vectors of channels for every element of the filter.
    more = -shape[2] % vector
    edge = (padding, padding)
    x = program.input("x", shape, dtype).pad((edge, edge, (0, more)))
    w = program.input("w", filters, dtype).pad(((0, 0), (0, 0), (0, more), (0, 0)))
    windows = x.windows(filters[:2], stride)
    taps = filters[0] * filters[1] * (shape[2] + more)
    y = program.matmul(windows.reshape(rows * columns, taps), w.reshape(taps, filters[3]))
    return {"y": y.reshape(rows, columns, filters[3])}


def _check(config: Config, arrays: Arrays, parameters: Parameters) -> None:
    x, w = arrays["x"], arrays["w"]
    if w.dtype != x.dtype:
        raise TaktError(f"w must be {x.dtype} like x, not {w.dtype}")
    check_windows(config, x.shape, parameters, w.shape[0], w.shape[1], 4 * w.shape[3])


def _bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    shape, filters = arrays["x"].shape, arrays["w"].shape
    rows, columns = places(shape, parameters, *filters[:2])
    blocks = filters[0] * filters[1] * vectors(config, shape[2])
    dtype = arrays["x"].dtype.name
    return product_bound(config, dtype, rows * columns, blocks * config.vector_length, filters[3])


CONV2D = Kernel(
    name="conv2d",
    doc="convolution (cross-correlation) of an image: int32 sums of int8, float32 of float16",
    arguments=(
        Argument(name="x", dtypes=("int8", "float16"), shape="h, w, c", doc="image"),
        Argument(name="w", dtypes=("int8", "float16"), shape="r, s, c, f", doc="filters"),
    ),
    parameters=(
        Parameter(name="stride", default=1, least=1, most=LARGEST, doc="step of the filter, both ways"),
        Parameter(name="padding", default=0, least=0, most=LARGEST, doc="zeros around the image"),
    ),
    results=("y",),
    build=_build,
    bound=_bound,
    rule=_check,
)
