"""The NumPy definition of every kernel, called as the kernel is."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from golden.reference.activations import ACTIVATIONS
from golden.reference.attention import run_attention
from golden.reference.conv2d import conv2d_fp16, conv2d_int8
from golden.reference.elementwise import elementwise
from golden.reference.fp32 import Floats
from golden.reference.gemm import gemm
from golden.reference.movement import embedding, transpose
from golden.reference.normalisation import layernorm, rmsnorm
from golden.reference.pooling import avgpool, maxpool
from golden.reference.recurrent import run_gru, run_lstm
from golden.reference.rope import rope
from golden.reference.softmax import softmax
from golden.reference.windows import Window
from runtime.run import Tensors

__all__ = ["define"]

Parameters = Mapping[str, int | float]
Definition = Callable[[Config, Tensors, Parameters], dict[str, npt.NDArray[Any]]]


def define(name: str, config: Config, arrays: Tensors, parameters: Parameters) -> dict[str, npt.NDArray[Any]]:
    """Return a kernel's results, by name, from its definition in `golden.reference`."""
    return _DEFINITIONS[name](config, arrays, parameters)


def _window(parameters: Parameters) -> Window:
    height, width, stride, padding = (int(parameters[name]) for name in ("height", "width", "stride", "padding"))
    return Window(sizes=(height, width), strides=stride, padding=padding)


def _activation(function: Callable[[Floats], Floats]) -> Definition:
    return lambda config, arrays, parameters: {"y": function(arrays["x"])}


def _conv2d(config: Config, arrays: Tensors, parameters: Parameters) -> dict[str, npt.NDArray[Any]]:
    stride, padding = int(parameters["stride"]), int(parameters["padding"])
    if arrays["x"].dtype == np.int8:
        return {"y": conv2d_int8(arrays["x"], arrays["w"], stride, padding)}
    return {"y": conv2d_fp16(arrays["x"], arrays["w"], config.vector_length, stride, padding)}


def _gemm(config: Config, arrays: Tensors, parameters: Parameters) -> dict[str, npt.NDArray[Any]]:
    return {"y": gemm(**arrays, vector_length=config.vector_length, activation=int(parameters["activation"]))}


def _lstm(config: Config, arrays: Tensors, parameters: Parameters) -> dict[str, npt.NDArray[Any]]:
    y, c = run_lstm(**arrays, vector_length=config.vector_length)
    return {"y": y, "c": c}


def _attention(config: Config, arrays: Tensors, parameters: Parameters) -> dict[str, npt.NDArray[Any]]:
    return {"y": run_attention(**arrays, vector_length=config.vector_length, length=int(parameters["length"]))}


def _transpose(config: Config, arrays: Tensors, parameters: Parameters) -> dict[str, npt.NDArray[Any]]:
    code = int(parameters["axes"])
    return {"y": transpose(arrays["x"], tuple(int(digit) - 1 for digit in str(code)) if code else None)}


_DEFINITIONS: dict[str, Definition] = {
    "elementwise": lambda config, arrays, parameters: {"y": elementwise(**arrays)},
    **{name: _activation(function) for name, function in ACTIVATIONS.items()},
    "softmax": lambda config, arrays, parameters: {"y": softmax(arrays["x"])},
    "layernorm": lambda config, arrays, parameters: {
        "y": layernorm(arrays["x"], arrays["gamma"], arrays["beta"], parameters["epsilon"])
    },
    "rmsnorm": lambda config, arrays, parameters: {"y": rmsnorm(arrays["x"], arrays["gamma"], parameters["epsilon"])},
    "maxpool": lambda config, arrays, parameters: {"y": maxpool(arrays["x"], _window(parameters))},
    "avgpool": lambda config, arrays, parameters: {"y": avgpool(arrays["x"], _window(parameters))},
    "gemm": _gemm,
    "conv2d": _conv2d,
    "lstm": _lstm,
    "gru": lambda config, arrays, parameters: {"y": run_gru(**arrays, vector_length=config.vector_length)},
    "attention": _attention,
    "transpose": _transpose,
    "embedding": lambda config, arrays, parameters: {"y": embedding(**arrays)},
    "rope": lambda config, arrays, parameters: {"y": rope(**arrays)},
}
