"""Stream registers as bits."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.ecc import check_bits

__all__ = ["coded_word", "packed_streams"]


def coded_word(config: Config, data: int) -> int:
    """Return a word of ``8 * lanes`` bits with its check bits above, if there is ECC."""
    bits = 8 * config.lanes
    return data | check_bits(data, bits) << bits if config.ecc else data


def packed_streams(
    config: Config, vectors: npt.NDArray[np.uint8], row: int, flips: Mapping[int, Mapping[int, int]]
) -> int:
    """Return the words of one superlane, stream 0 lowest.

    Parameters
    ----------
    config
    vectors
        Of all streams, shape (streams, vector_length).
    row
        The superlane.
    flips
        Flipped bits by stream and superlane; of no use without ECC.
    """
    lanes = slice(row * config.lanes, (row + 1) * config.lanes)
    if not config.ecc:
        return int.from_bytes(vectors[:, lanes].tobytes(), "little")
    packed = 0
    for stream, vector in enumerate(vectors[:, lanes]):
        word = coded_word(config, int.from_bytes(vector.tobytes(), "little")) ^ flips.get(stream, {}).get(row, 0)
        packed |= word << config.stream_bits * stream
    return packed
