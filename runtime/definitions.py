"""The NumPy definition of every kernel, called as the kernel is."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy.typing as npt

from arch.config import Config
from golden.reference.activations import ACTIVATIONS
from golden.reference.elementwise import elementwise
from golden.reference.fp32 import Floats
from golden.reference.normalisation import layernorm, rmsnorm
from golden.reference.pooling import avgpool, maxpool
from golden.reference.rope import rope
from golden.reference.softmax import softmax
from golden.reference.windows import Window

__all__ = ["define"]

Arrays = Mapping[str, npt.NDArray[Any]]
Parameters = Mapping[str, int | float]
Definition = Callable[[Config, Arrays, Parameters], dict[str, npt.NDArray[Any]]]


def define(name: str, config: Config, arrays: Arrays, parameters: Parameters) -> dict[str, npt.NDArray[Any]]:
    """Return a kernel's results, by name, from its definition in `golden.reference`."""
    return _DEFINITIONS[name](config, arrays, parameters)


def _activation(function: Callable[[Floats], Floats]) -> Definition:
    return lambda config, arrays, parameters: {"y": function(arrays["x"])}


_DEFINITIONS: dict[str, Definition] = {
    "elementwise": lambda config, arrays, parameters: {"y": elementwise(**arrays)},
    **{name: _activation(function) for name, function in ACTIVATIONS.items()},
    "softmax": lambda config, arrays, parameters: {"y": softmax(arrays["x"])},
    "layernorm": lambda config, arrays, parameters: {"y": layernorm(**arrays, **parameters)},
    "rmsnorm": lambda config, arrays, parameters: {"y": rmsnorm(**arrays, **parameters)},
    "maxpool": lambda config, arrays, parameters: {"y": maxpool(arrays["x"], Window(**parameters))},
    "avgpool": lambda config, arrays, parameters: {"y": avgpool(arrays["x"], Window(**parameters))},
    "rope": lambda config, arrays, parameters: {"y": rope(**arrays)},
}
