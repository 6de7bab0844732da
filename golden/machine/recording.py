"""Recording of what the stream registers of a position held, cycle by cycle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden.machine.ecc import Flips

RegisterFlips = Mapping[tuple[int, int], Flips]
"""Flips by direction and stream."""


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
    flips : sequence of RegisterFlips
        Flipped bits by cycle.
    """

    position: int
    values: npt.NDArray[np.uint8]
    written: npt.NDArray[np.bool_]
    flips: Sequence[RegisterFlips] = ()
