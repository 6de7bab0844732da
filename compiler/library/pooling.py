"""Max and average pooling: lanes are channels, a window is a run of steps."""

from collections.abc import Callable, Mapping, Sequence
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
from compiler.library.bounds import length_of, pass_latency, vectors
from compiler.library.chains import chain
from compiler.library.kernel import Argument, Arrays, Bound, Kernel, Parameter, Parameters
from compiler.library.operands import declare
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
    if not in_maps(program.config, windows, view.shape[-1], view.dtype):
        axes = tuple(range(len(windows.shape)))
        found = program.reduce(view[windows.index(*taps)], "max", axes, finish=lambda value: cast(value, view.dtype))
        return as_view(found)
    apart = _cycles_apart(program.config, windows, view.dtype)
    hosted = not program.is_result(view) and fit_apart(program.config, windows, view)
    if hosted and _cycles(program.config, windows, view.dtype) <= apart:
        parts = view[windows.index(*taps)].reshape(windows.taps, *windows.places, view.shape[-1])
        return as_view(_folded(program, [parts[tap] for tap in range(windows.taps)], maximum, view.dtype))
    # Along one axis after the other; the vectors that a later stride passes over are then whole rows.
    for axis in _axes(windows):
        lead = (slice(None),) * axis
        terms = [view[(*lead, taps[axis][:, tap])] for tap in range(windows.sizes[axis])]
        view = as_view(_folded(program, terms, maximum, view.dtype)) if len(terms) > 1 else terms[0]
    return view


def _axes(windows: Windows) -> list[int]:
    """Return the axes in the order in which windows are taken along them: those first that leave the least."""
    return sorted(range(len(windows.shape)), key=lambda axis: (windows.places[axis] / windows.shape[axis], -axis))


def _cycles(config: Config, windows: Windows, dtype: str) -> int:
    """Return the steps of passes over all taps of a window."""
    return -(-windows.taps // taps_at_once(config, windows.taps, dtype)) * prod(windows.places)


def _cycles_apart(config: Config, windows: Windows, dtype: str) -> int:
    """Return the steps of passes along one axis after the other."""
    shape, total = list(windows.shape), 0
    for axis in _axes(windows):
        shape[axis], size = windows.places[axis], windows.sizes[axis]
        total += -(-size // taps_at_once(config, size, dtype)) * prod(shape) if size > 1 else 0
    return total


def _folded(
    program: Program,
    terms: Sequence[View],
    join: Callable[[Expr, Expr], Expr],
    dtype: str,
    finish: Callable[[Expr], Expr] | None = None,
) -> Tensor:
    """Return ``finish(join(join(t0, t1), t2) ...)`` of views of one shape; what passes leave has `dtype`."""
    each = taps_at_once(program.config, len(terms), terms[0].dtype)
    total: Tensor | None = None
    for first in range(0, len(terms), each):
        chunk: list[Any] = [*([] if total is None else [total]), *terms[first : first + each]]
        last = finish is not None and first + each >= len(terms)

        def step(*values: Expr, last: bool = last) -> Expr:
            found = cast(reduce(join, values), dtype)
            return finish(found) if last and finish is not None else found

        total = program.map(step, *chunk)
    assert total is not None
    return total


def taps_at_once(config: Config, taps: int, dtype: str) -> int:
    """Return how many of a window's taps a pass works on: all passes alike, in ALUs and MEM slices that it finds."""
    size, operations = np.dtype(dtype).itemsize, 2 if dtype == "float16" else 1
    # Two more finish the result, of an average; a third of the slices leaves room for what passes make.
    most = min((config.alu_rows * config.alu_cols - 2) // operations, config.slices // (3 * size))
    return -(-taps // -(-taps // max(most, 1)))


def fit_apart(config: Config, windows: Windows, view: View) -> bool:
    """Return whether half of MEM can hold each tap of all windows by itself, as the host writes them."""
    words = windows.taps * prod(windows.places) * vectors(config, view.shape[-1]) * view.itemsize
    return 2 * words * config.vector_length <= config.mem_bytes


def in_maps(config: Config, windows: Windows, channels: int, dtype: str) -> bool:
    """Return whether taps are read beside one another, and not one after another, which few windows of many taps are.

    One after another, three windows take turns.
    """
    count = prod(windows.places) * vectors(config, channels)
    passes = -(-windows.taps // taps_at_once(config, windows.taps, dtype))
    return passes * count + (passes - 1) * _LATENCY < windows.taps * -(-count // 3) * 3


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
    even = bool((counts == counts.flat[0]).all())
    finish = _mean(1 / int(counts.flat[0]), view.dtype)
    beside = program.is_result(view) or fit_apart(program.config, windows, view)
    if beside and in_maps(program.config, windows, view.shape[-1], view.dtype):
        terms = [parts[tap] for tap in range(windows.taps)]
        total = _folded(program, terms, _added, "float32", finish if even else None)
    else:
        total = program.reduce(parts, "add", 0, in_turn=True, finish=finish if even else None)
    if even:
        return as_view(total)
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


def _added(a: Expr, b: Expr) -> Expr:
    return a + b


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
        blocks, join = vectors(config, x.shape[2]), _added if operation == "add" else maximum
        found = [_pass_bound(config, blocks, [(prod(windows.places), windows.taps)], dtype, join, finish)]
        if operation == "max":
            shape, parts = list(windows.shape), []
            for axis in _axes(windows):
                shape[axis] = windows.places[axis]
                parts.append((prod(shape), windows.sizes[axis]))
            parts = [part for part in parts if part[1] > 1]
            found += [_pass_bound(config, blocks, parts, dtype, join, finish)] if parts else []
        return min(found, key=lambda bound: bound.cycles)

    return bound


def _pass_bound(
    config: Config,
    blocks: int,
    parts: Sequence[tuple[int, int]],
    dtype: str,
    join: Callable[[Expr, Expr], Expr],
    finish: Callable[[Expr], Expr],
) -> Bound:
    """Return the bound of passes at the same time: steps of the longest, or the operations of all on all ALUs.

    Parameters
    ----------
    config : Config
    blocks : int
        Vectors of the channels.
    parts : sequence of (int, int)
        Places of every pass, and taps of each.
    dtype : str
    join, finish : callable
    """
    alus = config.alu_rows * config.alu_cols
    formats = [dtype] * max(taps for _, taps in parts)
    operations = 0
    for places, taps in parts:
        exprs = [Expr(OPERAND, format_of(dtype), index=index) for index in range(taps)]
        operations += blocks * places * len(lower([finish(reduce(join, exprs))]).nodes)
    steps = blocks * max(places for places, _ in parts)

    def last(*values: Expr) -> Expr:
        return finish(reduce(join, values))

    levels = length_of(chain(last, formats, after=len(formats) - 1))
    cycles = max(-(-operations // alus), steps) - 1 + pass_latency(config, levels)
    return Bound(
        cycles, f"VXM: {steps} vectors, {operations} operations on {alus} ALUs, and the latency of the last tap"
    )


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
