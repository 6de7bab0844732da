"""What every test says of results: each bit is right."""

from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.comparison import difference

__all__ = ["same_bits"]


def same_bits(found: npt.NDArray[Any], expected: npt.ArrayLike, name: str = "result") -> None:
    """Fail unless format, shape and every bit are as expected, saying which are not.

    A list stands for an array of the format of `found`.
    """
    wanted = expected if isinstance(expected, np.ndarray | np.generic) else np.asarray(expected, found.dtype)
    text = difference(found, np.asarray(wanted), name)
    if text:
        raise AssertionError(text)
