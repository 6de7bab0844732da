"""The NumPy definition of every kernel, called as the kernel is."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy.typing as npt

from arch.config import Config

__all__ = ["define"]

Arrays = Mapping[str, npt.NDArray[Any]]
Parameters = Mapping[str, int | float]
Definition = Callable[[Config, Arrays, Parameters], dict[str, npt.NDArray[Any]]]


def define(name: str, config: Config, arrays: Arrays, parameters: Parameters) -> dict[str, npt.NDArray[Any]]:
    """Return a kernel's results, by name, from its definition in `golden.reference`."""
    return _DEFINITIONS[name](config, arrays, parameters)


_DEFINITIONS: dict[str, Definition] = {}
