"""Result of a run of an image."""

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt


@dataclass(frozen=True)
class ImageResult:
    """Outputs and length of a run.

    Attributes
    ----------
    outputs : dict of str to ndarray
        By name of the image's output.
    cycles : int
        From the first issue to the last retirement.
    """

    outputs: dict[str, npt.NDArray[Any]]
    cycles: int
