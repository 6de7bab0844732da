"""Convolution of every channel with a filter of its own, in the VXM: lanes are channels."""

from math import prod

import numpy as np

from arch.config import Config
from arch.errors import TaktError
from compiler.expression.expr import OPERAND, Expr, format_of
from compiler.expression.functions import multiply
from compiler.ir.tensor import Tensor, View, as_view
from compiler.library.bounds import length_of, pass_latency, product_bound, vectors
from compiler.library.chains import chain
from compiler.library.kernel import Bound
from compiler.library.windows import Padding, PerAxis, Windows
from compiler.mesh.graph import lower
from compiler.program import Program

_SUMS = 8
"""MEM slices of a sum so far, and of the new one."""


def depthwise(
    program: Program,
    x: Tensor | View,
    w: Tensor | View,
    strides: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
) -> View:
    """Return the convolution of every channel with a filter of its own (ONNX Conv with as many groups as channels).

    int32 sums of int8, which wrap; of float16, products in fp32 that are rounded and then added up in row-major order
    of the filter.

    Parameters
    ----------
    program : Program
    x : Tensor or View
        int8 or float16, shape (..., c): (l, c) of a sequence, (h, w, c) of an image; lanes along c.
    w : Tensor or View
        Of the same dtype, shape (taps per axis, c).
    strides, padding, dilation
        As of `conv`.

    Returns
    -------
    View
        int32 or float32, shape (windows per axis, c).

    Raises
    ------
    TaktError
        For windows and shapes that do not fit together.
    """
    image, filters = as_view(x), as_view(w)
    check_filters(image.shape, filters.shape)
    windows = Windows.over(image.shape[:-1], filters.shape[:-1], strides, padding, dilation)
    padded = image.pad((*windows.padding, (0, 0)))
    along = [windows.taps_along(axis) + before for axis, (before, _) in enumerate(windows.padding)]
    channels = image.shape[-1]
    parts = padded[windows.index(*along)].reshape(windows.taps, prod(windows.places), channels)
    weights = _factors(program, filters.reshape(windows.taps, channels))
    each = taps_at_once(program.config, image, weights)
    total: Tensor | None = None
    for first in range(0, windows.taps, each):
        taps = range(first, min(first + each, windows.taps))
        operands = [view[tap] for tap in taps for view in (parts, weights)]
        total = program.map(weighted_sum, *operands) if total is None else program.map(_further, total, *operands)
    assert total is not None
    return total.reshape(*windows.places, channels)


def check_filters(shape: tuple[int, ...], filters: tuple[int, ...]) -> None:
    """Raise TaktError unless there is a filter for every channel."""
    if len(filters) != len(shape) or filters[-1] != shape[-1]:
        raise TaktError(
            f"w must have {len(shape)} axes, the last of the {shape[-1]} channels of x, not the shape {filters}"
        )


def taps_at_once(config: Config, x: View, w: View) -> int:
    """Return of how many taps a pass takes the sum.

    Half of the ALUs do them, so that the next taps can follow before these have ended; and there must be MEM slices to
    read all of them at once, beside those of the sum so far and of the new one.
    """
    operations = 2 + sum(view.dtype == "float16" for view in (x, w))
    alus = config.alu_rows * config.alu_cols
    slices = (config.slices - _SUMS) // (x.itemsize + w.itemsize)
    return max(min((alus // 2 + 2) // operations, slices), 1)


def _factors(program: Program, w: View) -> View:
    """Return filters as the VXM multiplies with them: constants are converted before the program runs."""
    if w.dtype != "float16" or w.data is None or program.is_result(w):
        return w
    values = w.data.reshape(-1)[w.elements].astype(np.float32)
    return program.constant(program.fresh_name("filters"), values).view()


def _further(total: Expr, *terms: Expr) -> Expr:
    for product in _products(*terms):
        total = total + product
    return total


def weighted_sum(*terms: Expr) -> Expr:
    """Return ``a0 * b0 + a1 * b1 + ...`` of a0, b0, a1, b1 ..., one after another; int32 of integers."""
    first, *others = _products(*terms)
    for product in others:
        first = first + product
    return first


def _products(*terms: Expr) -> list[Expr]:
    return [
        a * b if a.dtype.is_float else multiply(a, b, dtype="int32")
        for a, b in zip(terms[::2], terms[1::2], strict=True)
    ]


def depthwise_bound(config: Config, windows: Windows, channels: int, dtype: str) -> Bound:
    """Return the lesser of two bounds: all operations on all ALUs, or diagonal tiles of weights through all planes.

    In the VXM every tap is a multiplication and an addition (and of float16 a conversion), in the MXM it is a tile for
    each vector of channels. Nine int8 taps are 17 operations on 16 ALUs, against nine tiles on four planes; nine of
    float16 are 26 on 16, against nine tiles on two pairs, which take a vector every second cycle. So `depthwise` works
    in the VXM.

    Parameters
    ----------
    config : Config
    windows : Windows
    channels : int
    dtype : str
        int8 or float16; filters are constants.
    """
    blocks = vectors(config, channels)
    count = blocks * prod(windows.places)
    formats = [dtype, "float32" if dtype == "float16" else dtype] * windows.taps
    exprs = [Expr(OPERAND, format_of(name), index=index) for index, name in enumerate(formats)]
    operations = len(lower([weighted_sum(*exprs)]).nodes)
    alus = config.alu_rows * config.alu_cols
    # The last tap can be read when all others have been worked on.
    last = length_of(chain(weighted_sum, formats, after=len(formats) - 2))
    cycles = max(-(-count * operations // alus), count) - 1 + pass_latency(config, last)
    name = f"{count} vectors of {operations} operations each on {alus} ALUs"
    in_vxm = Bound(cycles, f"VXM: {name}, and the latency of the last tap")
    depth = windows.taps * blocks * config.vector_length
    in_mxm = product_bound(config, dtype, prod(windows.places), depth, config.vector_length)
    return min(in_vxm, in_mxm, key=lambda bound: bound.cycles)
