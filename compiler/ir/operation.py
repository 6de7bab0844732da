"""The protocol of operations: all that is known of one outside its declaration and its lowering."""

from collections.abc import Callable, Iterator
from typing import Protocol

from arch.config import Config
from compiler.ir.tensor import Tensor
from compiler.ir.vector import Pass
from compiler.ir.work import Work


class Operation(Protocol):
    """Operation of a unit: one node of a program.

    Kinds are siblings: `compiler.place.lowerings` has the one table of them. An operation is equal to itself only, so
    that it serves as the key of all that is known of it.
    """

    @property
    def config(self) -> Config:
        """The machine."""
        ...

    @property
    def name(self) -> str:
        """Name in messages."""
        ...

    @property
    def as_pass(self) -> Pass | None:
        """Itself, if it is nothing but a pass through ALUs."""
        ...

    @property
    def makes_weights(self) -> bool:
        """Whether it can leave its results in the words from which planes load weights."""
        ...

    @property
    def work(self) -> Work:
        """Work of units that it takes at least; of the SXM, and of tables, nothing is counted."""
        ...

    def reads(self) -> Iterator[Tensor]:
        """Yield the tensors that are read."""
        ...

    def writes(self) -> Iterator[Tensor]:
        """Yield the tensors that are made, or changed."""
        ...

    def words(self) -> Iterator[tuple[Tensor, int]]:
        """Yield tensors that are read or made, each with the words of MEM that it fills at least."""
        ...

    def check_superlanes(self, superlanes: int, limited: bool) -> None:
        """Check that the operation can do with some superlanes.

        Parameters
        ----------
        superlanes : int
            How many are on.
        limited : bool
            Whether any are off somewhere in its program.

        Raises
        ------
        TaktError
            Saying what is too long for them, or needs all of them.
        """
        ...

    def finished_by(self, change: "Callable[[Pass], Pass]") -> "Operation":
        """Return the operation with a change of the pass that makes its results; itself if no ALU works on them."""
        ...
