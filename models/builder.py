"""What lowerings write: values of a graph, on the interface of `compiler.program.Program`."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from onnx_ir import DataType

from compiler.expression import expr
from compiler.expression.expr import Expr
from compiler.expression.functions import cast, maximum, recip, where
from compiler.ir.tensor import Tensor, View, as_view
from compiler.library.int16 import Int16Rows
from compiler.program import Program
from models.value import Array, Value, constant, held_format, union

Function = Callable[..., Any]
"""From expressions to one, or a tuple of several."""

_BITS = {
    DataType.UINT2: 2,
    DataType.INT2: 2,
    DataType.UINT4: 4,
    DataType.INT4: 4,
    DataType.UINT8: 8,
    DataType.UINT16: 16,
}
"""Of integers that are held in wider formats."""


def cut(value: Expr, dtype: DataType) -> Expr:
    """Return what a type's bits hold of an integer, where its format has more of them."""
    bits = _BITS.get(dtype)
    if bits is None:
        return value
    low = cast(value, "int32") & ((1 << bits) - 1)
    return (low ^ (1 << (bits - 1))) - (1 << (bits - 1)) if dtype.is_signed() else low


def _upper(x: Expr) -> Expr:
    """Return the upper 12 bits of a float32 (Veltkamp)."""
    spread = x * 4097.0
    return spread - (spread - x)


def divide(a: Expr, b: Expr) -> Expr:
    """Return a quotient of float32, right to 2**-20 of a unit in the last place before it is rounded.

    What the product with the reciprocal leaves is computed exactly (Dekker) and divided once more. Where that is not
    possible, beyond the middle of float32's range, the product stands.
    """
    a, b = cast(a, "float32"), cast(b, "float32")
    inverse = recip(b)
    found = a * inverse
    high, upper = _upper(found), _upper(b)
    low, lower = found - high, b - upper
    rest = a - high * upper - high * lower - low * upper - low * lower
    size, error = maximum(a, -a), maximum(rest, -rest)
    return where(error < size * 2.0**-20, found + rest * inverse, found)


def number(value: float, format_: str) -> Expr:
    """Return a number as an expression."""
    return expr.constant(value, expr.FORMATS[format_])


class Builder:
    """A program that is being written, in values of ONNX.

    Parameters
    ----------
    program : Program
    precision : str
        Format in which the chip holds float32: ``float16`` or ``float32``; sums are float32 with both.
    int8_weights : bool
        Whether known matrices of products are int8, and what they are multiplied by int16.
    """

    def __init__(self, program: Program, precision: str, int8_weights: bool = False) -> None:
        self.program = program
        self.precision = precision
        self.int8_weights = int8_weights
        self.int16_rows: dict[int, tuple[Value, Int16Rows]] = {}
        self._constants: dict[tuple[int, str], tuple[Array, View]] = {}

    def held(self, dtype: DataType) -> str:
        """Return the format in which the chip holds elements of a type: see `held_format`."""
        return held_format(dtype, self.precision)

    def quotient(self, a: Expr, b: Expr) -> Expr:
        """Return the quotient of floats: with float16 a product with the reciprocal, with float32 rounded once."""
        return divide(a, b) if self.precision == "float32" else a * recip(b)

    def value(self, view: Tensor | View, dtype: DataType, shape: tuple[int, ...], *of: Value | None) -> Value:
        """Return a result as a value: of a type and shape, made of others."""
        found = as_view(view)
        if found.shape != (shape or (1,)):
            found = found.reshape(*(shape or (1,)))
        return Value(dtype, shape, None, found, union(of))

    def view(self, value: Value, format_: str | None = None) -> View:
        """Return a value as an operand of the program, in a format of the chip.

        Parameters
        ----------
        value : Value
        format_ : str, optional
            By default the one that it has; of a constant, that of its type, float32 in float32.
        """
        if value.array is not None:
            wanted = format_ or ("float32" if value.dtype is DataType.FLOAT else self.held(value.dtype))
            return self._constant(value.array, wanted)
        assert value.view is not None
        if format_ is None or value.view.dtype == format_:
            return value.view
        return as_view(self.program.map(lambda item: item, value.view, dtype=format_))

    def _constant(self, array: Array, format_: str) -> View:
        key = id(array), format_
        if key not in self._constants:
            values = array.reshape(array.shape or (1,))
            if np.dtype(format_).kind == "f" or values.dtype.kind not in "biuf":
                with np.errstate(over="ignore"):
                    values = values.astype(format_)
            view = self.program.constant(self.program.fresh_name("constant"), values).view()
            if view.dtype != format_:
                # Of a number that a narrower format has, what the host writes is wider already.
                view = self.program.constant(self.program.fresh_name("constant"), values.astype(format_)).view()
            # The array is kept, for its number to stay its own.
            self._constants[key] = array, view
        return self._constants[key][1]

    def map(self, function: Function, *values: Value, dtype: DataType, format_: str | None = None) -> Any:
        """Return a function of values element by element, with NumPy's broadcasting.

        Parameters
        ----------
        function : callable
            Constants of one element come as constants of an expression, where another operand is none.
        *values : Value
        dtype : DataType
            Of the results: see `cut`.
        format_ : str, optional
            Format in which the chip holds them, by default that of the type.

        Returns
        -------
        Value, or list of Value where the function returns a tuple
        """
        target = format_ or self.held(dtype)
        numbers = {
            place: number(value.array.reshape(-1)[0].item(), "float32" if value.is_float else self.held(value.dtype))
            for place, value in enumerate(values)
            if value.array is not None and value.array.size == 1
        }
        if len(numbers) == len(values):
            numbers = {}

        def whole(*operands: Expr) -> Any:
            left = iter(operands)
            every = [numbers[place] if place in numbers else next(left) for place in range(len(values))]
            found = function(*every)
            several = isinstance(found, tuple)
            made = [cast(cut(one, dtype), target) for one in (found if several else (found,))]
            return tuple(made) if several else made[0]

        views = [self.view(value) for place, value in enumerate(values) if place not in numbers]
        shape = np.broadcast_shapes(*(value.shape for value in values))
        made = self.program.map(whole, *views)
        if isinstance(made, tuple):
            return [self.value(one, dtype, shape, *values) for one in made]
        return self.value(made, dtype, shape, *values)

    def reduce(
        self,
        value: Value | tuple[Value, ...],
        operation: str,
        axes: Sequence[int],
        keepdims: bool,
        *,
        function: Function | None = None,
        finish: Callable[[Expr], Expr] | None = None,
        dtype: DataType | None = None,
    ) -> Value:
        """Return a sum, maximum or minimum over axes; arguments as of `Program.reduce`.

        Parameters
        ----------
        value : Value, or tuple of Value
            Several are broadcast to one shape, and need a function.
        operation : str
            ``add`` (int32 or float32), ``max`` or ``min``.
        axes : sequence of int
            From the start or the end; none leaves the elements, each as a term of its own.
        keepdims : bool
        function, finish : callable, optional
            From an element to a term, and from the reduction to the result.
        dtype : DataType, optional
            Of the result, by default the first value's.
        """
        values = value if isinstance(value, tuple) else (value,)
        wanted = dtype or values[0].dtype
        target = self.held(wanted)

        def last(total: Expr) -> Expr:
            return cast(cut(total if finish is None else finish(total), wanted), target)

        whole = np.broadcast_shapes(*(one.shape for one in values))
        places = sorted({axis % len(whole) for axis in axes})
        if not places:
            alone: Value = self.map(
                lambda *items: last(items[0] if function is None else function(*items)), *values, dtype=wanted
            )
            return alone
        shape = tuple(
            1 if place in places else size for place, size in enumerate(whole) if keepdims or place not in places
        )
        views = tuple(self.view(one) for one in values)
        # Axes count from the start of the widest operand.
        made = self.program.reduce(views, operation, tuple(places), function=function, finish=last)
        return self.value(made, wanted, shape, *values)

    def join(self, values: Iterable[Value], axis: int) -> Value:
        """Return values of one type next to each other along an axis; those without elements are left out."""
        parts = [value for value in values if 0 not in value.shape]
        rank = parts[0].rank
        place = axis % rank
        if len(parts) == 1:
            return parts[0]
        format_ = self.common_format(parts)
        made = self.program.concatenate([self.view(part, format_) for part in parts], place)
        return self.value(made, parts[0].dtype, made.shape, *parts)

    def common_format(self, values: Sequence[Value]) -> str:
        """Return the format in which values of one type can be put together: the widest that one has."""
        formats = [value.view.dtype for value in values if value.view is not None]
        return max(formats or [self.held(values[0].dtype)], key=lambda name: np.dtype(name).itemsize)

    def moved(self, value: Value, move: Callable[[Array], Array], *of: Value | None) -> Value:
        """Return elements of a value in another arrangement.

        Parameters
        ----------
        value : Value
        move : callable
            From the numbers of elements, int64 and at least 1, to those of the result, 0 for a zero; of what is known,
            from its elements.
        *of : Value or None
            On what else the arrangement depends.
        """
        if value.array is not None:
            made = constant(np.asarray(move(value.array)), value.dtype)
            return Value(made.dtype, made.shape, made.array, None, union([value, *of]))
        view = self.view(value)
        numbers = np.asarray(move(view.elements.reshape(value.shape).astype(np.int64) + 1))
        if not numbers.size:
            empty = constant(np.zeros(numbers.shape, value.dtype.numpy()), value.dtype)
            return Value(empty.dtype, empty.shape, empty.array, None, union([value, *of]))
        found = View(view.tensor, (numbers.reshape(numbers.shape or (1,)) - 1).astype(np.int32))
        return self.value(found, value.dtype, numbers.shape, value, *of)

    def part(self, value: Value, key: Any) -> Value:
        """Return the elements that NumPy's indexing with a key gives."""
        return self.moved(value, lambda numbers: numbers[key])

    def stored(self, value: Value) -> View:
        """Return a value as a result of the program, in the format of its type: a copy, where it is none yet."""
        view = self.view(value, self.held(value.dtype))
        if self.program.is_result(view):
            return view
        return as_view(self.program.map(lambda item: item, view))
