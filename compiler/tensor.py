"""What a kernel author holds in hands."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of a program: an input, a constant or a result.

    Attributes
    ----------
    name : str
    shape : tuple of int
    dtype : str
        ``int8``, ``int32`` or ``float32``.
    data : ndarray or None
        Values of a constant.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    data: npt.NDArray[Any] | None = None

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return np.dtype(self.dtype).itemsize
