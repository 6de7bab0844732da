"""Matrix products."""

import math

import numpy as np

from arch.errors import TaktError
from compiler.interface.workspace import Array, Operand, Workspace
from compiler.operation import MatMul
from compiler.tensor import Tensor, View, as_view
from compiler.vector.map_pass import Function, map_pass
from compiler.vector.operation import Pass


class Products(Workspace):
    """Operations of the MXM."""

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
