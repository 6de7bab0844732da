"""Maxima of windows along one axis after another, each pass in several chains side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from compiler.expression.expr import Expr
from compiler.expression.functions import cast, maximum
from compiler.ir.tensor import View
from compiler.library.bounds import vectors
from compiler.library.folds import Fold
from compiler.library.side_by_side import Chains, shares
from compiler.library.windows import Windows
from compiler.mesh.graph import Graph
from compiler.program import Program

__all__ = ["Along", "maxima_along", "passes_along", "work_along"]


@dataclass(frozen=True)
class Along:
    """Maxima along one axis.

    Attributes
    ----------
    axis : int
    way : Chains or Fold
        Chains, each for the windows of some rows (places along the first axis) or of pairs of rows; or several passes.
    width : int
        How many chains.
    cycles : int
        About what it takes.
    """

    axis: int
    way: Chains | Fold
    width: int
    cycles: int


def order_of_axes(windows: Windows) -> list[int]:
    """Return the axes along which windows have several taps, in the order in which maxima are taken along them.

    Those first that leave the least; then the first axis, so that chains that have shared out rows can keep them.
    """
    axes = [axis for axis, size in enumerate(windows.sizes) if size > 1]
    return sorted(axes, key=lambda axis: windows.places[axis] / windows.shape[axis])


def passes_along(config: Config, windows: Windows, channels: int, dtype: str, tied: bool) -> list[Along]:
    """Return how maxima are taken along each axis.

    In between, float16 stays float32, which need not be converted again, where MEM has room for that. `tied` as of
    `Chains`, of the image.
    """
    axes, shape, blocks = order_of_axes(windows), list(windows.shape), vectors(config, channels)
    found: list[Along] = []
    source, parts = dtype, 0
    for number, axis in enumerate(axes):
        shape[axis] = windows.places[axis]
        following = axes[number + 1 :]
        copies = windows.sizes[following[0]] if following else 1
        words = 4 * (copies + 1) * prod(shape) * blocks
        wide = dtype == "float16" and following and 2 * words * config.vector_length <= config.mem_bytes
        target = "float32" if wide else dtype
        # Rows beside those that a chain of the pass before made: they tie what several of them made together.
        halo = bool(found) and (axis == 0 or not parts)
        overlaps = halo or (tied and not found)
        options: list[tuple[int, int, Chains | Fold]] = []
        for chains in _chains(config, windows, axis, source, target, copies + halo, overlaps):
            units = -(-shape[0] // chains.results)
            widest = chains.widest(units) if chains.fits(1) else 0
            for width in range(1, widest + 1):
                # Who reads the rows that others made keeps to theirs: every pair of a maker and a reader takes slices.
                if not parts or halo or parts % width == 0:
                    steps = -(-units // width) * prod(shape[1:]) * blocks
                    options.append((steps + chains.latency, width, chains))
        if not options:
            fold = _fold(config, windows.sizes[axis], prod(shape), blocks, source, target, copies, overlaps)
            options.append((fold.cycles, 0, fold))
        cycles, width, way = min(options, key=lambda option: option[:2])
        found.append(Along(axis, way, width, cycles))
        source, parts = target, width * way.results if isinstance(way, Chains) else 0
    return found


def _fold(
    config: Config, taps: int, count: int, blocks: int, source: str, target: str, copies: int, tied: bool
) -> Fold:
    total = "float32" if source == "float16" else source

    def finish(value: Expr) -> Expr:
        return cast(value, target)

    return Fold(config, taps, count, blocks, maximum, (source,), total, finish=finish, copies=copies, tied=tied)


def work_along(config: Config, windows: Windows, dtype: str) -> list[tuple[int, Graph]]:
    """Return how often each chain works on a vector, and what it does, for `alu_cycles`; nothing of windows of one tap.

    Rows in pairs where that is less.
    """
    axes, shape, found = order_of_axes(windows), list(windows.shape), []
    source = dtype
    for axis in axes:
        shape[axis] = windows.places[axis]
        target = "float32" if dtype == "float16" and axis != axes[-1] else dtype
        works = []
        for chains in _chains(config, windows, axis, source, target):
            graph = chains.graph
            works.append((prod(shape) * len(graph.nodes) / chains.results, -(-prod(shape) // chains.results), graph))
        _, count, graph = min(works, key=lambda work: work[0])
        found.append((count, graph))
        source = target
    return found


def _chains(
    config: Config, windows: Windows, axis: int, source: str, target: str, copies: int = 1, tied: bool = False
) -> list[Chains]:
    """Return chains that take windows along an axis one by one, and two neighbouring ones that share taps."""
    size, stride = windows.sizes[axis], windows.strides[axis]

    def one(*taps: Expr) -> Expr:
        return cast(reduce(maximum, taps), target)

    def two(*taps: Expr) -> tuple[Expr, ...]:
        common = reduce(maximum, taps[stride:size])
        return tuple(cast(reduce(maximum, rest, common), target) for rest in (taps[:stride], taps[size:]))

    found = [Chains(config, one, (source,) * size, copies=copies, tied=tied)]
    # Of rows only, which chains share out. One common tap saves nothing but its conversion.
    common = size - stride
    if axis == 0 and windows.dilation[axis] == 1 and windows.places[axis] > 1 and common > (source != "float16"):
        found.append(Chains(config, two, (source,) * (size + stride), copies=copies, tied=tied))
    return found


def maxima_along(program: Program, view: View, windows: Windows, taps: Sequence[Any], passes: Sequence[Along]) -> View:
    """Return the maxima of windows.

    Parameters
    ----------
    program : Program
    view : View
        Shape (..., channels).
    windows : Windows
    taps : sequence of ndarray of int64, shape (windows, taps)
        Per axis, where taps lie, those of the padding moved inside.
    passes : sequence of Along
    """
    image = view
    # Rows lie as the chains made them: where each of them is.
    order: npt.NDArray[np.int64] = np.arange(view.shape[0])
    for step in passes:
        lead = (slice(None),) * step.axis
        if isinstance(step.way, Fold):
            image = image[order]
            terms = [image[(*lead, taps[step.axis][:, tap])] for tap in range(step.way.taps)]
            image = step.way.build(program, [[_flat(term)] for term in terms]).reshape(*terms[0].shape)
            order = np.arange(image.shape[0])
            continue
        if step.axis == 0:
            image, order = _rows(program, image[order], windows, taps[0], step.way, step.width)
            continue
        places = shares(image.shape[0], step.width)
        parts = [[image[part][(*lead, taps[step.axis][:, tap])] for tap in range(len(step.way.own))] for part in places]
        shape = parts[0][0].shape[1:]
        made = step.way.run(program, [[_flat(view) for view in views] for views in parts])
        image = made.reshape(-1, *shape)
    return image[order]


def _rows(
    program: Program, image: View, windows: Windows, taps: npt.NDArray[np.int64], chains: Chains, width: int
) -> tuple[View, npt.NDArray[np.int64]]:
    """Return the maxima along the first axis, in the order in which chains make rows, and where each row is."""
    count, each = windows.places[0], chains.results
    places = shares(-(-count // each), width)
    reach = taps
    if each > 1:
        # Taps of a pair of windows: those of the first, and what the second one adds.
        first = np.arange(-(-count // each))[:, None] * each * windows.strides[0] - windows.padding[0][0]
        reach = np.clip(first + np.arange(len(chains.own)), 0, windows.shape[0] - 1)
    parts = [[_flat(image[reach[part, tap]]) for tap in range(reach.shape[1])] for part in places]
    made = chains.run(program, parts).reshape(-1, *image.shape[1:])
    unit, place = np.divmod(np.arange(count), each)
    chain, turn = np.divmod(unit, places.shape[1])
    return made, (chain * each + place) * places.shape[1] + turn


def _flat(view: View) -> View:
    return view.reshape(-1, view.shape[-1])
