"""Formats that the machine lacks, and what the host hands over in their place."""

from typing import Any

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError

AT_THE_EDGE = {
    "bool": "int8",
    "uint8": "int16",
    "uint16": "int32",
    "uint32": "int32",
    "int64": "int32",
    "uint64": "int32",
}
"""Formats that the machine lacks, and those in which the host hands their values over: False and True are 0 and 1, and
integers are what they are, as far as the format has them."""


def at_the_edge(name: str, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return values in the format that stands for theirs: see `AT_THE_EDGE`; of other formats, as they are.

    Raises
    ------
    TaktError
        For one that the format does not have.
    """
    target = AT_THE_EDGE.get(str(values.dtype))
    if target is None:
        return values
    limits = np.iinfo(target)
    if values.size and values.dtype != np.bool_ and not limits.min <= values.min() <= values.max() <= limits.max:
        wrong = values.max() if values.max() > limits.max else values.min()
        raise TaktError(f"{name} must have {values.dtype} values that fit {target}, not {wrong}")
    return values.astype(target)
