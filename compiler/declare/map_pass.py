"""From a function over tensors to a pass."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from compiler.arguments import integer
from compiler.declare.moving import cheapest_move
from compiler.expression.expr import OPERAND, Expr, convert, format_of
from compiler.ir.lanes import Numbers, distinct, find_vectors, lane_axis, vectors_along
from compiler.ir.tensor import Elements, Tensor, View, check_elements, layout_axis
from compiler.ir.vector import Operand, Pass, Result
from compiler.mesh.graph import lower

Function = Callable[..., Any]


@dataclass(frozen=True)
class Scope:
    """Program that passes belong to, as far as they need to know it.

    Attributes
    ----------
    config : Config
    stored : callable
        Whether a tensor lives in MEM in vectors of its own (results, states); the host writes others where wanted.
    scalar : callable
        ``scalar(format, bits)`` is the tensor of one element that holds a constant.
    constant : callable
        ``constant(name, values)`` is a new constant.
    shared : callable
        ``shared(kind, values)`` is a constant with these values, the same one for equal values.
    settled : callable
        ``settled(view, lanes, beyond)`` is a view of the same shape that has whole vectors along the lane axis; its
        zeros are zeros in MEM, and it has what is needed of lanes beyond its end; see
        `compiler.frontend.workspace.Workspace._settled`.
    """

    config: Config
    stored: Callable[[Tensor], bool]
    scalar: Callable[[Any, int], Tensor]
    constant: Callable[[str, npt.NDArray[Any]], Tensor]
    shared: Callable[[str, npt.NDArray[Any]], Tensor]
    settled: Callable[..., View]


def replace_stored(scope: Scope, *tensors: Tensor) -> Scope:
    """Return a scope in which further tensors are results."""
    return replace(scope, stored=lambda tensor: any(tensor is item for item in tensors) or scope.stored(tensor))


def operand_of(scope: Scope, tensor: Tensor, wanted: Elements) -> Operand:
    """Return the operand that has these elements in its lanes in each step.

    Parameters
    ----------
    scope : Scope
    tensor : Tensor
    wanted : ndarray of int32, shape (n, vector_length)
        -1 or `BEYOND` where there is none; of a result, what the scope's `settled` has seen.
    """
    if (wanted < 0).all():
        zero = scope.scalar(format_of(tensor.dtype), 0)
        return Operand(zero, np.zeros((1, wanted.shape[1]), np.int32), np.zeros(len(wanted), np.int64))
    if scope.stored(tensor):
        return Operand(tensor, None, find_vectors(tensor, wanted, scope.config.vector_length))
    return Operand(tensor, *distinct(np.maximum(wanted, -1)))


def operand_exprs(views: Sequence[View]) -> list[Expr]:
    """Return the expressions that stand for the tensors of a function's arguments."""
    return [Expr(OPERAND, format_of(view.dtype), index=index) for index, view in enumerate(views)]


def trace(function: Function, operands: Sequence[Expr]) -> tuple[list[Expr], bool]:
    """Return the expressions that a function returns, and whether it returned a tuple.

    Raises
    ------
    TaktError
        When it returns anything else.
    """
    if not callable(function):
        raise TaktError(f"function must take and return expressions, not be {function!r}")
    found = function(*operands)
    several = isinstance(found, tuple | list)
    outputs = list(found) if several else [found]
    for output in outputs:
        if not isinstance(output, Expr):
            raise TaktError(f"function must return expressions, not {output!r}")
    if not outputs:
        raise TaktError("function must return an expression, not nothing")
    return outputs, several


def common_shape(views: Sequence[View]) -> tuple[int, ...]:
    """Return the shape that all views broadcast to."""
    try:
        shape = np.broadcast_shapes(*(view.shape for view in views))
    except ValueError:
        raise TaktError(
            f"shapes must broadcast to one, not {', '.join(f'{view.name} {view.shape}' for view in views)}"
        ) from None
    check_elements(views[0].name, shape)
    return shape


def common_lanes(
    scope: Scope,
    views: Sequence[View],
    shape: tuple[int, ...],
    layout: str | int | None,
    reduced: Collection[int] = (),
) -> int:
    """Return the lane axis of an operation on views: the layout asked for, or that for which the least has to move.

    If nothing has to, that of a result, or of the largest view; where it fits several, neither an axis that it is
    repeated along nor (negative) one of `reduced`, which the others never are.
    """
    if layout is not None:
        return layout_axis(layout, len(shape))
    vector = scope.config.vector_length
    view = min(views, key=lambda view: (not scope.stored(view.tensor), -view.elements.size))
    worst = [axis for axis in range(-len(view.shape), 0) if view.shape[axis] < shape[axis] or axis in reduced]
    usual = lane_axis(view, vector, worst)

    def cost(axis: int) -> int:
        return sum(
            cheapest_move(scope.config, spread(view, shape, axis), axis).cost
            for view in views
            if scope.stored(view.tensor) and (view.elements >= 0).any()
        )

    def cycles(axis: int) -> int:
        return cost(axis) + math.prod(shape) // shape[axis] * -(-shape[axis] // vector)

    if usual not in reduced and not cost(usual):
        return usual
    free = [axis for axis in range(-1, -len(shape) - 1, -1) if axis not in reduced]
    return min(free, key=lambda axis: (cycles(axis), axis != usual), default=-1)


def spread(view: View, shape: tuple[int, ...], lanes: int) -> View:
    """Return a view that broadcasts to a shape with as many axes, and repeated along the lane axis.

    Repetition along other axes moves nothing: the same vectors are read again.
    """
    own = (*(1,) * (len(shape) - len(view.shape)), *view.shape)
    if own == view.shape and own[lanes] == shape[lanes]:
        return view
    wanted = tuple(shape[lanes] if axis == lanes else own[axis] for axis in range(-len(shape), 0))
    return View(view.tensor, np.broadcast_to(view.elements.reshape(own), wanted))


def build_pass(
    scope: Scope,
    name: str,
    outputs: Sequence[Expr],
    rows: Sequence[tuple[Tensor, Elements]],
    results: Sequence[Result],
    restarts: npt.NDArray[np.bool_] | None = None,
) -> Pass:
    """Return the pass that computes expressions.

    Parameters
    ----------
    scope : Scope
    name : str
    outputs : sequence of Expr
    rows : sequence of (Tensor, ndarray of int32, shape (n, vector_length))
        Per operand of the expressions, the elements in every lane in every step.
    results : sequence of Result
        One per expression.
    restarts : ndarray of bool, shape (n,), optional
    """
    graph = lower(outputs)
    vector = scope.config.vector_length
    steps = len(results[0].steps)
    operands = []
    for port in graph.ports:
        if port.operand is None:
            one = np.zeros((1, vector), np.int32)
            operands.append(Operand(scope.scalar(port.dtype, port.value), one, np.zeros(steps, np.int64)))
            continue
        operands.append(operand_of(scope, *rows[port.operand]))
    if restarts is None:
        restarts = np.zeros(steps, np.bool_)
    return Pass(scope.config, name, graph, tuple(operands), tuple(results), restarts)


def map_pass(
    scope: Scope,
    name: str,
    function: Function,
    views: Sequence[View],
    dtype: str | None,
    layout: str | int | None,
    join: int | None = None,
) -> tuple[Pass, bool]:
    """Return the pass of an elementwise function with NumPy's broadcasting, and whether it has a tuple of results.

    With `join` these are parts of one tensor, next to each other along that axis (negative); but tensors of their own
    if parts would begin within a vector.
    """
    outputs, several = trace(function, operand_exprs(views))
    if dtype is not None:
        outputs = [convert(output, dtype) for output in outputs]
    shape = common_shape(views)
    scope.config.check_fits(name, math.prod(shape) * sum(output.dtype.size for output in outputs))
    lanes = common_lanes(scope, views, shape, layout)
    views = [scope.settled(spread(view, shape, lanes), lanes) for view in views]
    vector = scope.config.vector_length
    rows = [(view.tensor, vectors_along(np.broadcast_to(view.elements, shape), lanes, vector)) for view in views]
    steps: Numbers = np.arange(len(rows[0][1]), dtype=np.int64)
    if join is not None:
        check_join([output.dtype.numpy.name for output in outputs], shape, join)
        if join != lanes or shape[lanes] % vector == 0 or len(outputs) == 1:
            results = joined_results(name, outputs[0].dtype.numpy.name, len(outputs), shape, lanes, vector, join)
            return build_pass(scope, name, outputs, rows, results), several
    results = [
        Result(Tensor(name if not several else f"{name}.{index}", shape, output.dtype.numpy.name, None, lanes), steps)
        for index, output in enumerate(outputs)
    ]
    return build_pass(scope, name, outputs, rows, results), several


def check_join(dtypes: Sequence[str], shape: tuple[int, ...], axis: int) -> None:
    """Raise TaktError unless results of these formats can be parts of one tensor along an axis."""
    if not -len(shape) <= integer("join", axis) <= -1 or len(set(dtypes)) > 1:
        raise TaktError(
            f"results to join must have one dtype and an axis from -{len(shape)} to -1, not {', '.join(dtypes)}, {axis}"
        )


def joined_results(
    name: str, dtype: str, count: int, shape: tuple[int, ...], lanes: int, vector: int, axis: int
) -> list[Result]:
    """Return results that are parts of one tensor, which is `count` times as large along an axis."""
    whole = list(shape)
    whole[axis] *= count
    tensor = Tensor(name, tuple(whole), dtype, None, lanes)
    parts = np.split(np.arange(tensor.size, dtype=np.int32).reshape(whole), count, axis)
    return [Result(tensor, find_vectors(tensor, vectors_along(part, lanes, vector), vector)) for part in parts]
