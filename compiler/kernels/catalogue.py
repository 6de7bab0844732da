"""Every kernel, by name."""

from arch.errors import TaktError
from compiler.kernels.activations import KERNELS as ACTIVATIONS
from compiler.kernels.attention_kernel import ATTENTION
from compiler.kernels.conv2d import CONV2D
from compiler.kernels.elementwise import ELEMENTWISE
from compiler.kernels.gemm import GEMM
from compiler.kernels.kernel import Kernel
from compiler.kernels.movement import EMBEDDING, TRANSPOSE
from compiler.kernels.normalisation import LAYERNORM, RMSNORM
from compiler.kernels.pooling import AVGPOOL, MAXPOOL
from compiler.kernels.recurrent_kernels import GRU, LSTM
from compiler.kernels.rope import ROPE
from compiler.kernels.softmax import SOFTMAX

KERNELS: dict[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        ELEMENTWISE,
        *ACTIVATIONS,
        SOFTMAX,
        LAYERNORM,
        RMSNORM,
        MAXPOOL,
        AVGPOOL,
        ROPE,
        GEMM,
        CONV2D,
        LSTM,
        GRU,
        ATTENTION,
        TRANSPOSE,
        EMBEDDING,
    )
}
"""In the order of the list that `takt kernel` prints."""


def find_kernel(name: str) -> Kernel:
    """Return a kernel.

    Raises
    ------
    TaktError
        When there is none of this name.
    """
    if name not in KERNELS:
        raise TaktError(f"kernel must be one of {', '.join(KERNELS)}, not {name!r}")
    return KERNELS[name]
