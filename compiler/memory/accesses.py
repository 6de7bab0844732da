"""Accesses of MEM as operations mean them: what a word is to hold when it is read, and what is written to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from compiler.ir.tensor import Tensor
from compiler.memory.words import Cycles, Numbers

Places = tuple[Numbers, Numbers]
"""Slices and addrs of words, of equal shapes; slice -1: no word."""


@dataclass(frozen=True, eq=False)
class Accesses:
    """Accesses of words, and whose vectors these hold.

    Attributes
    ----------
    tensor : Tensor or None
        A result or a state, whose vectors the words hold; None: what the host wrote there.
    vectors : ndarray of int64, shape (n,)
        Vector of each word; -1: zeros, which the host wrote.
    slices, addrs : ndarray of int32, shape (..., n)
    cycles : ndarray of int64, shape (..., n)
        In which the bank is accessed, relative to the start of the macro-operation.
    in_place : bool
        Whether WRITEs may change any of the words at any time, from the first cycle to the last one: shape (2, 1, n).
    """

    tensor: Tensor | None
    vectors: npt.NDArray[np.int64]
    slices: Numbers
    addrs: Numbers
    cycles: Cycles
    in_place: bool = False


@dataclass(eq=False)
class Meant:
    """All accesses of a macro-operation, as it means them."""

    reads: list[Accesses] = field(default_factory=list)
    writes: list[Accesses] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Final:
    """Words that the host reads after the program, or finds there before its next run.

    Attributes
    ----------
    tensors : tuple of Tensor
        Any of those whose vectors the words may hold at the end; none: what the host wrote.
    places : (ndarray, ndarray), shape (n,) each
    vectors : ndarray of int64, shape (n,)
    """

    tensors: tuple[Tensor, ...]
    places: Places
    vectors: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Contents:
    """What MEM is to hold in the course of a program.

    Attributes
    ----------
    placed : sequence of (Meant, int)
        Macro-operations in the order of the operations, with their starts as scheduled.
    starts : sequence of (int, int)
        First cycle of each segment of the program, as scheduled and as it is.
    hosted : sequence of Places
        Words that the host writes before the program.
    states : mapping of Tensor to sequence of Places, shape (bytes, vectors) each
        Where tensors that live from run to run are before the program.
    final : sequence of Final
    """

    placed: Sequence[tuple[Meant, int]]
    starts: Sequence[tuple[int, int]]
    hosted: Sequence[Places]
    states: Mapping[Tensor, Sequence[Places]]
    final: Sequence[Final]
