"""Max and average pooling: lanes are channels, a window is a run of steps."""

from collections.abc import Callable, Mapping
from functools import reduce
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from compiler.expression.expr import OPERAND, Expr, format_of
from compiler.expression.functions import cast, maximum
from compiler.ir.tensor import Tensor, View, as_view
from compiler.library.activations import FLOATS
from compiler.library.bounds import length_of, pass_latency, side_by_side, vectors
from compiler.library.chains import chain
from compiler.library.folds import Fold
from compiler.library.kernel import Argument, Arrays, Bound, Kernel, Parameter, Parameters
from compiler.library.maxima import maxima_along, passes_along, work_along
from compiler.library.operands import declare
from compiler.library.side_by_side import Chains, shares
from compiler.library.windows import Padding, PerAxis, Windows, check_windows
from compiler.mesh.graph import lower
from compiler.program import Program

_LATENCY = 24
"""Rough cycles from a pass to one that waits for it, beside the steps."""


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
    config, channels = program.config, view.shape[-1]
    tied = program.is_result(view)
    every = max_fold(config, windows, channels, view.dtype, tied)
    passes = passes_along(config, windows, channels, view.dtype, tied)
    # A window after another, three taking turns: for few windows of many taps.
    serial = windows.taps * -(-prod(windows.places) // 3) * 3 * vectors(config, channels) + _LATENCY
    apart = sum(step.cycles for step in passes)
    # Of a result, every tap asks for a copy.
    together = not tied and fit_apart(config, windows, view) and every.cycles <= apart
    if passes and serial < (every.cycles if together else apart):
        axes = tuple(range(len(windows.shape)))
        found = program.reduce(view[windows.index(*taps)], "max", axes, finish=lambda value: cast(value, view.dtype))
        return as_view(found)
    if passes and not together:
        return maxima_along(program, view, windows, taps, passes)
    parts = view[windows.index(*taps)].reshape(windows.taps, -1, channels)
    return every.build(program, [[parts[tap]] for tap in range(windows.taps)]).reshape(*windows.places, channels)


def max_fold(config: Config, windows: Windows, channels: int, dtype: str, tied: bool = False) -> Fold:
    """Return the fold that takes the maxima over all taps of windows; `tied` as of `Chains`."""
    total = "float32" if dtype == "float16" else dtype
    blocks = vectors(config, channels)
    count = prod(windows.places)

    def finish(value: Expr) -> Expr:
        return cast(value, dtype)

    return Fold(config, windows.taps, count, blocks, maximum, (dtype,), total, finish=finish, tied=tied)


def fit_apart(config: Config, windows: Windows, view: View) -> bool:
    """Return whether half of MEM can hold each tap of all windows by itself, as the host writes them."""
    words = windows.taps * prod(windows.places) * vectors(config, view.shape[-1]) * view.itemsize
    return 2 * words * config.vector_length <= config.mem_bytes


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
    channels, count = view.shape[-1], prod(windows.places)
    parts = parts.reshape(windows.taps, count, channels)
    even = bool((counts == counts.flat[0]).all())
    finish = _mean(1 / int(counts.flat[0]), view.dtype) if even else None
    config, blocks = program.config, vectors(program.config, channels)
    tied = program.is_result(view)
    fold = Fold(config, windows.taps, count, blocks, _added, (view.dtype,), "float32", finish=finish, tied=tied)
    sums = Chains(config, _same, (view.dtype,), operation="add", tied=tied)
    mean = Chains(config, finish, ("float32",)) if finish else Chains(config, _share(view.dtype), ("float32",) * 2)
    serial = windows.taps * -(-count // 3) * 3 * blocks + _LATENCY
    beside = sums.cycles(count, windows.taps, blocks) + even * mean.cycles(count, blocks=blocks)
    beside = beside if sums.has_text(count, windows.taps, blocks) else serial
    shares_of = np.broadcast_to((1 / counts).astype(np.float32).reshape(-1, 1), (count, channels))
    if (tied or fit_apart(config, windows, view)) and fold.cycles <= min(serial, beside):
        total = fold.build(program, [[parts[tap]] for tap in range(windows.taps)])
    elif beside < serial:
        made = sums.parts(program, [parts])
        each = shares_of[shares(count, made.shape[0])[:, None]]
        others = [] if even else [program.constant(program.fresh_name("shares"), each).view()]
        return mean.after(program, made, others)[:count].reshape(*windows.places, channels)
    else:
        total = as_view(program.reduce(parts, "add", 0, in_turn=True, finish=finish))
    if not even:
        total = as_view(program.map(_share(view.dtype), total.reshape(count, channels), shares_of))
    return total.reshape(*windows.places, channels)


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


def _added(a: Expr, b: Expr) -> Expr:
    return a + b


def _same(value: Expr) -> Expr:
    return value


def _share(dtype: str) -> Callable[[Expr, Expr], Expr]:
    return lambda total, share: cast(total * share, dtype)


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


def _max_bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    x, windows = arrays["x"], _windows(arrays, parameters)
    dtype, blocks = x.dtype.name, vectors(config, x.shape[2])

    def finish(value: Expr) -> Expr:
        return cast(value, dtype)

    together = [(blocks * prod(windows.places), lower([finish(reduce(maximum, _operands(dtype, windows.taps)))]))]
    apart = [(blocks * count, graph) for count, graph in work_along(config, windows, dtype)]
    words = _words(windows, blocks, dtype)
    least = min(side_by_side(config, words, *works) for works in (together, apart) if works)
    return _with_latency(config, least, dtype, windows, maximum, finish)


def _mean_bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    x, windows = arrays["x"], _windows(arrays, parameters)
    dtype, blocks = x.dtype.name, vectors(config, x.shape[2])
    finish = _mean(1 / windows.taps, dtype)
    # A vector need not be converted for each of its windows.
    works = [(blocks * prod(windows.places), lower([finish(reduce(_added, _operands("float32", windows.taps)))]))]
    if dtype != "float32":
        works.append((blocks * _used(windows), lower([cast(Expr(OPERAND, format_of(dtype)), "float32")])))
    least = side_by_side(config, _words(windows, blocks, dtype), *works)
    return _with_latency(config, least, dtype, windows, _added, finish)


def _used(windows: Windows) -> int:
    """Return how many steps of the image are in some window."""
    return prod(len(np.unique(_within(windows, axis))) for axis in range(len(windows.shape)))


def _words(windows: Windows, blocks: int, dtype: str) -> int:
    """Return the words of what is in some window."""
    return _used(windows) * blocks * np.dtype(dtype).itemsize


def _operands(dtype: str, count: int) -> list[Expr]:
    return [Expr(OPERAND, format_of(dtype), index=index) for index in range(count)]


def _with_latency(
    config: Config,
    least: tuple[int, str],
    dtype: str,
    windows: Windows,
    join: Callable[[Expr, Expr], Expr],
    finish: Callable[[Expr], Expr],
) -> Bound:
    """Return the bound of some cycles of ALUs or MEM and, at their end, what becomes of the last tap of a window."""
    formats = [dtype] * windows.taps
    levels = length_of(chain(lambda *values: finish(reduce(join, values)), formats, after=len(formats) - 1))
    cycles, limit = least
    return Bound(cycles - 1 + pass_latency(config, levels), f"{limit}, and the latency of the last tap")


MAXPOOL = Kernel(
    name="maxpool",
    doc="largest element of every window of every channel",
    arguments=(Argument(name="x", dtypes=("int8", *FLOATS), shape="h, w, c", doc="image"),),
    parameters=WINDOW,
    results=("y",),
    build=_maxpool,
    bound=_max_bound,
    rule=_check_max,
)

AVGPOOL = Kernel(
    name="avgpool",
    doc="mean of every window of every channel; padding counts as zeros",
    arguments=(Argument(name="x", dtypes=FLOATS, shape="h, w, c", doc="image"),),
    parameters=WINDOW,
    results=("y",),
    build=_avgpool,
    bound=_mean_bound,
    rule=_check,
)
