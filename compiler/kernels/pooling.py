"""Max and average pooling: lanes are channels, a window is a run of steps."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from compiler.expression.expr import Expr
from compiler.expression.functions import cast
from compiler.kernels.activations import FLOATS
from compiler.kernels.bounds import stream_bound, vectors
from compiler.kernels.chains import chain
from compiler.kernels.kernel import Argument, Arrays, Bound, Kernel, Parameter, Parameters
from compiler.kernels.operands import declare
from compiler.kernels.windows import Padding, PerAxis, Windows, check_windows
from compiler.program import Program
from compiler.tensor import Tensor, View, as_view


def maxpool(
    program: Program,
    x: Tensor | View,
    window: PerAxis,
    strides: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil: bool = False,
) -> View:
    """Return the largest element of every window of every channel; padding never wins.

    Parameters
    ----------
    program : Program
    x : Tensor or View
        int8, float16 or float32, shape (..., channels): (l, c) of a sequence, (h, w, c) of an image; lanes along the
        channels.
    window, strides, dilation : int or sequence of int
        For all axes, or one per axis but the channels.
    padding : int, or sequence of int or of (before, after)
    ceil : bool
        Windows that reach beyond the padding count too.

    Returns
    -------
    View
        Shape (windows per axis, channels), dtype of `x`.

    Raises
    ------
    TaktError
        For windows that do not fit, and where one lies in the padding alone.
    """
    view = as_view(x)
    windows = Windows.over(view.shape[:-1], window, strides, padding, dilation, ceil)
    taps = [_within(windows, axis) for axis in range(len(windows.shape))]
    axes = tuple(range(len(windows.shape)))
    found = program.reduce(view[windows.index(*taps)], "max", axes, finish=lambda value: cast(value, view.dtype))
    return as_view(found)


def avgpool(
    program: Program,
    x: Tensor | View,
    window: PerAxis,
    strides: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil: bool = False,
    count_include_pad: bool = True,
) -> View:
    """Return the mean of every window of every channel, in fp32, rounded to the dtype of `x` at the end.

    The sum takes the window in row-major order, places in the padding as zeros; it is multiplied by
    ``fp32(1 / places)``: those of the window within image and padding or, without `count_include_pad`, in the image.

    Parameters
    ----------
    program, x, window, strides, padding, dilation, ceil
        As of `maxpool`; `x` is float16 or float32.
    count_include_pad : bool

    Returns
    -------
    View
        Shape (windows per axis, channels), dtype of `x`.

    Raises
    ------
    TaktError
        For windows that do not fit and, without `count_include_pad`, where one lies in the padding alone.
    """
    view = as_view(x)
    windows = Windows.over(view.shape[:-1], window, strides, padding, dilation, ceil)
    counts = divisors(windows, count_include_pad)
    # Beyond the padding (`ceil`) lie zeros too.
    reach = [int(windows.taps_along(axis).max()) + 1 for axis in range(len(windows.shape))]
    edges = [
        (before, max(last - size, 0))
        for (before, _), last, size in zip(windows.padding, reach, windows.shape, strict=True)
    ]
    taps = [windows.taps_along(axis) + before for axis, (before, _) in enumerate(edges)]
    parts = view.pad((*edges, (0, 0)))[windows.index(*taps)]
    parts = parts.reshape(windows.taps, *windows.places, view.shape[-1])
    if (counts == counts.flat[0]).all():
        finish = _mean(1 / int(counts.flat[0]), view.dtype)
        return as_view(program.reduce(parts, "add", 0, finish=finish, in_turn=True))
    total = program.reduce(parts, "add", 0, in_turn=True)
    shares = np.broadcast_to((1 / counts).astype(np.float32)[..., None], total.shape)
    found: Tensor = program.map(lambda value, share: value * share, total, shares, dtype=view.dtype)
    return found.view()


def global_average(program: Program, x: Tensor | View) -> View:
    """Return the mean of every channel, shape (channels,): `avgpool` of one window that is the whole image."""
    shape = x.shape[:-1]
    return avgpool(program, x, shape).reshape(x.shape[-1])


def divisors(windows: Windows, count_include_pad: bool) -> npt.NDArray[np.int64]:
    """Return by what the sums of windows are divided.

    Raises
    ------
    TaktError
        For a window without a place that counts.
    """
    sides = windows.padding if count_include_pad else [(0, 0)] * len(windows.shape)
    counts = windows.held([(-before, size + after) for size, (before, after) in zip(windows.shape, sides, strict=True)])
    if not counts.all():
        raise TaktError(f"window must meet the image everywhere, not lie in padding {windows.padding} alone")
    return counts


def _mean(share: float, dtype: str) -> Callable[[Expr], Expr]:
    return lambda total: cast(total * share, dtype)


def _within(windows: Windows, axis: int) -> npt.NDArray[np.int64]:
    """Return taps along an axis, each that lies in the padding replaced by the nearest of its window that does not.

    An element that a window has twice changes no maximum.
    """
    taps = windows.taps_along(axis)
    inside = (taps >= 0) & (taps < windows.shape[axis])
    if not inside.any(axis=1).all():
        raise TaktError(f"padding must be less than the window, {windows.extents[axis]}, not {windows.padding[axis]}")
    distance = np.abs(np.arange(taps.shape[1])[:, None] - np.arange(taps.shape[1]))
    nearest = np.where(inside[:, None, :], distance, taps.shape[1]).argmin(axis=2)
    found: npt.NDArray[np.int64] = np.take_along_axis(taps, nearest, axis=1)
    return found


LARGEST = 1 << 15
"""Of a window's parameters."""

WINDOW = (
    Parameter(name="height", default=2, least=1, most=LARGEST, doc="rows of the window"),
    Parameter(name="width", default=2, least=1, most=LARGEST, doc="columns of the window"),
    Parameter(name="stride", default=2, least=1, most=LARGEST, doc="step of the window, both ways"),
    Parameter(name="padding", default=0, least=0, most=LARGEST, doc="rows and columns around the image"),
)


def _window(parameters: Parameters) -> dict[str, Any]:
    """Return the window that parameters stand for."""
    size = int(parameters["height"]), int(parameters["width"])
    return {"window": size, "strides": int(parameters["stride"]), "padding": int(parameters["padding"])}


def _maxpool(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    return {"y": maxpool(program, **declare(program, arrays), **_window(parameters))}


def _avgpool(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    return {"y": avgpool(program, **declare(program, arrays), **_window(parameters))}


def _windows(arrays: Arrays, parameters: Parameters) -> Windows:
    given = _window(parameters)
    return Windows.over(arrays["x"].shape[:-1], given["window"], given["strides"], given["padding"])


def _check(config: Config, arrays: Arrays, parameters: Parameters) -> None:
    x = arrays["x"]
    check_windows(config, _windows(arrays, parameters), x.shape[2], bytes_each=x.shape[2] * x.itemsize)


def _check_max(config: Config, arrays: Arrays, parameters: Parameters) -> None:
    padding, window = int(parameters["padding"]), min(int(parameters["height"]), int(parameters["width"]))
    if padding >= window:
        raise TaktError(f"padding must be less than the window, {window}, not {padding}")
    _check(config, arrays, parameters)


def _bound(operation: str) -> Callable[[Config, Arrays, Parameters], Bound]:
    def bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
        x, windows = arrays["x"], _windows(arrays, parameters)
        dtype = x.dtype.name
        finish = _mean(1 / windows.taps, dtype) if operation == "add" else lambda value: cast(value, dtype)
        operations = chain(lambda value: value, [dtype], operation=operation, finish=finish)
        return stream_bound(config, vectors(config, x.shape[2], *windows.places, windows.taps), operations)

    return bound


MAXPOOL = Kernel(
    name="maxpool",
    doc="largest element of every window of every channel",
    arguments=(Argument(name="x", dtypes=("int8", *FLOATS), shape="h, w, c", doc="image"),),
    parameters=WINDOW,
    results=("y",),
    build=_maxpool,
    bound=_bound("max"),
    rule=_check_max,
)

AVGPOOL = Kernel(
    name="avgpool",
    doc="mean of every window of every channel; padding counts as zeros",
    arguments=(Argument(name="x", dtypes=FLOATS, shape="h, w, c", doc="image"),),
    parameters=WINDOW,
    results=("y",),
    build=_avgpool,
    bound=_bound("add"),
    rule=_check,
)
