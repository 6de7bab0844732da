"""Matrix products."""

import math
from functools import partial

import numpy as np

from arch.errors import TaktError
from compiler.arguments import flag, integer, one_of
from compiler.expression.expr import Expr
from compiler.expression.functions import add, cast, relu
from compiler.gather.operation import Gather
from compiler.interface.workspace import Array, Operand, Workspace
from compiler.operation import MatMul
from compiler.tensor import Tensor, View, as_view
from compiler.vector.lanes import vectors_along, weight_vectors
from compiler.vector.map_pass import Function, map_pass
from compiler.vector.operation import Pass
from compiler.vector.padding import Need
from compiler.vector.update_pass import clearing_pass


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
        ways: int | None = None,
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
            int8 or float16, shape (M, K), lanes along K.
        w : Tensor, View or ndarray
            Of the same dtype, shape (K, N); of a result or a state, lanes along K. A pass copies it first where K does
            not end with a vector or columns come again, and for states and what `gather` makes.
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
        ways : int, optional
            Most groups of `lanes` MEM slices from which weights come at a time: 1 leaves more room for others.
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
        `bias`, `scale`, `zero_point` and `relu` are an epilogue of their own kind. Epilogues are computed on the sums'
        way to MEM and cost a few cycles of latency; one that needs more ALUs than there are, or more MEM slices for its
        operands, is a pass over the sums in MEM, which begins as they become ready.

        Raises
        ------
        TaktError
            For dtypes, ranks or sizes that do not fit together; an epilogue beside a requantisation; operands or a
            dtype without an epilogue; and as `map`.
        """
        index = sum(isinstance(op, MatMul) for op in self._operations)
        as_view(x)
        weights = w if isinstance(w, View) else self._operand(w, f"w{index}")
        for operand, tensor in (("x", x), ("w", weights)):
            if tensor.dtype not in ("int8", "float16") or len(tensor.shape) != 2:
                raise TaktError(f"{operand} must be an int8 or float16 matrix, not {_describe(tensor)}")
        if x.dtype != weights.dtype:
            raise TaktError(f"x and w must have one dtype, not {x.dtype} and {weights.dtype}")
        self._check_known(as_view(x).tensor)
        if x.shape[1] != weights.shape[0]:
            raise TaktError(f"inner dimensions must be equal, not {x.shape[1]} and {weights.shape[0]}")
        limit = self._config.planes
        least = 2 if x.dtype == "float16" else 1
        if least > self._config.planes_per_hemisphere:
            raise TaktError(f"planes of a machine for float16 products must be 4, not {limit}")
        if planes is not None:
            planes = integer("planes", planes, least, limit)
        if ways is not None:
            ways = integer("ways", ways, 1)
        zero_point = integer("zero_point", zero_point, -128, 127)
        relu = flag("relu", relu)
        operands = tuple(one_of("operands", operands, (tuple, list), ["a tuple"]))
        if zero_point and scale is None:
            raise TaktError(f"zero_point must be 0 without a scale, not {zero_point!r}")
        if x.dtype == "float16" and (bias is not None or scale is not None or zero_point or relu):
            raise TaktError("bias, scale, zero_point and relu must be left out of a float16 product")
        n = weights.shape[1]
        given = as_view(x)
        settled = self._settled(given, -1, Need.TIMES_ZERO if x.dtype == "float16" else Need.NOTHING)
        x = x if settled is given else settled
        computed = self._is_stored(as_view(weights).tensor)
        if computed:
            weights = self._loadable(as_view(weights))
        fused = epilogue is not None or bias is not None or scale is not None or relu
        name = f"y{index}"
        sums = Tensor(
            f"{name}.sums" if fused else name, (x.shape[0], n), "float32" if x.dtype == "float16" else "int32"
        )
        vectors = self._vector(bias, f"bias{index}", n, "int32"), self._scale(scale, f"scale{index}", n)
        if epilogue is None:
            if operands or dtype is not None:
                raise TaktError(
                    f"operands and dtype must be left out without an epilogue, not {len(operands)}, {dtype!r}"
                )
            operands = tuple(vector for vector in vectors if vector is not None)
            if operands or relu:
                epilogue = partial(_requantise, bias is not None, scale is not None, int(zero_point), relu)
        elif relu or zero_point or vectors != (None, None):
            raise TaktError(f"bias, scale, zero_point and relu must be left out beside an epilogue of {name}")
        self._stored.add(id(sums))
        finish = None if epilogue is None else self._epilogue(name, epilogue, sums, operands, dtype)
        most = limit if planes is None else planes
        op = MatMul(self._config, x, weights, sums, finish, most, ways or least, computed)
        self._operations.append(op)
        self._stored.add(id(op.y))
        return op.y

    def _epilogue(
        self, name: str, function: Function, sums: Tensor, operands: tuple[Operand, ...], dtype: str | None
    ) -> Pass:
        """Return the pass that makes a product's result of its sums."""
        # A byte of every result, at least.
        self._config.check_fits(name, sums.size)
        views = [sums.view(), *(self._view(operand) for operand in operands)]
        m, n = sums.shape
        for view in views:
            if view.shape not in ((n,), (m, n)):
                raise TaktError(f"operand of an epilogue must have shape ({n},) or {m, n}, not {view.shape}")
        made, several = map_pass(self._scope, name, function, views, dtype, "rows")
        if several:
            raise TaktError(f"epilogue must return one expression, not {len(made.results)}")
        return made

    def _loadable(self, weights: View) -> View:
        """Return weights as a result that whoever makes it can store as planes load it, lanes beyond K being zeros."""
        vector = self._config.vector_length
        numbers = weight_vectors(weights, vector)
        numbers = numbers[numbers >= 0]
        held = vectors_along(weights.elements, -2, vector) >= 0
        mixed = (held.any(axis=1) & ~held.all(axis=1)).any()
        makers = (op for op in self._operations if weights.tensor in (op.writes() if isinstance(op, Pass) else (op.y,)))
        maker = next(makers, None)
        whole = not mixed and len(np.unique(numbers)) == len(numbers)
        fresh = isinstance(maker, MatMul) or (isinstance(maker, Pass) and maker.makes and not isinstance(maker, Gather))
        if whole and fresh:
            return weights
        return self._append(clearing_pass(self._scope, self._fresh("weights"), weights, -2))[0].view()

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


def _requantise(has_bias: bool, has_scale: bool, zero_point: int, has_relu: bool, total: Expr, *vectors: Expr) -> Expr:
    """Return ONNX QLinearMatMul's result of int32 sums; without a scale the biased sums."""
    following = iter(vectors)
    if has_bias:
        total = total + next(following)
    if has_scale:
        total = cast(total, "float32") * next(following)
    if has_relu:
        total = relu(total)
    if not has_scale:
        return total
    return add(cast(total, "int32"), zero_point, "int8", saturate=True) if zero_point else cast(total, "int8")


def _describe(tensor: Tensor | View) -> str:
    return f"{tensor.dtype} of shape {tensor.shape}"
