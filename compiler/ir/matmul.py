"""The operation of the MXM."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from arch.config import Config
from arch.errors import TaktError
from compiler.ir.tensor import Tensor, View, as_view
from compiler.ir.vector import Operand, Pass, Result, check_lengths, identity, words_of
from compiler.ir.work import Work


@dataclass(frozen=True, eq=False)
class MatMul:
    """``y = epilogue(x @ w)``.

    Attributes
    ----------
    config : Config
    x : Tensor or View
        Activations, int8 or float16, shape (M, K), lanes along K.
    w : Tensor or View
        Weights, of the same format, shape (K, N), lanes along K.
    sums : Tensor
        The product, shape (M, N): int32, or float32 of a float16 product.
    epilogue : Pass or None
        What the VXM makes of the sums on their way to MEM; it reads `sums`, and its steps are theirs.
    planes : int
        Most planes to use.
    ways : int
        Most groups of `lanes` streams over which weights come at a time.
    computed : bool
        Whether the weights are a result, whose vectors are its own; else the host writes them.
    """

    config: Config
    x: Tensor | View
    w: Tensor | View
    sums: Tensor
    epilogue: Pass | None
    planes: int
    ways: int = 2
    computed: bool = False

    as_pass = None
    makes_weights = True

    @property
    def name(self) -> str:
        """Name in messages: the result's."""
        return self.y.name

    @property
    def y(self) -> Tensor:
        """The result."""
        return self.sums if self.epilogue is None else self.epilogue.results[0].tensor

    @property
    def sum_port(self) -> int:
        """The port of the epilogue's graph that takes the sums; -1 if it takes none."""
        assert self.epilogue is not None
        ports = [port for port, operand in enumerate(self.epilogue.operands) if operand.tensor is self.sums]
        return ports[0] if ports else -1

    def apart(self) -> "tuple[MatMul, Pass]":
        """Return the product, and the epilogue as a pass over the sums in MEM."""
        assert self.epilogue is not None
        return replace(self, epilogue=None), self.epilogue

    def reads(self) -> Iterator[Tensor]:
        """Yield the tensors that are read; the sums never are."""
        yield as_view(self.x).tensor
        yield as_view(self.w).tensor
        if self.epilogue is not None:
            yield from (tensor for tensor in self.epilogue.reads() if tensor is not self.sums)

    def writes(self) -> Iterator[Tensor]:
        """Yield the tensor that is made."""
        yield self.y

    def words(self) -> Iterator[tuple[Tensor, int]]:
        """Yield the tensors that are read or made, and the words that they fill at least."""
        # Views may have a vector many times, and parts of others: of a whole tensor every vector is stored.
        if isinstance(self.x, Tensor):
            yield self.x, self.k_blocks * self.m * self.x.itemsize
        yield as_view(self.x).tensor, 0
        yield self.y, self.n_blocks * self.m * self.y.itemsize
        if self.epilogue is not None:
            yield from words_of([one for one in self.epilogue.operands if one.tensor is not self.sums], [])
        columns = self.config.lanes * sum(self.load_steps(block) for block in range(self.n_blocks))
        yield as_view(self.w).tensor, 0 if self.computed else self.k_blocks * columns * self.w.itemsize

    def check_superlanes(self, superlanes: int, limited: bool) -> None:
        """Check that the product can do with some superlanes: see `Operation`."""
        # Values that are not defined, times zero, may be NaN; and results have no zeros in lanes that are off.
        if limited and self.is_fp16:
            raise TaktError(f"x of {self.name} must be int8 in a program that switches superlanes off, not float16")
        if limited and self.computed:
            raise TaktError(
                f"w of {self.name} must be a constant or an input in a program that switches superlanes off, "
                f"not {self.w.name!r}"
            )
        check_lengths(self.name, {"inner dimension": self.k, "columns": self.n}, self.config, superlanes)

    def finished_by(self, change: Callable[[Pass], Pass]) -> "MatMul":
        """Return the product with a change of its epilogue; of what has none, of one that leaves sums as they are."""
        sums, epilogue = self.sums, self.epilogue
        if epilogue is None:
            sums = replace(self.sums, name=f"{self.sums.name}.sums")
            steps = np.arange(self.n_blocks * self.m)
            epilogue = identity(self.config, self.sums.name, Operand(sums, None, steps), Result(self.sums, steps))
        changed = change(epilogue)
        return self if changed is epilogue else replace(self, sums=sums, epilogue=changed)

    @property
    def m(self) -> int:
        """Rows of activations."""
        return self.x.shape[0]

    @property
    def k(self) -> int:
        """Length of the sums."""
        return self.x.shape[1]

    @property
    def n(self) -> int:
        """Columns of weights."""
        return self.w.shape[1]

    @cached_property
    def k_blocks(self) -> int:
        """Vectors that a row of activations fills."""
        return -(-self.k // self.config.vector_length)

    @cached_property
    def n_blocks(self) -> int:
        """Vectors that a row of results fills."""
        return -(-self.n // self.config.vector_length)

    @property
    def is_fp16(self) -> bool:
        """Whether planes work in pairs: a float16 product."""
        return self.x.dtype == "float16"

    @property
    def array(self) -> int:
        """Planes that make one array: a weight has a byte in each."""
        return 2 if self.is_fp16 else 1

    @property
    def interval(self) -> int:
        """Cycles from one row of activations to the next."""
        return 2 if self.is_fp16 else 1

    @property
    def work(self) -> Work:
        """Work of units that it takes at least; weights are read and loaded once, and the activations of every row."""
        epilogue = self.epilogue
        return Work(
            macs=self.m * self.k * self.n,
            rows=self.m * self.k_blocks * self.n_blocks * self.array * self.array,
            loads=self.array * self.k_blocks * -(-self.n // self.config.lanes),
            operations=0 if epilogue is None else epilogue.work.operations,
            words=self.x.itemsize * (self.k_blocks * self.n + self.m * self.k_blocks),
        )

    def load_steps(self, n_block: int) -> int:
        """Return the column blocks of a weight tile that hold columns of the matrix."""
        columns = min(self.config.vector_length, self.n - n_block * self.config.vector_length)
        return -(-columns // self.config.lanes)
