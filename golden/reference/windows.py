"""Windows that move over an image."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError


@dataclass(frozen=True, kw_only=True)
class Window:
    """A window, and how it moves.

    Attributes
    ----------
    height, width : int
    stride, padding : int
        In both directions; the padding is on all four sides.
    """

    height: int
    width: int
    stride: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        for name, least in (("height", 1), ("width", 1), ("stride", 1), ("padding", 0)):
            value = getattr(self, name)
            if value < least:
                raise TaktError(f"{name} must be at least {least}, not {value!r}")

    def places(self, height: int, width: int) -> tuple[int, int]:
        """Return the rows and columns of windows in an image.

        Raises
        ------
        TaktError
            When the image with its padding is smaller than the window.
        """
        found = []
        for name, size, mine in (("height", height, self.height), ("width", width, self.width)):
            left = size + 2 * self.padding - mine
            if left < 0:
                raise TaktError(f"window's {name} must be at most {size + 2 * self.padding}, not {mine}")
            found.append(left // self.stride + 1)
        return found[0], found[1]


def windows(x: npt.NDArray[Any], window: Window, fill: float) -> npt.NDArray[Any]:
    """Return every window of an image.

    Parameters
    ----------
    x : ndarray, shape (height, width, channels)
    window : Window
    fill : number
        Value of the padding.

    Returns
    -------
    ndarray, shape (window elements, rows, columns, channels)
        Elements of the window in row-major order.
    """
    rows, columns = window.places(*x.shape[:2])
    pad = window.padding
    padded = np.pad(x, ((pad, pad), (pad, pad), (0, 0)), constant_values=fill)
    step = window.stride
    return np.stack(
        [
            padded[i : i + step * (rows - 1) + 1 : step, j : j + step * (columns - 1) + 1 : step]
            for i in range(window.height)
            for j in range(window.width)
        ]
    )
