"""Digits in a terminal."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from runtime.digits.data import PIXEL_MAX

__all__ = ["DIGIT_WIDTH", "draw_digits"]

_SHADES = " .:-=+*#%@"
_EDGE = 8
DIGIT_WIDTH = 2 * _EDGE + 2
"""Characters of a digit and the gap behind it."""


def draw_digits(pixels: npt.NDArray[np.int8], captions: Sequence[str]) -> str:
    """Return images side by side as text, two characters per pixel, a caption below each.

    Parameters
    ----------
    pixels
        Images, shape (n, 64), 0 to 16.
    captions
        One per image.
    """
    levels = pixels.reshape(-1, _EDGE, _EDGE).astype(int) * (len(_SHADES) - 1) // PIXEL_MAX
    lines = ["  ".join("".join(_SHADES[level] * 2 for level in image[row]) for image in levels) for row in range(_EDGE)]
    lines.append("  ".join(caption.center(2 * _EDGE) for caption in captions))
    return "\n".join(line.rstrip() for line in lines)
