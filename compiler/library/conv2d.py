"""Convolutions of sequences and images: one pass of the MXM per tap of the filter, lanes are channels."""

from collections.abc import Callable, Mapping
from math import gcd, prod
from typing import Any

from arch.config import Config
from arch.errors import TaktError
from compiler.arguments import integer
from compiler.ir.tensor import Tensor, View, as_view, join
from compiler.library.bounds import product_bound, vectors
from compiler.library.depthwise import depthwise
from compiler.library.kernel import Argument, Arrays, Bound, Kernel, Parameter, Parameters
from compiler.library.operands import declare, product
from compiler.library.pooling import LARGEST
from compiler.library.windows import Padding, PerAxis, Windows, check_windows
from compiler.program import Program


def conv(
    program: Program,
    x: Tensor | View,
    w: Tensor | View,
    strides: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    *,
    epilogue: Callable[..., Any] | None = None,
    operands: tuple[Tensor | View, ...] = (),
    dtype: str | None = None,
) -> View:
    """Return the convolution (cross-correlation, as ONNX Conv) of a sequence or an image.

    int32 sums of int8; of float16, one product as `Program.matmul` per tap, in row-major order, added up pass by pass
    in fp32.

    Parameters
    ----------
    program : Program
    x : Tensor or View
        int8 or float16, shape (..., c): (l, c) of a sequence, (h, w, c) of an image; lanes along c.
    w : Tensor or View
        Of the same dtype, shape (taps per axis, c / groups, f); an input or a constant.
    strides, dilation : int or sequence of int
        For all axes, or one per axis but the channels.
    padding : int, or sequence of int or of (before, after)
        Zeros around.
    groups : int
        Each takes its share of the channels, in order, and makes its share of the filters.
    epilogue, operands, dtype
        What becomes of the sums, as of `Program.matmul`; operands have shape (f,). With `groups` 1 only.

    Returns
    -------
    View
        Shape (windows per axis, f), lanes along f.

    Raises
    ------
    TaktError
        For windows, groups and shapes that do not fit together.
    """
    image, filters = as_view(x), as_view(w)
    check_groups(image.shape, filters.shape, groups)
    windows = Windows.over(image.shape[:-1], filters.shape[:-2], strides, padding, dilation)
    finish = {"epilogue": epilogue, "operands": operands, "dtype": dtype}
    if groups == 1:
        return _dense(program, image, filters, windows, finish)
    if epilogue is not None or operands or dtype is not None:
        raise TaktError(f"epilogue, operands and dtype must be left out of a convolution of {groups} groups")
    if groups == filters.shape[-1] == image.shape[-1] and image.dtype == "int8":
        # The same sums; of float16 they could differ in the sign of a zero.
        return depthwise(program, image, filters[..., 0, :], strides, padding, dilation)
    together = _together(program.config, image, filters, groups)
    parts = [
        _dense(program, part, _block_diagonal(weights, together), windows, finish)
        for part, weights in zip(_shares(image, groups // together), _shares(filters, groups // together), strict=True)
    ]
    return program.concatenate(parts, -1)


def check_groups(shape: tuple[int, ...], filters: tuple[int, ...], groups: int) -> None:
    """Raise TaktError unless filters in groups fit an image."""
    if len(filters) != len(shape) + 1:
        raise TaktError(f"w must have {len(shape) + 1} axes for x of shape {shape}, not {len(filters)}")
    count = integer("groups", groups, 1)
    if shape[-1] % count or filters[-1] % count:
        raise TaktError(f"groups must divide the {shape[-1]} channels and {filters[-1]} filters, not be {groups}")
    if filters[-2] != shape[-1] // count:
        raise TaktError(f"w must take {shape[-1] // count} channels of x, not {filters[-2]}")


def _dense(program: Program, x: View, w: View, windows: Windows, finish: Mapping[str, Any]) -> View:
    """Return the product of the windows' channels and the filters, whole vectors of channels for every tap."""
    rank = len(windows.shape)
    more = -x.shape[-1] % program.config.vector_length
    image = x.pad((*windows.padding, (0, more)))
    taps = [windows.taps_along(axis) + before for axis, (before, _) in enumerate(windows.padding)]
    parts = image[windows.index(*taps)].transpose(*range(rank, 2 * rank), *range(rank), 2 * rank)
    depth = windows.taps * (x.shape[-1] + more)
    weights = w.pad((*((0, 0) for _ in range(rank)), (0, more), (0, 0)))
    y = product(program, parts.reshape(prod(windows.places), depth), weights.reshape(depth, w.shape[-1]), **finish)
    return y.reshape(*windows.places, w.shape[-1])


def _shares(view: View, count: int) -> list[View]:
    """Return equal shares along the last axis."""
    size = view.shape[-1] // count
    return [view[..., share * size : (share + 1) * size] for share in range(count)]


def _together(config: Config, x: View, w: View, groups: int) -> int:
    """Return how many groups one product takes, with zeros where a filter does not see a channel.

    As many as fill whole vectors of channels and of sums. Not with floats: a product of zero and infinity is none.
    """
    if x.dtype != "int8":
        return 1
    fill = [config.vector_length // gcd(config.vector_length, size // groups) for size in (x.shape[-1], w.shape[-1])]
    found = fill[0] * fill[1] // gcd(*fill)
    return found if groups % found == 0 else groups


def _block_diagonal(w: View, groups: int) -> View:
    """Return filters of several groups that see the channels of all: those of other groups with zeros."""
    if groups == 1:
        return w
    channels, filters = w.shape[-2], w.shape[-1] // groups
    sides = [(0, 0)] * (len(w.shape) - 2)
    parts = [
        w[..., group * filters : (group + 1) * filters].pad(
            (*sides, (group * channels, (groups - 1 - group) * channels), (0, 0))
        )
        for group in range(groups)
    ]
    return join(parts, -1)


def _windows(arrays: Arrays, parameters: Parameters) -> Windows:
    return Windows.over(
        arrays["x"].shape[:-1], arrays["w"].shape[:-2], int(parameters["stride"]), int(parameters["padding"])
    )


def _build(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    strides, padding = int(parameters["stride"]), int(parameters["padding"])
    return {"y": conv(program, **declare(program, arrays), strides=strides, padding=padding)}


def _check(config: Config, arrays: Arrays, parameters: Parameters) -> None:
    x, w = arrays["x"], arrays["w"]
    if w.dtype != x.dtype:
        raise TaktError(f"w must be {x.dtype} like x, not {w.dtype}")
    check_windows(config, _windows(arrays, parameters), x.shape[2], 4 * w.shape[3])


def _bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    windows, filters = _windows(arrays, parameters), arrays["w"].shape
    depth = windows.taps * vectors(config, filters[2]) * config.vector_length
    return product_bound(config, arrays["x"].dtype.name, prod(windows.places), depth, filters[3])


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
