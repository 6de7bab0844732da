"""Repetitions in the words of a queue."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_FACTOR = 0x9E3779B97F4A7C15
"""Odd, so that it has an inverse modulo 2 ** 64."""


class Repeats:
    """Distances after which the words of a queue come again: of equal layers the words are equal.

    Parameters
    ----------
    words : sequence of int
    spans : sequence of int
        How many words on must be equal for a repetition; the longest that is found counts.
    """

    def __init__(self, words: Sequence[int], spans: Sequence[int]) -> None:
        self.words = np.array(words, np.uint64)
        self._next = [_next_equal(self.words, span) for span in spans]

    def distance(self, number: int) -> int | None:
        """Return after how many words those from `number` on come again; None if they do not."""
        for following in self._next:
            if number < len(following) and following[number] > 0:
                return int(following[number]) - number
        return None


def _next_equal(words: npt.NDArray[np.uint64], span: int) -> npt.NDArray[np.int64]:
    """Return for each word the next one from which on `span` words are the same; -1 for none."""
    count = len(words) - span + 1
    if count < 2:
        return np.zeros(0, np.int64)
    # Polynomial hashes of all spans at once: differences of prefix sums, brought to the same power.
    powers = np.cumprod(np.full(len(words), _FACTOR, np.uint64))
    inverse = np.cumprod(np.full(count, pow(_FACTOR, -1, 1 << 64), np.uint64))
    sums = np.append(np.uint64(0), np.cumsum(words * powers))
    hashes = (sums[span:] - sums[:-span]) * inverse
    order = np.argsort(hashes, kind="stable")
    following = np.full(count, -1, np.int64)
    same = hashes[order[1:]] == hashes[order[:-1]]
    following[order[:-1][same]] = order[1:][same]
    return following
