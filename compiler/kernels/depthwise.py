"""Convolution of every channel with a filter of its own, in the VXM: lanes are channels."""

from math import prod

from arch.errors import TaktError
from compiler.expression.expr import Expr
from compiler.expression.functions import multiply
from compiler.kernels.windows import Padding, PerAxis, Windows
from compiler.program import Program
from compiler.tensor import Tensor, View, as_view


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
    weights = filters.reshape(windows.taps, channels)
    operands = [view[tap] for tap in range(windows.taps) for view in (parts, weights)]
    y: Tensor = program.map(weighted_sum, *operands)
    return y.reshape(*windows.places, channels)


def check_filters(shape: tuple[int, ...], filters: tuple[int, ...]) -> None:
    """Raise TaktError unless there is a filter for every channel."""
    if len(filters) != len(shape) or filters[-1] != shape[-1]:
        raise TaktError(
            f"w must have {len(shape)} axes, the last of the {shape[-1]} channels of x, not the shape {filters}"
        )


def weighted_sum(*terms: Expr) -> Expr:
    """Return ``a0 * b0 + a1 * b1 + ...`` of a0, b0, a1, b1 ..., one after another; int32 of integers."""
    products = [
        a * b if a.dtype.is_float else multiply(a, b, dtype="int32")
        for a, b in zip(terms[::2], terms[1::2], strict=True)
    ]
    total = products[0]
    for product in products[1:]:
        total = total + product
    return total
