"""The operation of the MXM."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from arch.config import Config
from compiler.ir.tensor import Tensor, View, as_view
from compiler.ir.vector import Pass


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
    def tandem(self) -> bool:
        """Whether planes work in pairs: a float16 product."""
        return self.x.dtype == "float16"

    @property
    def array(self) -> int:
        """Planes that make one array: a weight has a byte in each."""
        return 2 if self.tandem else 1

    @property
    def interval(self) -> int:
        """Cycles from one row of activations to the next."""
        return 2 if self.tandem else 1

    @property
    def macs(self) -> int:
        """Multiply-accumulates that the result needs."""
        return self.m * self.k * self.n

    def load_steps(self, n_block: int) -> int:
        """Return the column blocks of a weight tile that hold columns of the matrix."""
        columns = min(self.config.vector_length, self.n - n_block * self.config.vector_length)
        return -(-columns // self.config.lanes)


Operation = MatMul | Pass
"""What a unit is told to do."""


def results_of(op: MatMul | Pass) -> tuple[Tensor, ...]:
    """Return the tensors that an operation makes."""
    return (op.y,) if isinstance(op, MatMul) else tuple(op.writes())
