"""Max and average pooling of images: lanes are channels, a window is a run of steps."""

from collections.abc import Mapping

import numpy as np

from arch.config import Config
from arch.errors import TaktError
from compiler.expression.functions import cast
from compiler.kernels.activations import FLOATS
from compiler.kernels.bounds import stream_bound, vectors
from compiler.kernels.kernel import Argument, Arrays, Bound, Kernel, Parameter, Parameters
from compiler.program import Program
from compiler.tensor import View, as_view, join

LARGEST = 1 << 15
"""Of a window's parameters."""

WINDOW = (
    Parameter(name="height", default=2, least=1, most=LARGEST, doc="rows of the window"),
    Parameter(name="width", default=2, least=1, most=LARGEST, doc="columns of the window"),
    Parameter(name="stride", default=2, least=1, most=LARGEST, doc="step of the window, both ways"),
    Parameter(name="padding", default=0, least=0, most=LARGEST, doc="rows and columns around the image"),
)

_ELEMENTS = 1 << 26
"""Elements of a padded image, or of all its windows, that are worked out one by one."""


def places(shape: tuple[int, ...], parameters: Parameters, height: int, width: int) -> tuple[int, int]:
    """Return the rows and columns of windows of `height` x `width` in an image of `shape`.

    Raises
    ------
    TaktError
        For a window larger than the padded image.
    """
    stride, padding = int(parameters["stride"]), int(parameters["padding"])
    found = []
    for name, size, mine in (("height", shape[0], height), ("width", shape[1], width)):
        left = size + 2 * padding - mine
        if left < 0:
            raise TaktError(f"window's {name} must be at most {size + 2 * padding}, not {mine}")
        found.append(left // stride + 1)
    return found[0], found[1]


def check_windows(
    config: Config, shape: tuple[int, ...], parameters: Parameters, height: int, width: int, bytes_each: int
) -> None:
    """Refuse windows that do not fit an image, or make more than the machine could hold.

    Parameters
    ----------
    config, shape, parameters, height, width
        As of `places`.
    bytes_each : int
        Of the result, per window.

    Raises
    ------
    TaktError
        Saying by how much it is too large.
    """
    rows, columns = places(shape, parameters, height, width)
    padding, channels = int(parameters["padding"]), shape[2]
    padded = (shape[0] + 2 * padding) * (shape[1] + 2 * padding) * channels
    elements = max(padded, rows * columns * height * width * channels)
    if elements > _ELEMENTS:
        raise TaktError(f"padded image and its windows must have at most {_ELEMENTS} elements, not {elements}")
    size = rows * columns * bytes_each
    if size > config.mem_bytes:
        raise TaktError(f"result must fit the MEM of {config.name}, {config.mem_bytes} bytes, not need {size}")


def _size(parameters: Parameters) -> tuple[int, int]:
    return int(parameters["height"]), int(parameters["width"])


def _maxpool(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    shape, dtype = arrays["x"].shape, arrays["x"].dtype.name
    size = _size(parameters)
    counts = places(shape, parameters, *size)
    stride, padding = int(parameters["stride"]), int(parameters["padding"])
    x = program.input("x", shape, dtype)
    # Beyond the edge the window sees the edge again, which changes no maximum.
    rows, columns = (
        np.clip(np.arange(mine)[:, None] + stride * np.arange(count) - padding, 0, limit - 1)
        for mine, count, limit in zip(size, counts, shape[:2], strict=True)
    )
    window = x.view()[rows[:, None, :, None], columns[None, :, None, :]]
    return {"y": as_view(program.reduce(window, "max", (0, 1), finish=lambda value: cast(value, dtype)))}


def _avgpool(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    shape, dtype = arrays["x"].shape, arrays["x"].dtype.name
    height, width = _size(parameters)
    rows, columns = places(shape, parameters, height, width)
    stride, padding = int(parameters["stride"]), int(parameters["padding"])
    x = program.input("x", shape, dtype).pad(((padding, padding), (padding, padding), (0, 0)))
    parts = [
        x[i : i + stride * (rows - 1) + 1 : stride, j : j + stride * (columns - 1) + 1 : stride].reshape(
            1, rows, columns, shape[2]
        )
        for i in range(height)
        for j in range(width)
    ]
    share = 1 / len(parts)
    return {
        "y": as_view(
            program.reduce(join(parts), "add", 0, finish=lambda total: cast(total * share, dtype), in_turn=True)
        )
    }


def _check(config: Config, arrays: Arrays, parameters: Parameters) -> None:
    x = arrays["x"]
    check_windows(config, x.shape, parameters, *_size(parameters), bytes_each=x.shape[2] * x.itemsize)


def _check_max(config: Config, arrays: Arrays, parameters: Parameters) -> None:
    padding, window = int(parameters["padding"]), min(_size(parameters))
    if padding >= window:
        raise TaktError(f"padding must be less than the window, {window}, not {padding}")
    _check(config, arrays, parameters)


def _bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
    shape = arrays["x"].shape
    size = _size(parameters)
    rows, columns = places(shape, parameters, *size)
    return stream_bound(config, vectors(config, shape[2], rows, columns, *size), 1)


MAXPOOL = Kernel(
    name="maxpool",
    doc="largest element of every window of every channel",
    arguments=(Argument(name="x", dtypes=("int8", *FLOATS), shape="h, w, c", doc="image"),),
    parameters=WINDOW,
    results=("y",),
    build=_maxpool,
    bound=_bound,
    rule=_check_max,
)

AVGPOOL = Kernel(
    name="avgpool",
    doc="mean of every window of every channel; padding counts as zeros",
    arguments=(Argument(name="x", dtypes=FLOATS, shape="h, w, c", doc="image"),),
    parameters=WINDOW,
    results=("y",),
    build=_avgpool,
    bound=_bound,
    rule=_check,
)
