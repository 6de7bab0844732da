"""Scikit-learn's handwritten digits, split once and for all."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["HELD_OUT", "PIXEL_MAX", "Digits", "load_digits_split"]

HELD_OUT = 360
"""Images that training never sees."""

PIXEL_MAX = 16
"""Pixels are integers from 0 to 16, so int8 holds them exactly."""

_SPLIT_SEED = 0


@dataclass(frozen=True)
class Digits:
    """The data set in two parts that share no image.

    Attributes
    ----------
    train, held_out : ndarray of int8, shape (n, 64)
        Pixels 0 to 16, row by row.
    train_labels, held_out_labels : ndarray of int64, shape (n,)
    """

    train: npt.NDArray[np.int8]
    train_labels: npt.NDArray[np.int64]
    held_out: npt.NDArray[np.int8]
    held_out_labels: npt.NDArray[np.int64]


def load_digits_split() -> Digits:
    """Return 1,437 images to train on and 360 held out, every digit in the same proportion in both."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    parts: list[npt.NDArray[Any]] = train_test_split(
        pixels.astype(np.int8),
        labels.astype(np.int64),
        test_size=HELD_OUT,
        random_state=_SPLIT_SEED,
        stratify=labels,
    )
    train, held_out, train_labels, held_out_labels = parts
    return Digits(train, train_labels, held_out, held_out_labels)
