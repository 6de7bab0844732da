"""Windows that move over a sequence, an image or a volume."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError

PerAxis = int | Sequence[int]
"""A number for all axes, or one for each."""

Padding = int | Sequence[int | Sequence[int]]
"""A number for all sides, one per axis, or (before, after) per axis."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """A window, and how it moves, along each axis but that of the channels (ONNX Conv and MaxPool).

    Attributes
    ----------
    sizes : sequence of int
        Taps per axis.
    strides, dilation : int or sequence of int
        Steps from window to window, and from tap to tap.
    padding : int, or sequence of int or of (before, after)
    ceil : bool
        Whether a window that reaches beyond the padding counts; one that begins there never does.
    """

    sizes: Sequence[int]
    strides: PerAxis = 1
    padding: Padding = 0
    dilation: PerAxis = 1
    ceil: bool = False

    def __post_init__(self) -> None:
        for name, values, least in (
            ("sizes", self.sizes, 1),
            ("strides", self._per_axis(self.strides), 1),
            ("dilation", self._per_axis(self.dilation), 1),
            ("padding", [side for pair in self.sides for side in pair], 0),
        ):
            for value in values:
                if value < least:
                    raise TaktError(f"{name} must be at least {least}, not {value!r}")

    @property
    def sides(self) -> list[tuple[int, int]]:
        """Padding before and after, per axis."""
        return [(pair, pair) if isinstance(pair, int) else (pair[0], pair[1]) for pair in self._per_axis(self.padding)]

    def places(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return how many windows there are along each axis.

        Raises
        ------
        TaktError
            When the image with its padding is smaller than the window.
        """
        found = []
        for axis, (size, taps, stride, step, (before, after)) in enumerate(self._axes(shape)):
            padded, extent = size + before + after, step * (taps - 1) + 1
            left = padded - extent
            if left < 0:
                raise TaktError(f"window must reach over at most {padded} places along axis {axis}, not {extent}")
            count = left // stride + 1
            if self.ceil and left % stride and count * stride < size + before:
                count += 1
            found.append(count)
        return tuple(found)

    def taps(self, shape: Sequence[int]) -> list[npt.NDArray[np.int64]]:
        """Return where the taps of every window lie along each axis, shape (windows, taps); below 0 in the padding."""
        return [
            stride * np.arange(count)[:, None] - before + step * np.arange(taps)
            for count, (_, taps, stride, step, (before, _)) in zip(self.places(shape), self._axes(shape), strict=True)
        ]

    def counts(self, shape: Sequence[int], count_include_pad: bool) -> npt.NDArray[np.int64]:
        """Return how many taps of every window lie within image and padding, or in the image alone; shape `places`."""
        total = np.ones((), np.int64)
        for taps, size, (before, after) in zip(self.taps(shape), shape, self.sides, strict=True):
            low, high = (-before, size + after) if count_include_pad else (0, size)
            total = np.multiply.outer(total, ((taps >= low) & (taps < high)).sum(axis=1))
        return total

    def _per_axis(self, value: Any) -> Sequence[Any]:
        return [value] * len(self.sizes) if isinstance(value, int) else value

    def _axes(self, shape: Sequence[int]) -> list[Any]:
        per_axis = (self._per_axis(self.strides), self._per_axis(self.dilation), self.sides)
        return list(zip(shape, self.sizes, *per_axis, strict=True))


def windows(x: npt.NDArray[Any], window: Window, fill: float) -> npt.NDArray[Any]:
    """Return every window of an image.

    Parameters
    ----------
    x : ndarray, shape (..., channels)
    window : Window
    fill : number
        Value of the padding, and of what a window sees beyond it.

    Returns
    -------
    ndarray, shape (window elements, places along each axis, channels)
        Elements of the window in row-major order.
    """
    shape = x.shape[:-1]
    taps = window.taps(shape)
    edges = [
        (before, max(int(along.max()) + 1 - size, 0))
        for along, size, (before, _) in zip(taps, shape, window.sides, strict=True)
    ]
    padded = np.pad(x, [*edges, (0, 0)], constant_values=fill)
    starts = [along + before for along, (before, _) in zip(taps, edges, strict=True)]
    return np.stack(
        [
            padded[np.ix_(*(along[:, tap] for along, tap in zip(starts, element, strict=True)))]
            for element in np.ndindex(*window.sizes)
        ]
    )
