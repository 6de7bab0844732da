"""Tensors and operations of a program: what every family of operations adds to."""

from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from arch.formats import DType
from compiler.expression.expr import FORMATS
from compiler.operation import MatMul
from compiler.tensor import Tensor, View, as_view, layout_axis
from compiler.vector.map_pass import Scope
from compiler.vector.operation import Pass

Array = npt.NDArray[Any]
Operand = Tensor | View | Array


class Workspace:
    """Tensors of a program, by name, and its operations, in order.

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
        self._operations: list[MatMul | Pass] = []
        self._outputs: dict[str, View] = {}
        self._updates: dict[Tensor, Pass | None] = {}
        self._scattered: set[int] = set()
        self._stored: set[int] = set()
        self._barriers: set[int] = set()
        self._stretches: list[tuple[int, int]] = []
        self._scalars: dict[tuple[DType, int], Tensor] = {}
        self._scope = Scope(config, self._is_stored, self._scalar, self.constant)

    @property
    def config(self) -> Config:
        """The machine."""
        return self._config

    @property
    def operations(self) -> tuple[MatMul | Pass, ...]:
        """What the program does, in order."""
        return tuple(self._operations)

    def input(self, name: str, shape: tuple[int, ...], dtype: str = "int8", layout: str | int = "rows") -> Tensor:
        """Declare a tensor that the host writes before each run.

        One that no operation reads is an input all the same: a run accepts it and does not need it.

        Parameters
        ----------
        name : str
        shape : tuple of int
        dtype : str
            ``int8``, ``int16``, ``int32``, ``float16`` or ``float32``.
        layout : str or int
            Lane axis of operations on inputs and constants only; beside a result they take that one's.

        Raises
        ------
        TaktError
            For a name in use, a dtype that the machine does not have, an empty or negative shape, or a layout that
            does not fit it.
        """
        sizes = tuple(int(size) for size in shape)
        return self._add(Tensor(name, sizes, str(dtype), None, layout_axis(layout, len(sizes))))

    def constant(self, name: str, values: Array, layout: str | int = "rows") -> Tensor:
        """Declare a tensor that belongs to the program.

        Raises
        ------
        TaktError
            As `input`.
        """
        data = np.ascontiguousarray(values)
        return self._add(Tensor(name, data.shape, str(data.dtype), data, layout_axis(layout, data.ndim)))

    def _add(self, tensor: Tensor) -> Tensor:
        if tensor.name in self._tensors:
            raise TaktError(f"tensor name must be new, not {tensor.name!r}")
        if tensor.dtype not in FORMATS:
            raise TaktError(f"dtype of {tensor.name} must be one of {', '.join(FORMATS)}, not {tensor.dtype!r}")
        if not tensor.shape or any(size < 1 for size in tensor.shape):
            raise TaktError(f"shape of {tensor.name} must have sizes of at least 1, not {tensor.shape!r}")
        self._tensors[tensor.name] = tensor
        return tensor

    def _append(self, op: Pass) -> tuple[Tensor, ...]:
        self._operations.append(op)
        results = tuple(op.writes())
        self._stored |= {id(tensor) for tensor in results}
        return results

    def _fresh(self, kind: str) -> str:
        return f"{kind}{len(self._operations)}"

    def _is_stored(self, tensor: Tensor) -> bool:
        return id(tensor) in self._stored

    def _scalar(self, dtype: DType, value: int) -> Tensor:
        """Return the constant of one element with these bits."""
        key = dtype, value
        if key not in self._scalars:
            bits = np.array([value], np.uint32).view(np.uint8)[: dtype.size]
            data = bits.view(dtype.numpy).reshape(1)
            self._scalars[key] = self.constant(f"{dtype.numpy.name} {value:#x}", data)
        return self._scalars[key]

    def _view(self, value: Operand) -> View:
        if isinstance(value, Tensor | View):
            view = as_view(value)
            self._check_known(view.tensor)
            return view
        return self.constant(f"constant{len(self._tensors)}", np.asarray(value)).view()

    def _check_known(self, tensor: Tensor) -> None:
        if tensor is not self._tensors.get(tensor.name) and not self._is_stored(tensor):
            raise TaktError(f"tensor must belong to this program, not {tensor.name!r}")
