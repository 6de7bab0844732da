"""Every kernel, by name."""

from arch.errors import TaktError
from compiler.library.activations import KERNELS as ACTIVATIONS
from compiler.library.attention_kernel import ATTENTION
from compiler.library.conv2d import CONV2D
from compiler.library.elementwise import ELEMENTWISE
from compiler.library.gemm import GEMM
from compiler.library.kernel import Kernel
from compiler.library.movement import EMBEDDING, TRANSPOSE
from compiler.library.normalisation import LAYERNORM, RMSNORM
from compiler.library.pooling import AVGPOOL, MAXPOOL
from compiler.library.recurrent_kernels import GRU, LSTM
from compiler.library.rope import ROPE
from compiler.library.softmax import SOFTMAX

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
