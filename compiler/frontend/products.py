"""Matrix products."""

import math
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from arch.errors import TaktError
from compiler.arguments import flag, integer, one_of
from compiler.declare.map_pass import Function, map_pass
from compiler.declare.padding import Need
from compiler.declare.update_pass import clearing_pass
from compiler.expression.expr import Expr
from compiler.expression.functions import add, cast, relu
from compiler.frontend.conversions import conversions_before
from compiler.frontend.workspace import Array, Operand, Workspace
from compiler.ir.lanes import are_vectors, vectors_along, weight_vectors
from compiler.ir.matmul import MatMul
from compiler.ir.tensor import Tensor, View, as_view, check_elements
from compiler.ir.vector import Pass
from compiler.lower.mxm.plan import plans


class Products(Workspace):
    """Operations of the MXM."""

    def matmul(
        self,
        x: Operand,
        w: Operand,
        *,
        bias: Operand | None = None,
        scale: Operand | float | None = None,
        zero_point: int = 0,
        relu: bool = False,
        planes: int | None = None,
        ways: int | None = None,
        epilogue: Function | None = None,
        operands: tuple[Operand, ...] = (),
        dtype: str | None = None,
    ) -> Any:
        """Return ``x @ w``, int32, or requantised to int8; float32 of float16; or what an epilogue makes of it.

        With a `scale` the result is ``saturate(round_half_even(float32(x @ w + bias) * scale) + zero_point)``, fp32
        arithmetic, as in ONNX QLinearMatMul; sums wrap at 32 bits.

        Parameters
        ----------
        x : Tensor, View or ndarray
            int8 or float16, shape (..., M, K), or (K,), which stands for one row that the result does not have.
        w : Tensor, View or ndarray
            Of the same dtype, shape (..., K, N), or (K,), one column that the result does not have. Leading axes
            broadcast as in ``np.matmul``; along those that w does not have, or only once, rows of x are rows of one
            product.
        bias : Tensor, View or ndarray, optional
            int32, shape (N,).
        scale : Tensor, View, ndarray or float, optional
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
            What the epilogue takes beside the sum: vectors of shape (N,), such as a bias, and what broadcasts to the
            result, such as a residual.
        dtype : str, optional
            Format of the epilogue's result, to which it is cast; by default the expression's.

        Returns
        -------
        Tensor or View
            Shape (..., M, N).

        Notes
        -----
        `bias`, `scale`, `zero_point` and `relu` are an epilogue of their own kind. Epilogues are computed on the sums'
        way to MEM and cost a few cycles of latency; one that needs more ALUs than there are, or more MEM slices for its
        operands, is a pass over the sums in MEM, which begins as they become ready.

        Either operand may be any view of a result. Both are read along K: other views are rearranged first. Weights
        that are results must end with a vector, and have no column twice: others are copied.

        Raises
        ------
        TaktError
            For dtypes, ranks or sizes that do not fit together; an epilogue beside a requantisation; operands or a
            dtype without an epilogue; and as `map`.
        """
        index = self._product_count
        rows = x if isinstance(x, Tensor | View) else self._view(x)
        weights = w if isinstance(w, Tensor | View) else self._operand(w, f"w{index}")
        for name, view in (("x", rows), ("w", weights)):
            _check_operand(name, view)
            self._check_known(as_view(view).tensor)
        options: dict[str, Any] = {
            "bias": bias,
            "scale": scale,
            "zero_point": zero_point,
            "relu": relu,
            "planes": planes,
            "ways": ways,
            "epilogue": epilogue,
            "dtype": dtype,
        }
        given = tuple(one_of("operands", operands, (tuple, list), ["a tuple"]))
        if len(rows.shape) == len(weights.shape) == 2:
            return self._product(rows, weights, operands=given, **options)
        left, right = self._view(rows), self._view(weights)
        left = left[None] if len(left.shape) == 1 else left
        right = right[:, None] if len(right.shape) == 1 else right
        made = self._products(left, right, given, options)
        # Axes that operands of one axis do not have.
        gone = {axis + len(made.shape) for axis, view in ((-2, rows), (-1, weights)) if len(view.shape) == 1}
        return made.reshape(*(size for axis, size in enumerate(made.shape) if axis not in gone))

    def _products(self, x: View, w: View, operands: tuple[Operand, ...], options: dict[str, Any]) -> View:
        """Return products of stacks of matrices: one for each matrix of weights."""
        _check_inner(x, w)
        try:
            batch = np.broadcast_shapes(x.shape[:-2], w.shape[:-2])
        except ValueError:
            raise TaktError(
                f"leading axes must broadcast to one shape, not {x.shape[:-2]} and {w.shape[:-2]}"
            ) from None
        (m, k), n, rank = x.shape[-2:], w.shape[-1], len(batch)
        check_elements(x.name, (*batch, m, k))
        check_elements(w.name, (*batch, k, n))
        own = (*(1,) * (rank + 2 - len(w.shape)), *w.shape)
        several = [axis for axis in range(rank) if own[axis] > 1]
        shared = [axis for axis in range(rank) if own[axis] == 1]
        count = math.prod(batch[axis] for axis in several)
        # Rows that meet the same weights become rows of one product.
        order = [*several, *shared, rank, rank + 1]

        def stacked(view: View, columns: int) -> View:
            elements = np.broadcast_to(view.elements, (*batch, m, columns)).transpose(order)
            return View(view.tensor, elements.reshape(count, -1, columns))

        rows = stacked(x, k)
        weights = View(w.tensor, w.elements.reshape(count, k, n))
        beside = [self._view(operand) for operand in operands]
        each: list[list[Operand]] = [[] for _ in range(count)]
        for view in beside:
            if view.shape == (n,):
                chosen = [view] * count
            else:
                try:
                    whole = stacked(view, n)
                except ValueError:
                    raise TaktError(
                        f"operand of an epilogue must have shape ({n},) or broadcast to {(*batch, m, n)}, "
                        f"not {view.shape}"
                    ) from None
                chosen = [whole[number] for number in range(count)]
            for number in range(count):
                each[number].append(chosen[number])
        made = [
            self._product(rows[number], weights[number], operands=tuple(each[number]), **options).view()
            for number in range(count)
        ]
        whole = self._joined([view[None] for view in made], -3) if count > 1 else made[0]
        back = np.argsort(order).tolist()
        return whole.reshape(*((*batch, m, n)[axis] for axis in order)).transpose(*back)

    def _product(
        self,
        x: Tensor | View,
        w: Tensor | View,
        *,
        bias: Operand | None,
        scale: Operand | float | None,
        zero_point: int,
        relu: bool,
        planes: int | None,
        ways: int | None,
        epilogue: Function | None,
        operands: tuple[Operand, ...],
        dtype: str | None,
    ) -> Tensor:
        """Return the product of two matrices; arguments as of `matmul`."""
        index = self._product_count
        weights = w
        _check_inner(x, weights)
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
        if zero_point and scale is None:
            raise TaktError(f"zero_point must be 0 without a scale, not {zero_point!r}")
        if x.dtype == "float16" and (bias is not None or scale is not None or zero_point or relu):
            raise TaktError("bias, scale, zero_point and relu must be left out of a float16 product")
        n = weights.shape[1]
        given = as_view(x)
        settled = self._settled(given, -1, Need.TIMES_ZERO if x.dtype == "float16" else Need.NOTHING)
        x = x if settled is given else settled
        if isinstance(weights, View):
            # One object for equal views: what is stored of it can be shared.
            weights = self._once("weights", weights, -2, partial(as_view, weights))
        if self._is_stored(as_view(weights).tensor):
            weights = self._loadable(as_view(weights))
        computed = self._is_stored(as_view(weights).tensor)
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
        self._stored.add(sums)
        beside = [self._view(operand) for operand in operands]
        finish = None if epilogue is None else self._epilogue(name, epilogue, sums, beside, dtype)
        most = limit if planes is None else planes
        most_ways = ways or self._config.streams // self._config.lanes
        op = MatMul(self._config, x, weights, sums, finish, most, most_ways, computed)
        self._product_count += 1
        if epilogue is not None:
            op = self._converting_before(op, epilogue, beside, dtype)
        return self._append(op)[0]

    def _converting_before(self, op: MatMul, function: Function, views: list[View], dtype: str | None) -> MatMul:
        """Return a product, some operands of its epilogue being converted by a pass before if that is shorter."""
        formats = conversions_before(op, self._operations)
        if not formats:
            return op

        def beside(others: list[View]) -> MatMul:
            return replace(op, epilogue=self._epilogue(op.name, function, op.sums, others, dtype))

        promised = [
            Tensor(op.name, view.shape, formats[number]).view() if number in formats else view
            for number, view in enumerate(views, 1)
        ]
        now, then = (min((plan.estimate for plan in plans(one)), default=None) for one in (op, beside(promised)))
        if now is None or then is None or then >= now:
            return op
        made = list(views)
        for number, target in formats.items():
            convert = partial(cast, dtype=target)
            conversion, _ = map_pass(self._scope, self._fresh("map"), convert, [views[number - 1]], None, "rows")
            made[number - 1] = self._append(conversion)[0].view()
        return beside(made)

    def _epilogue(self, name: str, function: Function, sums: Tensor, operands: list[View], dtype: str | None) -> Pass:
        """Return the pass that makes a product's result of its sums."""
        # A byte of every result, at least.
        self._config.check_fits(name, sums.size)
        views = [sums.view(), *operands]
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
        if (weights.elements < 0).all():
            return self._settled(weights, -2)
        wanted = vectors_along(weights.elements, -2, vector)
        moved = not are_vectors(weights.tensor, wanted, vector)
        if moved:
            weights = self._settled(weights, -2)
        # A step of a load reads columns at the same time, which one slice cannot give twice.
        numbers = weight_vectors(weights, vector)
        numbers = numbers[numbers >= 0]
        held = wanted >= 0
        # What has been made for this view has zeros beyond its elements.
        mixed = not moved and (held.any(axis=1) & ~held.all(axis=1)).any()
        maker = next((op for op in self._operations if weights.tensor in op.writes()), None)
        whole = not mixed and len(np.unique(numbers)) == len(numbers)
        if whole and maker is not None and maker.makes_weights:
            return weights
        return self._append(clearing_pass(self._scope, self._fresh("weights"), weights, -2))[0].view()

    def _operand(self, value: Tensor | Array, name: str) -> Tensor:
        if isinstance(value, Tensor):
            self._check_known(value)
            return value
        return self.constant(name, np.asarray(value))

    def _vector(self, value: Operand | None, name: str, n: int, dtype: str) -> Tensor | View | None:
        if value is None:
            return None
        tensor = self._view(value) if isinstance(value, View) else self._operand(value, name)
        if tensor.dtype != dtype or tensor.shape != (n,):
            raise TaktError(f"{name.rstrip('0123456789')} must be {dtype} of shape ({n},), not {_describe(tensor)}")
        return tensor

    def _scale(self, value: Operand | float | None, name: str, n: int) -> Tensor | View | None:
        if value is None or isinstance(value, Tensor | View):
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


def _check_operand(name: str, tensor: Tensor | View) -> None:
    """Raise TaktError for a format that planes do not multiply."""
    if tensor.dtype not in ("int8", "float16") or not tensor.shape:
        raise TaktError(f"{name} must be int8 or float16, with an axis, not {_describe(tensor)}")


def _check_inner(x: Tensor | View, w: Tensor | View) -> None:
    """Raise TaktError unless rows of x fit columns of w."""
    if x.dtype != w.dtype:
        raise TaktError(f"x and w must have one dtype, not {x.dtype} and {w.dtype}")
    if x.shape[-1] != w.shape[-2]:
        raise TaktError(f"inner dimensions must be equal, not {x.shape[-1]} and {w.shape[-2]}")


def _describe(tensor: Tensor | View) -> str:
    return f"{tensor.dtype} of shape {tensor.shape}"
