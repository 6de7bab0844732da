"""Tensors and views of them: the values of programs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError, shown
from compiler.arguments import integer, integers, one_of

Elements = npt.NDArray[np.int32]
"""Numbers of elements of a tensor, C order; -1 stands for a lane that holds 0."""

MOST_ELEMENTS = 1 << 29
"""Most elements of a view: more than the MEM of the largest machine has bytes. Their numbers, and those of their bytes,
fit int32."""

LAYOUTS = {"rows": -1, "columns": -2}


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of a program: an input, a constant, a state or a result.

    Its elements live in vectors along one axis, the lane axis; the other axes are steps of time. Vector
    ``block * T + t`` holds block number `block` of `vector_length` neighbours along the lane axis, at step t of T
    (C order of the others).

    Attributes
    ----------
    name : str
    shape : tuple of int
    dtype : str
        ``int8``, ``int16``, ``int32``, ``float16`` or ``float32``.
    data : ndarray or None
        Values of a constant, or the first ones of a state.
    lanes : int
        The lane axis, from the end: -1 (``rows``: lanes along the last axis), -2 (``columns``) ...
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    data: npt.NDArray[Any] | None = None
    lanes: int = -1

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return np.dtype(self.dtype).itemsize

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.size * self.itemsize

    def view(self) -> "View":
        """Return the whole tensor as a view."""
        return _Whole(self)

    def __getitem__(self, key: Any) -> "View":
        return self.view()[key]

    def reshape(self, *shape: int) -> "View":
        """Return a view of another shape."""
        return self.view().reshape(*shape)

    def transpose(self, *axes: int) -> "View":
        """Return a view with permuted axes: no data moves before an operation needs other lanes."""
        return self.view().transpose(*axes)

    def pad(self, widths: tuple[tuple[int, int], ...]) -> "View":
        """Return a view with zeros around."""
        return self.view().pad(widths)


@dataclass(frozen=True, eq=False)
class View:
    """Elements of a tensor in another arrangement; nothing moves.

    A view is legal wherever a tensor is. Inputs and constants may be arranged in any way at no cost, since the host
    writes them where they are needed. Of results, arrangements of whole vectors cost nothing (slices, permutations and
    repetitions of the time axes, zero vectors between them); an operation that needs others has them made before, once
    per program: see `compiler.declare.rearrangement`.

    Attributes
    ----------
    tensor : Tensor
    elements : ndarray of int32
        Of the view's shape: which element of the tensor; -1 for a zero. At least one.
    """

    tensor: Tensor
    elements: Elements

    def __post_init__(self) -> None:
        if not self.elements.size:
            raise TaktError(f"view of {self.name} must have an element, not the shape {self.shape}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        return self.elements.shape

    @property
    def dtype(self) -> str:
        """The tensor's."""
        return self.tensor.dtype

    @property
    def name(self) -> str:
        """The tensor's."""
        return self.tensor.name

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return self.tensor.itemsize

    @property
    def data(self) -> npt.NDArray[Any] | None:
        """The tensor's."""
        return self.tensor.data

    @property
    def has_each_once(self) -> bool:
        """Whether every element of the view is one of the tensor's, and no other's."""
        flat = self.elements.reshape(-1)
        seen = np.zeros(self.tensor.size, np.bool_)
        seen[flat] = True
        return bool((flat >= 0).all()) and int(seen.sum()) == flat.size

    def __getitem__(self, key: Any) -> "View":
        try:
            return View(self.tensor, np.asarray(self.elements[key], np.int32))
        except (IndexError, TypeError, ValueError, MemoryError) as error:
            raise TaktError(f"index of {self.name} must fit the shape {self.shape}: {error}") from None

    def reshape(self, *shape: int) -> "View":
        """Return a view of another shape."""
        try:
            return View(self.tensor, self.elements.reshape(integers("shape", shape)))
        except (ValueError, OverflowError):
            raise TaktError(
                f"shape must have the {self.elements.size} elements of {self.name}, not {shown(shape)}"
            ) from None

    def transpose(self, *axes: int) -> "View":
        """Return a view with permuted axes."""
        rank, order = len(self.shape), integers("axes", axes)
        if order and sorted(axis % rank if -rank <= axis < rank else axis for axis in order) != [*range(rank)]:
            raise TaktError(f"axes must be a permutation of the {rank} axes of {self.name}, not {shown(axes)}")
        return View(self.tensor, self.elements.transpose(order or None))

    def pad(self, widths: tuple[tuple[int, int], ...]) -> "View":
        """Return a view with zeros around: (before, after) per axis."""
        given = one_of("widths", widths, (tuple, list), ["a tuple of (before, after)"])
        pairs = [integers("widths", pair) for pair in given]
        if len(pairs) != len(self.shape) or any(len(pair) != 2 or min(pair) < 0 for pair in pairs):
            raise TaktError(f"widths must be (before, after), at least 0, per axis of {self.shape}, not {widths!r}")
        check_elements(self.name, [sum(pair) + size for pair, size in zip(pairs, self.shape, strict=True)])
        return View(self.tensor, np.pad(self.elements, pairs, constant_values=-1))

    def windows(self, size: tuple[int, ...], stride: int = 1) -> "View":
        """Return every window over the first axes: shape (places of each axis, `size`, further axes)."""
        size, stride = integers("window", size), integer("stride", stride)
        count = len(size)
        within = [*zip(size, self.shape, strict=False)]
        if len(within) < count or stride < 1 or not all(1 <= mine <= whole for mine, whole in within):
            raise TaktError(f"windows must be within {self.shape}, at a stride from 1, not {size!r} at {stride!r}")
        starts = [(whole - mine) // stride + 1 for mine, whole in within]
        check_elements(self.name, [*starts, *size, *self.shape[count:]])
        found = np.lib.stride_tricks.sliding_window_view(self.elements, size, tuple(range(count)))
        found = found[(slice(None, None, stride),) * count]
        rank = self.elements.ndim
        order = [*range(count), *range(rank, rank + count), *range(count, rank)]
        return View(self.tensor, np.ascontiguousarray(found.transpose(order)))


class _Whole(View):
    """A whole tensor. Its elements are numbered when somebody asks for them: nobody does if it does not fit MEM."""

    def __init__(self, tensor: Tensor) -> None:
        object.__setattr__(self, "tensor", tensor)

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        return self.tensor.shape

    @property
    def has_each_once(self) -> bool:
        """It has."""
        return True

    @cached_property
    def elements(self) -> Elements:
        """Every element in its own place."""
        check_elements(self.name, self.shape)
        return np.arange(self.tensor.size, dtype=np.int32).reshape(self.shape)


def join(views: "Sequence[Tensor | View]", axis: int = 0) -> View:
    """Return parts of one tensor, next to each other along an axis.

    Raises
    ------
    TaktError
        When they belong to different tensors.
    """
    parts = [as_view(view) for view in one_of("parts", views, (list, tuple), ["a list of tensors or views"])]
    if not parts:
        raise TaktError("parts must be at least one, not none")
    for part in parts:
        if part.tensor is not parts[0].tensor:
            raise TaktError(f"parts must belong to one tensor, not {parts[0].name!r} and {part.name!r}")
    check_elements(parts[0].name, [sum(math.prod(part.shape) for part in parts)])
    try:
        return View(parts[0].tensor, np.concatenate([part.elements for part in parts], integer("axis", axis)))
    except ValueError:
        shapes = ", ".join(str(part.shape) for part in parts)
        raise TaktError(f"parts must differ along axis {axis} only, not be of {shapes}") from None


def as_view(value: Tensor | View) -> View:
    """Return a tensor or view as a view."""
    if isinstance(value, Tensor):
        return value.view()
    view: View = one_of("operand", value, View, ["a tensor", "a view"])
    return view


def check_shape(name: str, shape: Sequence[int]) -> None:
    """Raise TaktError unless a tensor may have this shape."""
    if not shape or any(size < 1 for size in shape):
        raise TaktError(f"shape of {name} must have sizes of at least 1, not {tuple(shape)!r}")


def check_elements(name: str, shape: Sequence[int]) -> None:
    """Raise TaktError if a view of this shape has more elements than can be numbered."""
    if math.prod(shape) > MOST_ELEMENTS:
        raise TaktError(
            f"view of {name} must have at most {MOST_ELEMENTS} elements, not {shown(math.prod(shape))}, "
            f"of shape {shown(tuple(shape))}"
        )


def layout_axis(layout: str | int, rank: int) -> int:
    """Return the lane axis, from the end, of a layout's name or axis number.

    Raises
    ------
    TaktError
        For a layout that a tensor of this rank cannot have.
    """
    axis = LAYOUTS.get(layout) if isinstance(layout, str) else integer("layout", layout)
    if axis is not None and axis >= 0:
        axis -= rank
    if axis is None or not -max(rank, 1) <= axis <= -1:
        raise TaktError(f"layout must be rows, columns or an axis of {rank}, not {layout!r}")
    return axis
