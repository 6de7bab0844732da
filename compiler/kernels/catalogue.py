"""Every kernel, by name."""

from arch.errors import TaktError
from compiler.kernels.kernel import Kernel

KERNELS: dict[str, Kernel] = {}
"""In the order of the list that `takt kernel` prints."""


def kernel(name: str) -> Kernel:
    """Return a kernel.

    Raises
    ------
    TaktError
        When there is none of this name.
    """
    if name not in KERNELS:
        raise TaktError(f"kernel must be one of {', '.join(KERNELS)}, not {name!r}")
    return KERNELS[name]
