"""The operation that programs are made of."""

from dataclasses import dataclass
from functools import cached_property

from arch.config import Config
from compiler.tensor import Tensor, View


@dataclass(frozen=True, eq=False)
class MatMul:
    """``y = requantise(relu(x @ w + bias))``, each part but the product optional.

    Attributes
    ----------
    config : Config
    x : Tensor or View
        Activations, int8 or float16, shape (M, K), lanes along K.
    w : Tensor or View
        Weights, of the same format, shape (K, N), lanes along K.
    y : Tensor
        Result, shape (M, N): int8 with a scale, int32 without; float32 of a float16 product.
    bias : Tensor or None
        int32, shape (N,).
    scale : Tensor or None
        float32, shape (N,).
    zero_point : Tensor or None
        int32, shape (N,); None for 0.
    relu : bool
    planes : int
        Most planes to use.
    computed : bool
        Whether the weights are a result, whose vectors are its own; else the host writes them.
    """

    config: Config
    x: Tensor | View
    w: Tensor | View
    y: Tensor
    bias: Tensor | None
    scale: Tensor | None
    zero_point: Tensor | None
    relu: bool
    planes: int
    computed: bool = False

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

    @property
    def constants(self) -> tuple[tuple[str, Tensor], ...]:
        """Vectors that the VXM needs, by name."""
        named = (("bias", self.bias), ("scale", self.scale), ("zero_point", self.zero_point))
        return tuple((name, tensor) for name, tensor in named if tensor is not None)

    def load_steps(self, n_block: int) -> int:
        """Return the column blocks of a weight tile that hold columns of the matrix."""
        columns = min(self.config.vector_length, self.n - n_block * self.config.vector_length)
        return -(-columns // self.config.lanes)
