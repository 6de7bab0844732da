"""What a watched position's stream registers held."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Recording:
    """Contents of one position's stream registers in every cycle of a run.

    Attributes
    ----------
    position : int
    values : ndarray of uint8, shape (cycles, 2, streams, vector_length)
        By cycle, direction (`arch.geometry.Direction`), stream and lane, in tile-0 time. Empty registers hold 0.
    written : ndarray of bool, shape (cycles, 2, streams)
        Whether the register holds a driven value.
    """

    position: int
    values: npt.NDArray[np.uint8]
    written: npt.NDArray[np.bool_]
