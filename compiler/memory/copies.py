"""Copies of tensors in MEM, and what reads them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from compiler.ir.tensor import Elements, Tensor
from compiler.memory.accesses import Accesses, Meant
from compiler.memory.demand import Demand
from compiler.memory.maps import MapWords
from compiler.memory.words import Bank, Numbers
from compiler.schedule.macro import Macro

Cycles = npt.NDArray[np.int64]


@dataclass(eq=False)
class TensorCopy:
    """MEM words of one copy of a tensor, or of vectors that the host writes.

    A word holds one byte of each element of a vector: `vector_length` neighbours along the lane axis.

    Attributes
    ----------
    slices, addrs : ndarray of int32, shape (bytes, vectors)
        Slice -1: this copy lacks the vector.
    free : ndarray of int64, shape (vectors,)
        First cycle in which a WRITE may access the words: what was in them before has been read.
    ready : ndarray of int64, shape (vectors,)
        First cycle in which a READ may access them.
    last : ndarray of int64, shape (vectors,)
        Last cycle in which a READ that is placed accesses them; -1 without any.
    map : MapWords or None
        What the host writes there.
    version : int
        Times that words were given, for those who remember where they are.
    """

    slices: Numbers
    addrs: Numbers
    free: Cycles
    ready: Cycles
    last: Cycles
    map: MapWords | None = None
    version: int = 0

    @classmethod
    def empty(cls, size: int, vectors: int) -> "TensorCopy":
        """Return a copy that lacks every vector yet."""
        return cls(
            np.full((size, vectors), -1, np.int32),
            np.zeros((size, vectors), np.int32),
            np.zeros(vectors, np.int64),
            np.zeros(vectors, np.int64),
            np.full(vectors, -1, np.int64),
        )

    def put(self, vectors: npt.NDArray[np.int64], slices: Numbers, addrs: Numbers, free: Cycles) -> None:
        """Give some vectors words, shape (bytes, n), that are free from some cycles on."""
        self.slices[:, vectors], self.addrs[:, vectors], self.free[vectors] = slices, addrs, free
        self.version += 1

    def put_byte(self, byte: int, vectors: "slice | npt.NDArray[np.int64]", number: int, addrs: Cycles) -> None:
        """Give one byte of some vectors words of slice `number`."""
        self.slices[byte, vectors], self.addrs[byte, vectors] = number, addrs
        self.version += 1

    @property
    def used(self) -> set[int]:
        """Slices of the words."""
        return slices_in(self.slices)

    def has(self, vectors: npt.NDArray[np.int64]) -> bool:
        """Return whether it holds all of some vectors."""
        return bool((self.slices[0, vectors] >= 0).all())


@dataclass(eq=False)
class ReadPort:
    """Places of the vectors of an operation's steps: in one copy, and (-1) in a word of zeros per byte.

    Attributes
    ----------
    copy : TensorCopy
    steps : ndarray of int64, shape (n,)
        Vector of each step; -1 for zeros.
    used : ndarray of int64
        The steps that are read.
    zero_slices, zero_addrs : ndarray of int32, shape (bytes,)
    tensor, elements : Tensor and ndarray
        Whose vectors they are: of a result its own, otherwise these elements.
    shared : bool
        Whether the host wrote the copy for another operation.
    """

    copy: TensorCopy
    steps: npt.NDArray[np.int64]
    used: npt.NDArray[np.int64]
    zero_slices: Numbers
    zero_addrs: Numbers
    tensor: Tensor | None = None
    elements: Elements | None = None
    shared: bool = False
    _known: "_Places | None" = field(default=None, init=False, repr=False)

    def serves(self, demand: Demand) -> bool:
        """Return whether it has the vectors that a demand wants in its steps."""
        alike = self.elements is demand.elements or (
            self.elements is not None and demand.elements is not None and np.array_equal(self.elements, demand.elements)
        )
        same = self.tensor is demand.tensor and alike and np.array_equal(self.steps, demand.steps)
        # A port of the same steps may use others of them, none of which reads zeros.
        has_zeros = not demand.zeros or bool((self.zero_slices >= 0).all())
        return same and has_zeros and self.copy.has(demand.order)

    def accesses(
        self, byte: int | npt.NDArray[np.integer[Any]], steps: npt.NDArray[np.int64], cycles: Cycles
    ) -> Accesses:
        """Return the accesses of a byte of the vectors of some steps, in some cycles, one each."""
        slices, addrs, _ = self._places().words
        tensor = self.tensor if self.elements is None else None
        return Accesses(tensor, self.steps[steps], slices[byte, steps], addrs[byte, steps], cycles)

    def words(self) -> tuple[Numbers, Numbers, Cycles]:
        """Return slices and addrs, shape (bytes, steps), and the cycles from which they can be read, shape (steps,)."""
        slices, addrs, zero = self._places().words
        ready = self.copy.ready[self.steps]
        return slices, addrs, ready if zero is None else np.where(zero, 0, ready)

    @property
    def slices(self) -> frozenset[int]:
        """Slices that are read."""
        return self._places().slices

    def banks(self, depth: int) -> frozenset[Bank]:
        """Return the banks that are read, of `depth` words each."""
        places = self._places()
        if places.banks is None:
            places.banks = banks_in(places.words[0][:, self.used], places.words[1][:, self.used], depth)
        return places.banks

    def _places(self) -> "_Places":
        """Return where its words are, worked out once for as long as the copy stays where it is: every trial asks."""
        copy, steps = self.copy, self.steps
        if self._known is None or self._known.version != copy.version:
            slices, addrs = copy.slices[:, steps], copy.addrs[:, steps]
            zero = steps < 0
            none = not zero.any()
            if not none:
                slices = np.where(zero, self.zero_slices[:, None], slices)
                addrs = np.where(zero, self.zero_addrs[:, None], addrs)
            words = slices, addrs, None if none else zero
            self._known = _Places(copy.version, words, frozenset(slices_in(slices[:, self.used])))
        return self._known


@dataclass
class _Places:
    """Words of a port: slices and addrs, shape (bytes, steps), and which steps are zeros, if any is."""

    version: int
    words: tuple[Numbers, Numbers, npt.NDArray[np.bool_] | None]
    slices: frozenset[int]
    banks: frozenset[Bank] | None = None


@dataclass
class Template:
    """A macro-operation, with what ties it to the copies that it reads and writes.

    Attributes
    ----------
    macro : Macro
    needs : int
        Earliest start at which everything is in MEM when it is read, and every word free when it is written.
    written : list of (TensorCopy, ndarray, ndarray)
        Copy, vectors, and from which cycle on (relative) each of them can be read.
    read : list of (TensorCopy, ndarray, ndarray)
        Copy, vectors, and in which cycle (relative) each of them is accessed.
    meant : Meant
        Every access, for the verifier.
    """

    macro: Macro
    needs: int = 0
    written: list[tuple[TensorCopy, Cycles, Cycles]] = field(default_factory=list)
    read: list[tuple[TensorCopy, Cycles, Cycles]] = field(default_factory=list)
    meant: Meant = field(default_factory=Meant)

    def reads(
        self,
        copy: TensorCopy,
        found: Accesses,
        ready: npt.NDArray[np.integer[Any]],
    ) -> None:
        """Note accesses of a copy's vectors (-1: none) in relative cycles, shape (n,), which have to be ready then."""
        self.needs = max(self.needs, int((ready - found.cycles).max()))
        self.read.append((copy, found.vectors, found.cycles))
        self.meant.reads.append(found)

    def writes(self, copy: TensorCopy, tensor: Tensor, vectors: Cycles, done: Cycles) -> None:
        """Note the relative cycles from which bytes of a tensor's vectors can be read, shape (bytes, n).

        They are written in the cycle before. A byte that is nearer than others of its vector is written sooner, and no
        word may be before it is free.
        """
        self.needs = max(self.needs, int((copy.free[vectors] - (done.min(axis=0) - 1)).max()))
        self.written.append((copy, vectors, done.max(axis=0)))
        self.meant.writes.append(Accesses(tensor, vectors, copy.slices[:, vectors], copy.addrs[:, vectors], done - 1))

    def changes(self, copy: TensorCopy, tensor: Tensor, first: int, done: Cycles) -> None:
        """Note that any vector may be written from a relative cycle on, until it can be read, shape (vectors,)."""
        vectors = np.arange(len(done))
        # After all reads of what was there, and after what was written there before.
        self.needs = max(self.needs, int(max(copy.ready.max(), copy.last.max() + 1)) - first)
        self.written.append((copy, vectors, done))
        cycles = np.stack([np.full(len(done), first), done - 1])[:, None]
        self.meant.writes.append(Accesses(tensor, vectors, copy.slices, copy.addrs, cycles, in_place=True))

    @property
    def end(self) -> int:
        """Relative cycle from which all that is written can be read."""
        return max((int(ready.max()) for _, _, ready in self.written), default=0)

    def settle(self, start: int) -> Callable[[], None]:
        """Note in the copies that the macro-operation starts at cycle `start`; return how to undo that."""
        copies = list(dict.fromkeys([copy for copy, *_ in (*self.written, *self.read)]))
        before = [(copy, copy.ready, copy.last) for copy in copies]
        # New arrays, so that undoing is to put the old ones back.
        for copy in copies:
            copy.ready, copy.last = copy.ready.copy(), copy.last.copy()
        for copy, vectors, ready in self.written:
            copy.ready[vectors] = start + ready
        for copy, vectors, accesses in self.read:
            held = vectors >= 0
            # `at`, since a vector may be read several times.
            np.maximum.at(copy.last, vectors[held], start + accesses[held])

        def undo() -> None:
            for copy, ready, last in before:
                copy.ready, copy.last = ready, last

        return undo


def slices_in(slices: Numbers) -> set[int]:
    """Return the different slices of words; -1 is none."""
    # Faster than NumPy's for the few words that most copies have.
    return set(slices.ravel().tolist()) - {-1}


def banks_in(slices: Numbers, addrs: Numbers, depth: int) -> frozenset[Bank]:
    """Return the banks of some words, of `depth` words each; slice -1 is none."""
    keys = set((slices * 2 + addrs // depth)[slices >= 0].tolist())
    return frozenset(Bank(key // 2, key % 2) for key in keys)
