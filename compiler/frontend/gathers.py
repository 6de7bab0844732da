"""Rows by index: of a table, and into a state."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from arch.errors import TaktError
from compiler.declare.map_pass import map_pass, operand_of
from compiler.declare.padding import Need
from compiler.declare.reduce_pass import reduce_passes
from compiler.declare.update_pass import copy_pass
from compiler.expression.expr import BITS, Expr
from compiler.expression.functions import cast, equal, where
from compiler.frontend.workspace import Operand, Workspace
from compiler.ir.gather import Gather
from compiler.ir.lanes import vectors_along
from compiler.ir.scatter import Scatter
from compiler.ir.tensor import Tensor, View, check_elements
from compiler.ir.vector import Operand as VectorOperand
from compiler.ir.vector import Pass, Result


class Gathers(Workspace):
    """Operations of MEM by index."""

    def gather(self, table: Operand, indices: Operand) -> Tensor:
        """Return rows of a table.

        Parameters
        ----------
        table : Tensor, View or ndarray
            Shape (v, n).
        indices : Tensor, View or ndarray
            int32 or int16, shape (m,), from 0 to v - 1. Others give arbitrary words, or zeros where the VXM looks.

        Returns
        -------
        Tensor
            Shape (m, n).

        Notes
        -----
        Of inputs and constants, with int32 indices: `lanes` cycles per index and part (a byte of a block of columns) of
        a slice. All slices share the work, with copies of parts where there is room: about ``lanes * parts * m /
        slices`` cycles, and at least m. A table of more than `mem_depth` rows is several, of which the VXM selects.

        Where either is a result the VXM compares every index with the number of every row: ``m * v`` vectors.

        Raises
        ------
        TaktError
            For shapes and formats that do not fit, and a table that does not fit a bank.
        """
        scope, rows, numbers = self._scope, self._view(table), self._view(indices)
        if len(rows.shape) != 2:
            raise TaktError(f"table must be a matrix, not {rows.dtype} of shape {rows.shape}")
        if numbers.dtype not in ("int16", "int32") or len(numbers.shape) != 1:
            raise TaktError(
                f"indices must be int32 or int16 of shape (m,), not {numbers.dtype} of shape {numbers.shape}"
            )
        if numbers.dtype != "int32" or scope.stored(rows.tensor) or scope.stored(numbers.tensor):
            return self._selected(rows, numbers)
        depth = scope.config.mem_depth
        starts = range(0, rows.shape[0], depth)
        # Banks take indices modulo their rows: where each part fills one, all parts are read at the same places.
        parts = [self._gathered(rows[start : start + depth], numbers) for start in starts]
        if len(parts) == 1:
            return parts[0]

        def chosen(index: Expr, *found: Expr) -> Expr:
            value = found[-1]
            for start, other in zip(starts[-1:0:-1], found[-2::-1], strict=True):
                value = where(index < start, other, value)
            return value

        views = [numbers[:, None], *(part.view() for part in parts)]
        return self._of_bits(map_pass(scope, self._fresh("gather"), chosen, _bits(views), None, "rows")[0], rows.dtype)

    def _gathered(self, rows: View, numbers: View) -> Tensor:
        """Return rows of a table that one bank holds."""
        scope = self._scope
        vector = scope.config.vector_length
        name = self._fresh("gather")
        target = Tensor(name, (numbers.shape[0], rows.shape[1]), rows.dtype)
        table_rows = vectors_along(rows.elements, -1, vector)
        op = Gather(
            scope.config,
            name,
            target,
            table=rows.tensor,
            indices=numbers.tensor,
            table_rows=table_rows,
            index_rows=np.repeat(numbers.elements[:, None], vector, axis=1),
        )
        return self._append(op)[0]

    def _selected(self, rows: View, numbers: View) -> Tensor:
        """Return rows of a table that the VXM looks for: each is the sum of itself and of zeros, bit by bit."""
        (v, n), m = rows.shape, numbers.shape[0]
        check_elements(rows.name, (m, v, n))
        places = self._share("numbers", np.arange(v, dtype=np.int32).reshape(1, v, 1))
        views = [numbers[:, None, None], places.view(), rows[None]]
        bits = BITS[rows.itemsize].numpy.name
        passes, _ = reduce_passes(
            self._scope,
            self._fresh("gather"),
            _bits(views),
            "add",
            (1,),
            lambda index, place, row: where(equal(index, place), row, 0),
            lambda total: cast(total, bits),
            None,
            None,
        )
        for op in passes[:-1]:
            self._append(op)
        return self._of_bits(passes[-1], rows.dtype)

    def _of_bits(self, op: Pass, dtype: str) -> Tensor:
        """Append a pass that makes the bits of a matrix of another format; return the matrix."""
        (result,) = op.results
        made = result.tensor
        shape = tuple(size for place, size in enumerate(made.shape) if len(made.shape) == 2 or place != 1)
        matrix = replace(made, dtype=dtype, shape=shape, lanes=max(made.lanes, -2))
        return self._append(replace(op, results=(Result(matrix, result.steps),)))[0]

    def scatter(self, state: Tensor, indices: Operand, values: Operand) -> None:
        """Replace rows of a state, in this run and for those that follow.

        Operations before it in the program read the state as it was, later ones as it is then.

        Parameters
        ----------
        state : Tensor
            Shape (v, n), lanes along n; at most `mem_depth` rows.
        indices : Tensor, View or ndarray
            Shape (m,), int32: the row that each of `values` becomes; or int16 or int32 of shape (m, n): element (k, j)
            goes to row ``indices[k, j]`` of column j. From 0 to v - 1; others overwrite what is not theirs. Of equal
            ones the last row counts.
        values : Tensor, View or ndarray
            Shape (m, n), of the state's dtype.

        Notes
        -----
        ``lanes * (2 + sram_latency)`` cycles per row, all blocks of columns and bytes of all copies of the state at
        once, as far as there are slices.

        Raises
        ------
        TaktError
            For a tensor that is no state or is updated, shapes and formats that do not fit, and a state that does not
            fit a bank.
        """
        scope = self._scope
        if not isinstance(state, Tensor) or state not in self._updates or self._updates[state] is not None:
            raise TaktError(f"scatter must be into a state that is not updated, not {getattr(state, 'name', state)!r}")
        if len(state.shape) != 2 or state.lanes != -1 or state.shape[0] > scope.config.mem_depth:
            raise TaktError(
                f"state must be a matrix in rows, at most mem_depth {scope.config.mem_depth} of them, "
                f"not {state.name} of shape {state.shape}"
            )
        rows, numbers = self._view(values), self._view(indices)
        if rows.dtype != state.dtype or len(rows.shape) != 2 or rows.shape[1] != state.shape[1]:
            raise TaktError(
                f"values must be {state.dtype} of shape (m, {state.shape[1]}), not {rows.dtype} of shape {rows.shape}"
            )
        whole = numbers.dtype == "int32" and numbers.shape == rows.shape[:1]
        if not whole and (numbers.dtype not in ("int16", "int32") or numbers.shape != rows.shape):
            raise TaktError(
                f"indices must be int32 of shape {rows.shape[:1]} or int16 or int32 of shape {rows.shape}, "
                f"not {numbers.dtype} of shape {numbers.shape}"
            )
        if whole:
            elements = np.broadcast_to(numbers.elements[:, None], rows.shape)
            numbers = View(numbers.tensor, np.ascontiguousarray(elements))
        name = self._fresh("scatter")
        op = Scatter(scope.config, name, state, self._passing(rows), self._passing(numbers))
        self._scattered.add(state)
        self._forget(state)
        self._append(op)

    def _passing(self, view: View) -> VectorOperand:
        """Return the operand of a scatter: what the host writes, or what a pass of the VXM makes."""
        scope = self._scope
        # SCATTER takes the bytes of a word side by side: the VXM writes them so, the SXM one after another.
        view = self._settled(view, -1)
        maker = next((op for op in self._operations if view.tensor in op.writes()), None)
        if scope.stored(view.tensor) and (maker is None or maker.as_pass is None):
            view = self._append(copy_pass(scope, self._fresh("copy"), view))[0].view()
        # Indices in padding would send words to where other tensors have elements; states begin with zeros there.
        view = self._settled(view, -1, Need.ZERO)
        return operand_of(scope, view.tensor, vectors_along(view.elements, -1, scope.config.vector_length))


class _Bits(View):
    """A view of a tensor's bits: integers of its size."""

    @property
    def dtype(self) -> str:
        """The integers'."""
        return BITS[self.itemsize].numpy.name


def _bits(views: Sequence[View]) -> list[View]:
    return [_Bits(view.tensor, view.elements) for view in views]
