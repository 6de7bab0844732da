"""Operators that are linear in one operand, whose others are known: resizing, sampling, Fourier transforms.

Their weights are what the standard's reference implementation makes of unit vectors. Where a result has few of them,
it is a sum of so many elements, in float32; else the operator is a product with a matrix.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from compiler.expression import functions as fn
from models.builder import Builder
from models.node import Node
from models.operators.products import matrix_product, shaped, turned
from models.operators.shape import reference
from models.registry import operator
from models.value import Array, Value, constant, known

_MOST = 4096
"""Elements of an operand up to which its unit vectors are tried."""

_FEW = 16
"""Weights of a result up to which it is a sum of elements."""


def combined(builder: Builder, x: Value, weights: Array, last: bool = True) -> Value:
    """Return ``x @ weights.T`` along the last axis.

    Parameters
    ----------
    builder : Builder
    x : Value
        Shape (..., N), not known.
    weights : ndarray
        Shape (M, N); where every result is one element or none, those are moved, of any type.
    last : bool
        Whether the result is rounded to its type's format; float32 otherwise, for further steps of one node.
    """
    present = weights != 0
    count = int(present.sum(1).max(initial=0))
    order = np.argsort(~present, axis=1, kind="stable")[:, : max(count, 1)]
    shares = np.take_along_axis(weights, order, 1)
    if count <= 1 and set(np.unique(shares)) <= {0.0, 1.0}:
        kept = shares[:, 0] != 0
        return builder.moved(x, lambda numbers: np.where(kept, numbers[..., order[:, 0]], 0))
    if count > _FEW:
        rows = shaped(builder, x, (int(np.prod(x.shape[:-1])), x.shape[-1]))
        made = matrix_product(builder, rows, constant(weights.T.astype(np.float32), None))
        return shaped(builder, made, (*x.shape[:-1], len(weights)))
    taken = builder.moved(x, lambda numbers: np.stack([numbers[..., taps] for taps in order.T]))
    terms = shares.T.reshape(count, *(1,) * (x.rank - 1), len(weights)).astype(np.float32)
    target = builder.held(x.dtype) if last else "float32"
    found = builder.program.reduce(
        (builder.view(taken), builder.view(constant(terms))),
        "add",
        (0,),
        function=lambda item, share: fn.cast(item, "float32") * share,
        finish=lambda total: fn.cast(total, target),
    )
    return builder.value(found, x.dtype, (*x.shape[:-1], len(weights)), x)


def _float_only(node: Node, x: Value) -> None:
    if not x.is_float:
        raise node.refuse(f"element type must be a float, not {x.dtype.name.lower()}")


def _units(node: Node, size: int) -> Array:
    """Return unit vectors, one per row."""
    if size > _MOST:
        raise node.refuse(f"operand must have at most {_MOST} elements for each result, not {size}")
    return np.eye(size, dtype=np.float32)


@operator("Resize", since=11)
def resize(
    builder: Builder,
    node: Node,
    x: Value,
    roi: Value | None = None,
    scales: Value | None = None,
    sizes: Value | None = None,
) -> Any:
    """Lower a resize, one axis after the other."""
    axes = [int(axis) % x.rank for axis in node.get("axes") or range(x.rank)]
    crop = None if roi is None or not np.prod(roi.shape) else known(roi, "roi").astype(np.float64)
    factors = None if scales is None or not np.prod(scales.shape) else known(scales, "scales").astype(np.float32)
    wanted = None if factors is not None or sizes is None else known(sizes, "sizes").astype(np.int64)
    if factors is None and wanted is None:
        raise node.refuse("scales or sizes must be given")
    policy = node.get("keep_aspect_ratio_policy", "stretch")
    outside: Array = np.zeros((1,) * x.rank, np.bool_)
    found = x
    for place, axis in enumerate(axes):
        size = x.shape[axis]
        own = None if factors is None else factors[place : place + 1]
        length = None if wanted is None else wanted[place : place + 1]
        given = {**node.attributes, "axes": [1], "extrapolation_value": 0.0}
        units = _units(node, size)
        if length is not None and policy != "stretch":
            # The axis that decides the scale of all comes along, and its weights add up to 1.
            ratios = [int(end) / x.shape[other] for end, other in zip(wanted, axes, strict=True)]  # type: ignore[arg-type]
            first = int(np.argmin(ratios) if policy == "not_larger" else np.argmax(ratios))
            given["axes"] = [1, 2]
            units = np.repeat(units[:, :, None], x.shape[axes[first]], 2)
            length = np.array([length[0], wanted[first]])  # type: ignore[index]
        elif own is not None and own[0] == 1 and crop is None:
            continue
        part = None if crop is None else crop[[place, place + len(axes)]].astype(np.float32)
        inner = replace(node, attributes=given)
        made = reference(inner, units, part, own, length)[0]
        weights = made.reshape(size, made.shape[1], -1)[:, :, 0].T.astype(np.float64)
        if node.get("coordinate_transformation_mode") == "tf_crop_and_resize":
            inner = replace(node, attributes={**given, "extrapolation_value": 1.0})
            mask = reference(inner, np.zeros_like(units[:1]), part, own, length)[0].reshape(-1) != 0
            outside = outside | mask.reshape(-1, *(1,) * (x.rank - 1 - axis))
        if (weights.shape[0], weights.shape[1]) == (size, size) and (weights == np.eye(size)).all():
            continue
        order = [other for other in range(x.rank) if other != axis] + [axis]
        moved = turned(builder, found, order)
        if not x.is_float and not (np.isin(weights, (0, 1)).all() and (weights.sum(1) <= 1).all()):
            _float_only(node, x)
        found = turned(builder, combined(builder, moved, weights, last=False), [*np.argsort(order)])
    if outside.any():
        value = float(node.get("extrapolation_value", 0.0))
        mask = np.broadcast_to(outside, found.shape)
        return builder.map(lambda item, out: fn.where(out, value, item), found, constant(mask), dtype=x.dtype)
    if found.view is not None and found.view.dtype != builder.held(x.dtype):
        return builder.value(builder.view(found, builder.held(x.dtype)), x.dtype, found.shape, x)
    return found


@operator("Upsample", since=9)
def upsample(builder: Builder, node: Node, x: Value, scales: Value) -> Any:
    """Lower an upsampling: a resize of the standard's first coordinates."""
    given = {
        "mode": node.get("mode", "nearest"),
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
    }
    return resize(builder, replace(node, operator="Resize", version=13, attributes=given), x, None, scales)


@operator("GridSample", since=16)
def grid_sample(builder: Builder, node: Node, x: Value, grid: Value) -> Any:
    """Lower samples of an image at known places."""
    places = known(grid, "grid").astype(np.float32)
    spatial = x.shape[2:]
    size = int(np.prod(spatial))
    units = _units(node, size).reshape(1, size, *spatial)
    rows, parts = shaped(builder, x, (*x.shape[:2], size)), []
    for number in range(x.shape[0]):
        weights = reference(node, units, places[number : number + 1])[0].reshape(size, -1).T
        image = builder.part(rows, slice(number, number + 1))
        parts.append(combined(builder, image, weights))
    return shaped(builder, builder.join(parts, 0), (*x.shape[:2], *places.shape[1:-1]))


@operator("Col2Im")
def columns_to_image(builder: Builder, node: Node, x: Value, image: Value, block: Value) -> Any:
    """Lower the sum of the columns of windows where they lie in the image."""
    shape, window = known(image, "image_shape"), known(block, "block_shape")
    taps, places = int(np.prod(window)), x.shape[2]
    units = _units(node, taps * places).reshape(-1, taps, places)
    weights = reference(node, units, shape, window)[0].reshape(taps * places, -1).T
    rows = shaped(builder, x, (x.shape[0], x.shape[1] // taps, taps * places))
    return shaped(builder, combined(builder, rows, weights), (*rows.shape[:2], *(int(size) for size in shape)))


@operator("AffineGrid")
def affine_grid(builder: Builder, node: Node, theta: Value, size: Value) -> Any:
    """Lower the places of a grid under affine maps."""
    shape = known(size, "size").copy()
    elements = int(np.prod(theta.shape[1:]))
    shape[0] = elements
    made = reference(node, _units(node, elements).reshape(-1, *theta.shape[1:]), shape)[0]
    rows = shaped(builder, theta, (theta.shape[0], elements))
    weights = made.reshape(elements, -1).T
    return shaped(builder, combined(builder, rows, weights), (theta.shape[0], *made.shape[1:]))


@operator("DFT", since=17)
def fourier(builder: Builder, node: Node, x: Value, length: Value | None = None, axis: Value | None = None) -> Any:
    """Lower a discrete Fourier transform, along one axis of real or complex numbers."""
    count = None if length is None else known(length, "dft_length")
    given, place = dict(node.attributes), -2
    if node.version >= 20:
        place = -2 if axis is None else int(known(axis, "axis").reshape(-1)[0])
    else:
        place = int(given.get("axis", 1))
        given["axis"] = 1
    place %= x.rank
    # The batch and other axes come first, the transformed one and the pair last.
    order = [other for other in range(x.rank - 1) if other != place] + [place, x.rank - 1]
    size = x.shape[place] * x.shape[-1]
    units = _units(node, size).reshape(size, x.shape[place], x.shape[-1])
    operands = [units, count] + ([np.array(1)] if node.version >= 20 else [])
    made = reference(replace(node, attributes=given), *operands)[0]
    moved = turned(builder, x, order)
    rows = shaped(builder, moved, (*moved.shape[:-2], size))
    found = combined(builder, rows, made.reshape(size, -1).T)
    shape = (*moved.shape[:-2], *made.shape[1:])
    return turned(builder, shaped(builder, found, shape), [*np.argsort(order)])


@operator("STFT")
def short_fourier(
    builder: Builder,
    node: Node,
    signal: Value,
    step: Value,
    window: Value | None = None,
    length: Value | None = None,
) -> Any:
    """Lower a Fourier transform of windows along a real signal."""
    if signal.rank == 3 and signal.shape[2] != 1:
        raise node.refuse("signal must be real, not complex")
    size = signal.shape[1]
    weights_of = [
        None if value is None else known(value, name)
        for value, name in ((step, "frame_step"), (window, "window"), (length, "frame_length"))
    ]
    made = reference(node, _units(node, size).reshape(size, size, 1), *weights_of)[0]
    rows = shaped(builder, signal, (signal.shape[0], size))
    found = combined(builder, rows, made.reshape(size, -1).T)
    return shaped(builder, found, (signal.shape[0], *made.shape[1:]))
