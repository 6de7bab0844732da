"""The Python interface of kernel authors."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from arch.formats import DType
from arch.image import Image
from compiler.compilation import compile_program
from compiler.expression.expr import FORMATS
from compiler.operation import MatMul
from compiler.switch.interface import Switching
from compiler.tensor import Tensor, View, as_view, layout_axis
from compiler.vector.map_pass import Function, Scope, map_pass
from compiler.vector.operation import Pass
from compiler.vector.reduce_pass import reduce_passes
from compiler.vector.update_pass import copy_pass, update_pass

Array = npt.NDArray[Any]
Operand = Tensor | View | Array


class Program(Switching):
    """Tensors and operations, to be compiled for one machine.

    A tensor lives in MEM in *vectors* of `vector_length` lanes along one of its axes, the lane axis (`layout`: ``rows``
    for the last one, ``columns`` for the one before it, or its number); the other axes are steps of time. Lanes never
    meet in `map` and `reduce`: reductions run over time. Wherever an operation takes a tensor it takes a view of one
    too (``x[1:]``, ``x.reshape(...)``, ``x.transpose(...)``, ``x.pad(...)``): of results in whole vectors, of inputs
    and constants in any way. Lanes beyond the end of the lane axis hold what the operation makes of zeros there.

    Examples
    --------
    >>> from arch.presets import preset
    >>> from compiler.expression.functions import cast, relu
    >>> program = Program(preset("small"), name="layer")
    >>> x = program.input("x", (300, 64), "int8")
    >>> w = program.constant("w", weights)                       # int8, (64, 32)
    >>> y = program.matmul(x, w, bias=bias, scale=0.01, relu=True)
    >>> z = program.map(lambda a, b: relu(cast(a, "int32") + b), y, offsets)    # int32, (32,): broadcast
    >>> largest = program.reduce(z, "max", axis=0)               # int32, (32,)
    >>> program.output("largest", largest)
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
        self._operations: list[MatMul | Pass] = []
        self._outputs: dict[str, View] = {}
        self._updates: dict[Tensor, Pass | None] = {}
        self._stored: set[int] = set()
        self._barriers: set[int] = set()
        self._scalars: dict[tuple[DType, int], Tensor] = {}
        self._scope = Scope(config, self._is_stored, self._scalar, self.constant)

    @property
    def config(self) -> Config:
        """The machine."""
        return self._config

    def input(self, name: str, shape: tuple[int, ...], dtype: str = "int8", layout: str | int = "rows") -> Tensor:
        """Declare a tensor that the host writes before each run.

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

    def state(
        self, name: str, shape: tuple[int, ...], dtype: str, initial: Array | None = None, layout: str | int = "rows"
    ) -> Tensor:
        """Declare a tensor that lives in MEM from run to run.

        Everything in a run reads the value that the last run's `update` gave it.

        Parameters
        ----------
        name : str
        shape : tuple of int
        dtype : str
        initial : ndarray, optional
            Value at the first run after the image is loaded; zeros by default.
        layout : str or int
            Its lane axis.

        Raises
        ------
        TaktError
            As `input`; for an initial value of another shape or dtype.
        """
        sizes = tuple(int(size) for size in shape)
        if str(dtype) not in FORMATS:
            raise TaktError(f"dtype of {name} must be one of {', '.join(FORMATS)}, not {str(dtype)!r}")
        data = np.zeros(sizes, dtype) if initial is None else np.ascontiguousarray(initial)
        if data.shape != sizes or str(data.dtype) != str(dtype):
            raise TaktError(f"initial value of {name} must be {dtype} of shape {sizes}, not {data.dtype} {data.shape}")
        tensor = self._add(Tensor(name, sizes, str(dtype), data, layout_axis(layout, len(sizes))))
        self._stored.add(id(tensor))
        self._updates[tensor] = None
        return tensor

    def update(self, state: Tensor, value: Operand) -> None:
        """Give a state its value for the next run.

        Raises
        ------
        TaktError
            For a tensor that is no state or was updated before, and for a value of another shape, dtype or layout.
        """
        if state not in self._updates:
            raise TaktError(f"update must be of a state of this program, not of {state.name!r}")
        if self._updates[state] is not None:
            raise TaktError(f"state must be updated once, not {state.name!r} again")
        view = self._view(value)
        if view.tensor in self._updates:
            # Every state keeps its value until all have been read.
            view = self._append(copy_pass(self._scope, self._fresh("copy"), view))[0].view()
        self._updates[state] = update_pass(self._scope, state, view)

    def map(
        self,
        function: Function,
        *tensors: Operand,
        dtype: str | None = None,
        layout: str | int | None = None,
    ) -> Any:
        """Return ``function(*tensors)``, element by element, with NumPy's broadcasting.

        Parameters
        ----------
        function : callable
            Takes an expression per tensor and returns one, or a tuple of several; built from Python's operators,
            numbers, and `compiler.expression.functions`.
        *tensors : Tensor, View or ndarray
            Lanes of results stay where they are; inputs and constants (an array becomes one) follow them.
        dtype : str, optional
            Format of the result, to which it is cast; by default the expression's.
        layout : str or int, optional
            Lane axis of the result; needed only where no operand decides it.

        Returns
        -------
        Tensor or tuple of Tensor

        Notes
        -----
        One pass: as many cycles as the result has vectors, and the latency of MEM, mesh and travel. An expression that
        needs more ALUs or MEM slices than there are becomes several, one behind the other where they find room at the
        same time; results are the same. float16 operands
        become float32, in which everything is computed; float16 results are rounded once, at the end.

        Raises
        ------
        TaktError
            For shapes that do not broadcast, formats that do not match, an operation that the machine lacks, a result
            that is not used in whole vectors, or an operation with more operands than MEM has slices for.
        """
        views = [self._view(tensor) for tensor in tensors]
        if not views:
            raise TaktError("map must have a tensor, not none")
        op, several = map_pass(self._scope, self._fresh("map"), function, views, dtype, layout)
        results = self._append(op)
        return results if several else results[0]

    def reduce(
        self,
        tensors: Operand | tuple[Operand, ...],
        operation: str,
        axis: int | tuple[int, ...],
        *,
        function: Function | None = None,
        finish: Function | None = None,
        keepdims: bool = False,
        layout: str | int | None = None,
        in_turn: bool = False,
    ) -> Any:
        """Return ``finish(sum, maximum or minimum of function(*tensors) over axes)``.

        Parameters
        ----------
        tensors : Tensor, View or ndarray, or a tuple of them
            Broadcast to one shape, as in `map`.
        operation : str
            ``add`` (integers: int32, wraps; floats: float32), ``max`` or ``min``.
        axis : int or tuple of int
            Time axes: any but the lane axis.
        function : callable, optional
            From the tensors' expressions to the term; by default the one tensor itself. If it returns a tuple, the
            first is the term, and the others are results too, of the tensors' shape.
        finish : callable, optional
            From the reduction's expression to the result's.
        keepdims : bool
            Keep the axes, with size 1.
        layout : str or int, optional
            As in `map`.
        in_turn : bool
            Take the terms of a float sum in plain order; pays where there are many short sums.

        Returns
        -------
        Tensor or View, or a tuple of it and the further results

        Notes
        -----
        The order of float sums: along the axes (C order if there are several), term r belongs to partial sum r mod 3;
        each partial sum starts with its first term and adds the others in order; the result is ``(p0 + p1) + p2``.
        As many cycles as the terms have vectors, then a short second pass; where order does not matter, and there are
        enough groups, one pass.

        Raises
        ------
        TaktError
            As `map`; for an unknown operation, or an axis that is the lane axis.
        """
        given = tensors if isinstance(tensors, tuple) else (tensors,)
        views = [self._view(tensor) for tensor in given]
        if function is None and len(views) != 1:
            raise TaktError(f"reduce without a function must have one tensor, not {len(views)}")
        axes = (axis,) if isinstance(axis, int) else tuple(axis)
        passes, further = reduce_passes(
            self._scope,
            self._fresh("reduce"),
            views,
            operation,
            axes,
            function or (lambda value: value),
            finish or (lambda value: value),
            layout,
            in_turn,
        )
        made = [self._append(op) for op in passes]
        result: Tensor | View = made[-1][0]
        if not keepdims:
            rank = len(result.shape)
            gone = {axis % rank for axis in axes}
            result = result.reshape(*(size for place, size in enumerate(result.shape) if place not in gone))
        return (result, *made[0][-further:]) if further else result

    def matmul(
        self,
        x: Tensor | View,
        w: Tensor | View | Array,
        *,
        bias: Tensor | Array | None = None,
        scale: Tensor | Array | float | None = None,
        zero_point: int = 0,
        relu: bool = False,
        planes: int | None = None,
        epilogue: Function | None = None,
        operands: tuple[Operand, ...] = (),
        dtype: str | None = None,
    ) -> Tensor:
        """Return ``x @ w``, int32, or requantised to int8; float32 of float16; or what an epilogue makes of it.

        With a `scale` the result is ``saturate(round_half_even(float32(x @ w + bias) * scale) + zero_point)``, fp32
        arithmetic, as in ONNX QLinearMatMul; sums wrap at 32 bits.

        Parameters
        ----------
        x : Tensor or View
            int8 or float16, shape (M, K), lanes along K: an input or a result.
        w : Tensor, View or ndarray
            Of the same dtype, shape (K, N): a constant or an input.
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
        epilogue : callable, optional
            ``epilogue(sum, *operands)``: takes expressions and returns one, as in `map`. The sum is int32, or float32
            of a float16 product.
        operands : tuple of Tensor, View or ndarray
            What the epilogue takes beside the sum: vectors of shape (N,), such as a bias, and matrices of shape (M, N),
            such as a residual.
        dtype : str, optional
            Format of the epilogue's result, to which it is cast; by default the expression's.

        Notes
        -----
        `bias`, `scale`, `zero_point` and `relu` are applied on the sums' way to MEM and cost a few cycles of latency.
        An epilogue is a pass over the sums in MEM, which begins as they become ready.

        Raises
        ------
        TaktError
            For dtypes, ranks or sizes that do not fit together; an epilogue beside a requantisation; operands or a
            dtype without an epilogue; and as `map`.
        """
        index = sum(isinstance(op, MatMul) for op in self._operations)
        weights = w if isinstance(w, View) else self._operand(w, f"w{index}")
        for operand, tensor in (("x", x), ("w", weights)):
            if tensor.dtype not in ("int8", "float16") or len(tensor.shape) != 2:
                raise TaktError(f"{operand} must be an int8 or float16 matrix, not {_describe(tensor)}")
        if x.dtype != weights.dtype:
            raise TaktError(f"x and w must have one dtype, not {x.dtype} and {weights.dtype}")
        self._check_known(as_view(x).tensor)
        if self._is_stored(as_view(weights).tensor):
            raise TaktError(f"w must be a constant or an input, not the result {weights.name!r}")
        if x.data is not None and not self._is_stored(as_view(x).tensor):
            raise TaktError(f"x must be an input or a result, not the constant {x.name!r}")
        if x.shape[1] != weights.shape[0]:
            raise TaktError(f"inner dimensions must be equal, not {x.shape[1]} and {weights.shape[0]}")
        limit = self._config.planes
        least = 2 if x.dtype == "float16" else 1
        if least > self._config.planes_per_hemisphere:
            raise TaktError(f"planes of a machine for float16 products must be 4, not {limit}")
        if planes is not None and not least <= planes <= limit:
            raise TaktError(f"planes must be {least} to {limit}, not {planes!r}")
        if not isinstance(zero_point, int | np.integer) or not -128 <= zero_point <= 127:
            raise TaktError(f"zero_point must be -128 to 127, not {zero_point!r}")
        if zero_point and scale is None:
            raise TaktError(f"zero_point must be 0 without a scale, not {zero_point!r}")
        if x.dtype == "float16" and (bias is not None or scale is not None or zero_point or relu):
            raise TaktError("bias, scale, zero_point and relu must be left out of a float16 product")
        emitted = "float32" if x.dtype == "float16" else "int32" if scale is None else "int8"
        n = weights.shape[1]
        zeros = np.full(n, zero_point, np.int32) if zero_point else None
        op = MatMul(
            self._config,
            x,
            weights,
            Tensor(f"y{index}", (x.shape[0], n), emitted),
            self._vector(bias, f"bias{index}", n, "int32"),
            self._scale(scale, f"scale{index}", n),
            None if zeros is None else self.constant(f"zero_point{index}", zeros),
            bool(relu),
            limit if planes is None else planes,
        )
        fused = None
        if epilogue is not None:
            fused = self._epilogue(op, epilogue, operands, dtype)
        elif operands or dtype is not None:
            raise TaktError(f"operands and dtype must be left out without an epilogue, not {len(operands)}, {dtype!r}")
        self._operations.append(op)
        self._stored.add(id(op.y))
        return op.y if fused is None else self._append(fused)[0]

    def barrier(self) -> None:
        """Let everything from here on start after the end of everything before.

        Queues wait for one another: they park with SYNC in one cycle, in which one of them gives NOTIFY.

        Raises
        ------
        TaktError
            When there is no operation before it.
        """
        if not self._operations:
            raise TaktError("barrier must come after an operation, not first")
        self._barriers.add(id(self._operations[-1]))

    def output(self, name: str, tensor: Tensor | View) -> None:
        """Let the host read a result after each run, as `name`; in the arrangement of a view.

        Raises
        ------
        TaktError
            For a name in use, or a tensor that no operation made.
        """
        if not self._is_stored(as_view(tensor).tensor):
            raise TaktError(f"output must be a result of this program, not {tensor.name!r}")
        if name in self._outputs:
            raise TaktError(f"output name must be new, not {name!r}")
        self._outputs[name] = as_view(tensor)

    def compile(self) -> Image:
        """Return the verified image, with its predicted cycles.

        Raises
        ------
        TaktError
            When there is no output, or the program exceeds MEM (saying by how much) or a queue.
        """
        if not self._outputs:
            raise TaktError("program must have an output, not none")
        tensors = list(self._tensors.values())
        for state, update in self._updates.items():
            if update is None:
                raise TaktError(f"state must be updated, not {state.name!r} left as it is: make it a constant")
        updates = {state: update for state, update in self._updates.items() if update is not None}
        return compile_program(
            self._config, self._name, self._operations, tensors, self._is_stored, self._outputs, updates, self._barriers
        )

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

    def _epilogue(self, op: MatMul, function: Function, operands: tuple[Operand, ...], dtype: str | None) -> Pass:
        """Return the pass that makes a product's result of its sums."""
        if op.constants or op.relu:
            raise TaktError(f"bias, scale, zero_point and relu must be left out beside an epilogue of {op.y.name}")
        views = [op.y.view(), *(self._view(operand) for operand in operands)]
        m, n = op.y.shape
        for view in views:
            if view.shape not in ((n,), (m, n)):
                raise TaktError(f"operand of an epilogue must have shape ({n},) or {m, n}, not {view.shape}")
        self._stored.add(id(op.y))
        made, several = map_pass(self._scope, f"{op.y.name}.epilogue", function, views, dtype, "rows")
        if several:
            raise TaktError(f"epilogue must return one expression, not {len(made.results)}")
        return made

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
        if self._is_stored(tensor):
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


def _describe(tensor: Tensor | View) -> str:
    return f"{tensor.dtype} of shape {tensor.shape}"
