"""A program that fits its queues, with the words of MEM from which the rest of it comes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError

Numbers = npt.NDArray[np.int32]
Words64 = npt.NDArray[np.uint64]


class TextError(TaktError):
    """Refusal of a program whose text cannot come in time, which a slower one's might."""


@dataclass
class Text:
    """A program that fits its queues.

    Attributes
    ----------
    queues : dict of int to ndarray of uint64
        Words that the host writes, by queue number.
    slices, addrs : ndarray of int32, shape (n,)
        MEM words of the text.
    content : ndarray of uint8, shape (n, vector_length)
    instructions : int
        Words of all queues, fetched ones included.
    paused : int
        Cycles by which the last operations issue later than they were scheduled, text having been waited for.
    starts : tuple of (int, int)
        First cycle of each segment, as scheduled, and as it is: with the pauses before it.
    """

    queues: dict[int, Words64]
    slices: Numbers
    addrs: Numbers
    content: npt.NDArray[np.uint8]
    instructions: int
    paused: int = 0
    starts: tuple[tuple[int, int], ...] = ((0, 0),)
