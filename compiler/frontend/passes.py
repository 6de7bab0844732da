"""Element by element, reductions over time, and states."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from arch.errors import TaktError
from compiler.arguments import flag, integers
from compiler.declare.map_pass import Function, common_shape, map_pass
from compiler.declare.reduce_pass import reduce_passes
from compiler.declare.update_pass import copy_pass, update_pass
from compiler.expression.expr import FORMATS, Expr
from compiler.frontend.workspace import Array, Operand, Workspace
from compiler.ir.tensor import Tensor, View, as_view, check_shape, layout_axis

_PAYS = 32
"""Elements that are better added up in lanes first, at the price of another pass, than each in its own vector."""


class Passes(Workspace):
    """Operations of the VXM. Lanes never meet in them: reductions run over time, along axes without lanes."""

    def state(
        self, name: str, shape: tuple[int, ...], dtype: str, initial: Array | None = None, layout: str | int = "rows"
    ) -> Tensor:
        """Declare a tensor that lives in MEM from run to run.

        Everything in a run reads the value that the last run's `update` gave it, and rows that `scatter` wrote before.

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
        sizes = integers(f"shape of {name}", shape)
        if str(dtype) not in FORMATS:
            raise TaktError(f"dtype of {name} must be one of {', '.join(FORMATS)}, not {str(dtype)!r}")
        check_shape(name, sizes)
        self._config.check_fits(str(name), math.prod(sizes) * np.dtype(dtype).itemsize)
        data = np.zeros(sizes, str(dtype)) if initial is None else np.ascontiguousarray(initial)
        if data.shape != sizes or str(data.dtype) != str(dtype):
            raise TaktError(f"initial value of {name} must be {dtype} of shape {sizes}, not {data.dtype} {data.shape}")
        tensor = self._add(Tensor(name, sizes, str(dtype), data, layout_axis(layout, len(sizes))))
        self._stored.add(tensor)
        self._updates[tensor] = None
        return tensor

    def update(self, state: Tensor, value: Operand) -> None:
        """Give a state its value for the next run.

        Raises
        ------
        TaktError
            For a tensor that is no state or was updated before, and for a value of another shape, dtype or layout.
        """
        if not isinstance(state, Tensor) or state not in self._updates:
            raise TaktError(f"update must be of a state of this program, not of {getattr(state, 'name', state)!r}")
        if self._updates[state] is not None or state in self._scattered:
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
        join: int | None = None,
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
        join : int, optional
            Axis, from the end, along which several results lie next to each other as parts of one tensor. Along the
            lane axis, parts that are not whole vectors cost a `concatenate`.

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
            For shapes that do not broadcast, formats that do not match, an operation that the machine lacks, or one
            with more operands than MEM has slices for.
        """
        views = [self._view(tensor) for tensor in tensors]
        if not views:
            raise TaktError("map must have a tensor, not none")
        op, several = map_pass(self._scope, self._fresh("map"), function, views, dtype, layout, join)
        results = self._append(op)
        if join is None or len(set(results)) == 1:
            return results if several and join is None else results[0]
        # Parts that would begin within a vector have to be moved.
        return self._joined([result.view() for result in results], join, results[0].lanes).tensor

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
        in_turn: bool | None = None,
        join: int | None = None,
    ) -> Any:
        """Return ``finish(sum, maximum or minimum of function(*tensors) over axes)``.

        Parameters
        ----------
        tensors : Tensor, View or ndarray, or a tuple of them
            Broadcast to one shape, as in `map`.
        operation : str
            ``add`` (integers: int32, wraps; floats: float32), ``max`` or ``min``.
        axis : int or tuple of int
            Any axes. Lanes run along another one, for which a result is rearranged if need be.
        function : callable, optional
            From the tensors' expressions to the term; by default the one tensor itself. If it returns a tuple, the
            first is the term, and the others are results too, of the tensors' shape.
        finish : callable, optional
            From the reduction's expression to the result's.
        keepdims : bool
            Keep the axes, with size 1.
        layout : str or int, optional
            As in `map`.
        in_turn : bool, optional
            Take the terms of a float sum in plain order; pays where there are many short sums. False: take group after
            group in any case, which pays where passes that follow need not wait for all of them.
        join : int, optional
            Axis, from the end, along which the reductions of several terms lie next to each other as parts of one
            tensor: `function` returns the terms, which are taken in plain order, side by side.

        Returns
        -------
        Tensor or View, or a tuple of it and the further results

        Notes
        -----
        The order of float sums: along the axes (C order if there are several), term r belongs to partial sum r mod 3;
        each partial sum starts with its first term and adds the others in order; the result is ``(p0 + p1) + p2``.
        Where every axis is reduced, sums over all but the last come first, each in this order, and are then terms
        themselves. The order depends on the shape alone: not on lanes, nor on the machine, whose ALUs all see their own
        result three steps later (`arch.timing.Timing.held`).

        As many cycles as the terms have vectors, then a short second pass; where order does not matter, and there are
        enough groups, one pass.

        Raises
        ------
        TaktError
            As `map`; for an unknown operation, axes that the tensors do not have, or a layout along one of them.
        """
        given = tensors if isinstance(tensors, tuple) else (tensors,)
        views = [self._view(tensor) for tensor in given]
        if not views:
            raise TaktError("reduce must have a tensor, not none")
        if function is None and len(views) != 1:
            raise TaktError(f"reduce without a function must have one tensor, not {len(views)}")
        axes = integers("axes", axis if isinstance(axis, Iterable) else (axis,))
        shape = common_shape(views)
        rank = len(shape)
        term = _same if function is None else function
        if join is None and {place % rank for place in axes if -rank <= place < rank} == {*range(rank)}:
            return self._reduce_all(views, operation, term, finish, flag("keepdims", keepdims), in_turn)
        passes, further = reduce_passes(
            self._scope,
            self._fresh("reduce"),
            views,
            operation,
            axes,
            term,
            _same if finish is None else finish,
            layout,
            None if in_turn is None else flag("in_turn", in_turn),
            join,
            at_once=all(self._is_spread(view.tensor) for view in views),
        )
        made = [self._append(op) for op in passes]
        result: Tensor | View = made[-1][0]
        if not flag("keepdims", keepdims):
            rank = len(result.shape)
            gone = {axis % rank for axis in axes}
            result = result.reshape(*(size for place, size in enumerate(result.shape) if place not in gone))
        return (result, *made[0][-further:]) if further else result

    def _is_spread(self, tensor: Tensor) -> bool:
        """Return whether several ports may each read a part of a tensor from slices of its own.

        The value of a state lies in one place, where no update could come while all of them read; and what the SXM
        makes leaves many streams at a time, each of which would take slices for every port.
        """
        maker = next((op for op in self._operations if tensor in op.writes()), None)
        free = maker is None or maker.work.rows + maker.work.operations > 0
        return free and tensor not in self._updates

    def _reduce_all(
        self,
        views: list[View],
        operation: str,
        function: Function,
        finish: Function | None,
        keepdims: bool,
        in_turn: bool | None,
    ) -> Any:
        """Return a reduction over every axis: over all but the last, then over that one, each element a vector."""
        shape = common_shape(views)
        rank = len(shape)
        if rank > 1:
            terms = self.reduce(tuple(views), operation, tuple(range(-rank, -1)), function=function, in_turn=in_turn)
        else:
            terms = self.map(function, *views) if function is not _same else views[0]
        term, *further = terms if isinstance(terms, tuple) else (terms,)
        line, vector = as_view(term), self._config.vector_length
        size = shape[-1]
        ordered = operation == "add" and line.dtype.startswith("float")
        if size - vector > _PAYS and not ordered:
            # Vectors first, as they are: only the lanes of one have to meet. What comes twice changes no maximum.
            places = np.arange(-(-size // vector) * vector)
            over = places >= size
            elements = line.elements[np.where(over, places - vector, places)]
            if operation == "add":
                elements = np.where(over, np.int32(-1), elements)
            blocks = View(line.tensor, elements.reshape(-1, vector))
            line = as_view(self.reduce(blocks, operation, 0, layout="rows"))
        total = self.reduce(line.reshape(-1, 1), operation, 0, finish=finish, in_turn=in_turn)
        result = as_view(total).reshape(*(1,) * rank if keepdims else ())
        return (result, *further) if further else result


def _same(value: Expr) -> Expr:
    return value
