"""Windows that move over an image, a sequence or a volume: where each of their taps lies."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from compiler.arguments import flag, integer, integers

__all__ = ["Padding", "PerAxis", "Windows", "check_windows"]

PerAxis = int | Sequence[int]
"""A number for all axes, or one for each."""

Padding = int | Sequence[int | Sequence[int]]
"""A number for all sides, one per axis, or (before, after) per axis."""

_ELEMENTS = 1 << 26
"""Elements of a padded image, or of all its windows, that are worked out one by one."""


@dataclass(frozen=True)
class Windows:
    """Windows over the first axes of a tensor whose last axis are channels.

    Attributes
    ----------
    shape : tuple of int
        Sizes of the axes that the windows move along.
    sizes, strides, dilation : tuple of int
        Per axis: taps of a window, step from window to window, step from tap to tap.
    padding : tuple of (int, int)
        Per axis: places before the first element and after the last.
    ceil : bool
        Whether a last window counts that reaches beyond the padding, as long as it begins before the padding's end.
    """

    shape: tuple[int, ...]
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    ceil: bool = False

    @classmethod
    def over(
        cls,
        shape: Sequence[int],
        sizes: PerAxis,
        strides: PerAxis = 1,
        padding: Padding = 0,
        dilation: PerAxis = 1,
        ceil: bool = False,
    ) -> "Windows":
        """Return windows, numbers for all axes written out.

        Raises
        ------
        TaktError
            For numbers below the least, or not one per axis; and for a window larger than what it moves over.
        """
        rank = len(shape)
        per_axis = [
            _per_axis(name, value, rank, 1)
            for name, value in (("window", sizes), ("strides", strides), ("dilation", dilation))
        ]
        found = cls(tuple(shape), per_axis[0], per_axis[1], _sides(padding, rank), per_axis[2], flag("ceil", ceil))
        for name, size, (before, after), extent in zip(
            _names(rank), found.shape, found.padding, found.extents, strict=True
        ):
            if extent > size + before + after:
                raise TaktError(f"window's {name} must be at most {size + before + after}, not {extent}")
        return found

    @property
    def extents(self) -> tuple[int, ...]:
        """Places from the first tap of a window to its last, per axis."""
        return tuple(step * (size - 1) + 1 for size, step in zip(self.sizes, self.dilation, strict=True))

    @cached_property
    def places(self) -> tuple[int, ...]:
        """Windows along each axis."""
        found = []
        for size, extent, stride, (before, after) in zip(
            self.shape, self.extents, self.strides, self.padding, strict=True
        ):
            left = size + before + after - extent
            count = (-(-left // stride) if self.ceil else left // stride) + 1
            if self.ceil and (count - 1) * stride >= size + before:
                count -= 1
            found.append(count)
        return tuple(found)

    @property
    def taps(self) -> int:
        """Elements of a window in one channel."""
        return prod(self.sizes)

    def taps_along(self, axis: int) -> npt.NDArray[np.int64]:
        """Return where taps lie along an axis, shape (windows, taps): below 0 and from `shape` on in the padding."""
        start = np.arange(self.places[axis])[:, None] * self.strides[axis] - self.padding[axis][0]
        found: npt.NDArray[np.int64] = start + np.arange(self.sizes[axis]) * self.dilation[axis]
        return found

    def index(self, *along: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], ...]:
        """Return an index, one array per axis, that gives every window: shape (taps per axis, windows per axis)."""
        rank = len(self.shape)
        found = []
        for axis, taps in enumerate(along):
            shape = [1] * (2 * rank)
            shape[axis], shape[rank + axis] = taps.shape[1], taps.shape[0]
            found.append(np.ascontiguousarray(taps.T).reshape(shape))
        return tuple(found)

    def held(self, limits: Sequence[tuple[int, int]]) -> npt.NDArray[np.int64]:
        """Return how many taps of every window lie from `low` to below `high` along each axis, shape `places`."""
        total = np.ones((), np.int64)
        for axis, (low, high) in enumerate(limits):
            taps = self.taps_along(axis)
            total = np.multiply.outer(total, ((taps >= low) & (taps < high)).sum(axis=1))
        return total


def check_windows(config: Config, windows: Windows, channels: int, bytes_each: int) -> None:
    """Refuse windows that make more than the machine could hold.

    Parameters
    ----------
    config : Config
    windows : Windows
    channels : int
    bytes_each : int
        Of the result, per window.

    Raises
    ------
    TaktError
        Saying by how much it is too large.
    """
    padded = prod(size + sum(pair) for size, pair in zip(windows.shape, windows.padding, strict=True)) * channels
    elements = max(padded, prod(windows.places) * windows.taps * channels)
    if elements > _ELEMENTS:
        raise TaktError(f"padded image and its windows must have at most {_ELEMENTS} elements, not {elements}")
    size = prod(windows.places) * bytes_each
    if size > config.mem_bytes:
        raise TaktError(f"result must fit the MEM of {config.name}, {config.mem_bytes} bytes, not need {size}")


def _names(rank: int) -> tuple[str, ...]:
    return {1: ("length",), 2: ("height", "width")}.get(rank, tuple(f"axis {axis}" for axis in range(rank)))


def _per_axis(name: str, value: PerAxis, rank: int, least: int) -> tuple[int, ...]:
    if isinstance(value, Sequence):
        found = integers(name, value, least)
        if len(found) != rank:
            raise TaktError(f"{name} must be one number or {rank}, not {len(found)}")
        return found
    return (integer(name, value, least),) * rank


def _sides(padding: Padding, rank: int) -> tuple[tuple[int, int], ...]:
    given = padding if isinstance(padding, Sequence) else (padding,) * rank
    if len(given) != rank:
        raise TaktError(f"padding must be one number or one per axis of {rank}, not {len(given)}")
    return tuple((pair[0], pair[1]) for pair in (_per_axis("padding", value, 2, 0) for value in given))
