"""Convolution of every channel with a filter of its own, in the VXM: lanes are channels."""

from dataclasses import replace
from functools import reduce
from math import prod

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from compiler.expression.expr import OPERAND, Expr, format_of
from compiler.expression.functions import cast, multiply
from compiler.ir.tensor import Tensor, View, as_view
from compiler.library.bounds import alu_cycles, length_of, pass_latency, product_bound, vectors
from compiler.library.chains import chain
from compiler.library.folds import Fold
from compiler.library.kernel import Bound
from compiler.library.side_by_side import Chains, shares
from compiler.library.windows import Padding, PerAxis, Windows
from compiler.mesh.graph import lower
from compiler.program import Program


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
    config, channels = program.config, image.shape[-1]
    blocks = vectors(config, channels)
    count, total = prod(windows.places), "int32" if image.dtype == "int8" else "float32"
    weights = _factors(program, filters.reshape(windows.taps, channels))
    # The last vector is one of zeros, for taps in the padding.
    vectors_of = image.reshape(-1, channels).pad(((0, 1), (0, 0)))
    taps = _places(windows)
    own, shared, tied = (image.dtype,), (weights.dtype,), program.is_result(image)
    fold = Fold(config, windows.taps, count, blocks, _sum, own, total, shared, _product, tied=tied)
    sums = Chains(config, _product, own, shared, operation="add", tied=tied)
    single = Chains(config, lambda value: cast(value, "float32"), own, tied=tied)
    wide = replace(sums, own=("float32" if image.dtype == "float16" else image.dtype,), tied=False)
    needed = _needed(taps, prod(windows.shape), wide.width(count, windows.taps))
    options = {"fold": fold.cycles}
    if sums.has_text(count, windows.taps, blocks):
        options["sums"] = sums.cycles(count, windows.taps, blocks)
    text = wide.has_text(count, windows.taps, blocks)
    if image.dtype == "float16" and text and single.fits(len(needed)):
        before = blocks * len(needed[0][0]) + single.latency
        options["wide"] = before + wide.cycles(count, windows.taps, blocks)
    best = min(options, key=lambda name: options[name])
    if best == "fold":
        terms = [[vectors_of[taps[tap]]] for tap in range(windows.taps)]
        made = fold.build(program, terms, [[weights[tap]] for tap in range(windows.taps)])
    elif best == "sums":
        made = sums.over(program, [vectors_of[taps]], [weights[:, None]])
    else:
        # Multipliers and adders stand in columns of their own, and a conversion for every tap would need those of the
        # adders too: each chain is given the float32 vectors that it needs, converted once.
        mine = single.run(program, [[vectors_of[some]] for some, _ in needed])
        operands = [[mine[chain, 0].pad(((0, 1), (0, 0)))[where]] for chain, (_, where) in enumerate(needed)]
        made = wide.run(program, operands, [weights[:, None]]).reshape(-1, channels)[:count]
    return made.reshape(*windows.places, channels)


def _places(windows: Windows) -> npt.NDArray[np.int64]:
    """Return where each tap of every window lies, shape (taps, windows): the number of its vector;
    in the padding that behind the last.
    """
    numbers = np.pad(
        np.arange(prod(windows.shape)).reshape(windows.shape), windows.padding, constant_values=prod(windows.shape)
    )
    along = [windows.taps_along(axis) + before for axis, (before, _) in enumerate(windows.padding)]
    found: npt.NDArray[np.int64] = numbers[windows.index(*along)].reshape(windows.taps, prod(windows.places))
    return found


def _needed(
    taps: npt.NDArray[np.int64], zero: int, width: int
) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Return, for each of `width` chains, the vectors that its windows need, and which of these each tap takes.

    Shapes (n,), equal for all chains, and (taps, share); a tap in the padding, which is number `zero`, takes number n.
    """
    parts = [taps[:, share] for share in shares(taps.shape[1], width)]
    every = [np.unique(part[part != zero]) for part in parts]
    size = max(1, *(len(needed) for needed in every))
    found = []
    for part, needed in zip(parts, every, strict=True):
        where = np.where(part == zero, size, np.searchsorted(needed, part))
        # Repeated to one length: a chain that needs fewer makes some twice.
        found.append((np.resize(needed if len(needed) else [0], size), where))
    return found


def check_filters(shape: tuple[int, ...], filters: tuple[int, ...]) -> None:
    """Raise TaktError unless there is a filter for every channel."""
    if len(filters) != len(shape) or filters[-1] != shape[-1]:
        raise TaktError(
            f"w must have {len(shape)} axes, the last of the {shape[-1]} channels of x, not the shape {filters}"
        )


def _factors(program: Program, w: View) -> View:
    """Return filters as the VXM multiplies with them: constants are converted before the program runs."""
    if w.dtype != "float16" or w.data is None or program.is_result(w):
        return w
    values = w.data.reshape(-1)[w.elements].astype(np.float32)
    return program.constant(program.fresh_name("filters"), values).view()


def weighted_sum(*terms: Expr) -> Expr:
    """Return ``a0 * b0 + a1 * b1 + ...`` of a0, b0, a1, b1 ..., one after another; int32 of integers."""
    return reduce(_sum, (_product(*pair) for pair in zip(terms[::2], terms[1::2], strict=True)))


def _sum(a: Expr, b: Expr) -> Expr:
    return a + b


def _product(a: Expr, b: Expr) -> Expr:
    return a * b if a.dtype.is_float else multiply(a, b, dtype="int32")


def depthwise_bound(config: Config, windows: Windows, channels: int, dtype: str) -> Bound:
    """Return the lesser of two bounds: all operations on all ALUs, or diagonal tiles of weights through all planes.

    In the VXM every tap is a multiplication and, but for the first, an addition; a float16 vector is converted once. In
    the MXM it is a tile for each vector of channels. Nine int8 taps are nine multiplications on the eight ALUs that
    have them, against nine tiles on four planes; of float16 these are two pairs, which take a vector every second
    cycle. So `depthwise` works in the VXM.

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
    wide = "float32" if dtype == "float16" else dtype
    formats = [wide] * (2 * windows.taps)
    exprs = [Expr(OPERAND, format_of(name), index=index) for index, name in enumerate(formats)]
    works = [(count, lower([weighted_sum(*exprs)]))]
    if dtype != wide:
        works.append((blocks * prod(windows.shape), lower([cast(Expr(OPERAND, format_of(dtype)), wide)])))
    cycles, limit = alu_cycles(config, *works)
    # The last tap can be read when all others have been worked on.
    last = length_of(chain(weighted_sum, formats, after=len(formats) - 2))
    in_vxm = Bound(cycles - 1 + pass_latency(config, last), f"VXM: {limit}, and the latency of the last tap")
    depth = windows.taps * blocks * config.vector_length
    in_mxm = product_bound(config, dtype, prod(windows.places), depth, config.vector_length)
    return min(in_vxm, in_mxm, key=lambda bound: bound.cycles)
