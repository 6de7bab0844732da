"""The Python interface of kernel authors."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from arch.image import Image
from compiler.compilation import compile_program
from compiler.operation import MatMul
from compiler.tensor import Tensor

Array = npt.NDArray[Any]
_DTYPES = ("int8", "int32", "float32")


class Program:
    """Tensors and operations, to be compiled for one machine.

    Examples
    --------
    >>> from arch.presets import preset
    >>> program = Program(preset("small"), name="layer")
    >>> x = program.input("x", (300, 64), "int8")
    >>> w = program.constant("w", weights)                       # int8, (64, 32)
    >>> y = program.matmul(x, w, bias=bias, scale=0.01, relu=True)
    >>> program.output("y", y)
    >>> image = program.compile()

    Parameters
    ----------
    config : Config
    name : str
        What the program is, for reports.
    """

    def __init__(self, config: Config, name: str = "program") -> None:
        self._config = config
        self._name = name
        self._tensors: dict[str, Tensor] = {}
        self._operations: list[MatMul] = []
        self._outputs: dict[str, Tensor] = {}

    def input(self, name: str, shape: tuple[int, ...], dtype: str = "int8") -> Tensor:
        """Declare a tensor that the host writes before each run.

        Parameters
        ----------
        name : str
        shape : tuple of int
        dtype : str
            ``int8``, ``int32`` or ``float32``.

        Raises
        ------
        TaktError
            For a name in use, a dtype that is not built, or an empty or negative shape.
        """
        return self._add(Tensor(name, tuple(int(size) for size in shape), str(dtype)))

    def constant(self, name: str, values: Array) -> Tensor:
        """Declare a tensor that belongs to the program.

        Raises
        ------
        TaktError
            As `input`.
        """
        data = np.ascontiguousarray(values)
        return self._add(Tensor(name, data.shape, str(data.dtype), data))

    def matmul(
        self,
        x: Tensor,
        w: Tensor | Array,
        *,
        bias: Tensor | Array | None = None,
        scale: Tensor | Array | float | None = None,
        zero_point: int = 0,
        relu: bool = False,
        planes: int | None = None,
    ) -> Tensor:
        """Return ``x @ w``, int32, or requantised to int8.

        With a `scale` the result is ``saturate(round_half_even(float32(x @ w + bias) * scale) + zero_point)``, fp32
        arithmetic, as in ONNX QLinearMatMul; sums wrap at 32 bits.

        Parameters
        ----------
        x : Tensor
            int8, shape (M, K): an input or an int8 result.
        w : Tensor or ndarray
            int8, shape (K, N): a constant or an input.
        bias : Tensor or ndarray, optional
            int32, shape (N,).
        scale : Tensor, ndarray or float, optional
            float32, shape (N,) or one for all columns; positive and finite.
        zero_point : int
            -128 to 127, with a scale only.
        relu : bool
            Replace negative values (before the zero point is added) by 0.
        planes : int, optional
            Most planes to use; as many as pay by default.

        Raises
        ------
        TaktError
            For dtypes, ranks or sizes that do not fit together.
        """
        index = len(self._operations)
        weights = self._operand(w, f"w{index}")
        for operand, tensor in (("x", x), ("w", weights)):
            if tensor.dtype != "int8" or len(tensor.shape) != 2:
                raise TaktError(f"{operand} must be an int8 matrix, not {_describe(tensor)}")
        self._check_known(x)
        if any(weights is op.y for op in self._operations):
            raise TaktError(f"w must be a constant or an input, not the result {weights.name!r}")
        if x.data is not None:
            raise TaktError(f"x must be an input or a result, not the constant {x.name!r}")
        if x.shape[1] != weights.shape[0]:
            raise TaktError(f"inner dimensions must be equal, not {x.shape[1]} and {weights.shape[0]}")
        limit = self._config.planes
        if planes is not None and not 1 <= planes <= limit:
            raise TaktError(f"planes must be 1 to {limit}, not {planes!r}")
        if not isinstance(zero_point, int | np.integer) or not -128 <= zero_point <= 127:
            raise TaktError(f"zero_point must be -128 to 127, not {zero_point!r}")
        if zero_point and scale is None:
            raise TaktError(f"zero_point must be 0 without a scale, not {zero_point!r}")
        n = weights.shape[1]
        zeros = np.full(n, zero_point, np.int32) if zero_point else None
        op = MatMul(
            self._config,
            x,
            weights,
            Tensor(f"y{index}", (x.shape[0], n), "int32" if scale is None else "int8"),
            self._vector(bias, f"bias{index}", n, "int32"),
            self._scale(scale, f"scale{index}", n),
            None if zeros is None else self.constant(f"zero_point{index}", zeros),
            bool(relu),
            limit if planes is None else planes,
        )
        self._operations.append(op)
        return op.y

    def output(self, name: str, tensor: Tensor) -> None:
        """Let the host read a result after each run, as `name`.

        Raises
        ------
        TaktError
            For a name in use, or a tensor that no operation made.
        """
        if not any(op.y is tensor for op in self._operations):
            raise TaktError(f"output must be a result of this program, not {tensor.name!r}")
        if name in self._outputs:
            raise TaktError(f"output name must be new, not {name!r}")
        self._outputs[name] = tensor

    def compile(self) -> Image:
        """Return the verified image, with its predicted cycles.

        Raises
        ------
        TaktError
            When there is no output, or the program exceeds MEM (saying by how much) or a queue.
        """
        if not self._outputs:
            raise TaktError("program must have an output, not none")
        return compile_program(self._config, self._name, self._operations, list(self._tensors.values()), self._outputs)

    def _add(self, tensor: Tensor) -> Tensor:
        if tensor.name in self._tensors:
            raise TaktError(f"tensor name must be new, not {tensor.name!r}")
        if tensor.dtype not in _DTYPES:
            raise TaktError(f"dtype of {tensor.name} must be one of {', '.join(_DTYPES)}, not {tensor.dtype!r}")
        if not tensor.shape or any(size < 1 for size in tensor.shape):
            raise TaktError(f"shape of {tensor.name} must have sizes of at least 1, not {tensor.shape!r}")
        self._tensors[tensor.name] = tensor
        return tensor

    def _check_known(self, tensor: Tensor) -> None:
        if tensor is not self._tensors.get(tensor.name) and not any(tensor is op.y for op in self._operations):
            raise TaktError(f"tensor must belong to this program, not {tensor.name!r}")

    def _operand(self, value: Tensor | Array, name: str) -> Tensor:
        if isinstance(value, Tensor):
            self._check_known(value)
            return value
        return self.constant(name, np.asarray(value))

    def _vector(self, value: Tensor | Array | None, name: str, n: int, dtype: str) -> Tensor | None:
        if value is None:
            return None
        tensor = self._operand(value, name)
        if tensor.dtype != dtype or tensor.shape != (n,):
            raise TaktError(f"{name.rstrip('0123456789')} must be {dtype} of shape ({n},), not {_describe(tensor)}")
        if any(tensor is op.y for op in self._operations):
            raise TaktError(f"{name.rstrip('0123456789')} must be a constant or an input, not a result")
        return tensor

    def _scale(self, value: Tensor | Array | float | None, name: str, n: int) -> Tensor | None:
        if value is None or isinstance(value, Tensor):
            return self._vector(value, name, n, "float32")
        values = np.asarray(value)
        if values.dtype.kind not in "fiu":
            raise TaktError(f"scale must be float32, not {values.dtype}")
        if values.ndim and values.dtype != np.float32:
            raise TaktError(f"scale must be float32 of shape ({n},), not {values.dtype} of shape {values.shape}")
        spread = np.broadcast_to(values.astype(np.float32), (n,)) if values.ndim == 0 else values
        if not (np.isfinite(spread) & (spread > 0)).all():
            bad = next(float(item) for item in spread.reshape(-1) if not (math.isfinite(item) and item > 0))
            raise TaktError(f"scale must be positive and finite, not {bad!r}")
        return self._vector(np.ascontiguousarray(spread), name, n, "float32")


def _describe(tensor: Tensor) -> str:
    return f"{tensor.dtype} of shape {tensor.shape}"
