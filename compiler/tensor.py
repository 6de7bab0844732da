"""What a kernel author holds in hands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError
from compiler.arguments import integer, integers, one_of

Elements = npt.NDArray[np.int32]
"""Numbers of elements of a tensor, C order; -1 stands for a lane that holds 0."""

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
        return int(np.prod(self.shape))

    def view(self) -> "View":
        """Return the whole tensor as a view."""
        return View(self, np.arange(self.size, dtype=np.int32).reshape(self.shape))

    def __getitem__(self, key: Any) -> "View":
        return self.view()[key]

    def reshape(self, *shape: int) -> "View":
        """Return a view of another shape."""
        return self.view().reshape(*shape)

    def transpose(self, *axes: int) -> "View":
        """Return a view with permuted axes: no data moves, so the lane axis stays what it is."""
        return self.view().transpose(*axes)

    def pad(self, widths: tuple[tuple[int, int], ...]) -> "View":
        """Return a view with zeros around."""
        return self.view().pad(widths)


@dataclass(frozen=True, eq=False)
class View:
    """Elements of a tensor in another arrangement; nothing moves.

    A view is legal wherever a tensor is. An operation on a result finds its vectors again in any arrangement that
    takes whole vectors (slices, permutations and repetitions of the time axes, zero vectors between them); inputs and
    constants may be arranged in any way, since the host writes them where they are needed.

    Attributes
    ----------
    tensor : Tensor
    elements : ndarray of int32
        Of the view's shape: which element of the tensor; -1 for a zero.
    """

    tensor: Tensor
    elements: Elements

    def __post_init__(self) -> None:
        if not self.elements.size:
            raise TaktError(f"view of {self.name} must have elements, not be of shape {self.shape}")

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

    def __getitem__(self, key: Any) -> "View":
        try:
            return View(self.tensor, np.asarray(self.elements[key], np.int32))
        except (IndexError, TypeError, ValueError) as error:
            raise TaktError(f"index of {self.name} must fit the shape {self.shape}, not be {key!r}: {error}") from None

    def reshape(self, *shape: int) -> "View":
        """Return a view of another shape."""
        try:
            return View(self.tensor, self.elements.reshape(integers("shape", shape)))
        except ValueError:
            raise TaktError(f"shape must have the {self.elements.size} elements of {self.name}, not {shape}") from None

    def transpose(self, *axes: int) -> "View":
        """Return a view with permuted axes."""
        order = integers("axes", axes)
        rank = self.elements.ndim
        if order and sorted(axis % rank if -rank <= axis < rank else axis for axis in order) != list(range(rank)):
            raise TaktError(f"axes of {self.name} must be a permutation of 0 to {rank - 1}, not {order}")
        return View(self.tensor, self.elements.transpose(order or None))

    def pad(self, widths: tuple[tuple[int, int], ...]) -> "View":
        """Return a view with zeros around: (before, after) per axis."""
        pairs = [integers("widths of a pad", pair, 0) for pair in one_of("widths", widths, (tuple, list), ["pairs"])]
        if len(pairs) != self.elements.ndim or any(len(pair) != 2 for pair in pairs):
            raise TaktError(f"widths must be (before, after) for each axis of {self.shape}, not {widths!r}")
        return View(self.tensor, np.pad(self.elements, pairs, constant_values=-1))

    def windows(self, size: tuple[int, ...], stride: int = 1) -> "View":
        """Return every window over the first axes: shape (places of each axis, `size`, further axes)."""
        size, stride = integers("window", size, 1), integer("stride", stride, 1)
        count = len(size)
        if count > self.elements.ndim or any(part > whole for part, whole in zip(size, self.shape, strict=False)):
            raise TaktError(f"window must fit the first axes of {self.shape}, not be {size}")
        found = np.lib.stride_tricks.sliding_window_view(self.elements, size, tuple(range(count)))
        found = found[(slice(None, None, stride),) * count]
        rank = self.elements.ndim
        order = [*range(count), *range(rank, rank + count), *range(count, rank)]
        return View(self.tensor, np.ascontiguousarray(found.transpose(order)))


def join(views: "Sequence[Tensor | View]", axis: int = 0) -> View:
    """Return parts of one tensor, next to each other along an axis.

    Raises
    ------
    TaktError
        When they belong to different tensors.
    """
    if not isinstance(views, Sequence) or not views:
        raise TaktError(f"parts must be tensors or views, not {views!r}")
    parts = [as_view(view) for view in views]
    for part in parts:
        if part.tensor is not parts[0].tensor:
            raise TaktError(f"parts must belong to one tensor, not {parts[0].name!r} and {part.name!r}")
    try:
        elements = np.concatenate([part.elements for part in parts], integer("axis", axis))
    except ValueError as error:
        shapes = ", ".join(str(part.shape) for part in parts)
        raise TaktError(f"parts must be alike but for axis {axis}, not {shapes}: {error}") from None
    return View(parts[0].tensor, elements)


def as_view(value: Tensor | View) -> View:
    """Return a tensor or view as a view."""
    if isinstance(value, Tensor):
        return value.view()
    view: View = one_of("operand", value, View, ["a tensor", "a view"])
    return view


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
