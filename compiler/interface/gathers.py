"""Rows by index: of a table, and into a state."""

import numpy as np

from arch.errors import TaktError
from compiler.gather.operation import Gather
from compiler.interface.workspace import Operand, Workspace
from compiler.mesh.graph import Graph
from compiler.scatter.operation import Scatter
from compiler.tensor import Tensor, View
from compiler.vector.lanes import vectors_along
from compiler.vector.map_pass import operand_of
from compiler.vector.operation import Operand as VectorOperand
from compiler.vector.operation import Pass, Result
from compiler.vector.padding import Need
from compiler.vector.update_pass import copy_pass


class Gathers(Workspace):
    """Operations of MEM by index."""

    def gather(self, table: Operand, indices: Operand) -> Tensor:
        """Return rows of a table.

        Parameters
        ----------
        table : Tensor, View or ndarray
            Shape (v, n), an input or a constant; at most `mem_depth` rows.
        indices : Tensor, View or ndarray
            int32, shape (m,), an input or a constant; those outside 0 to v - 1 give arbitrary words.

        Returns
        -------
        Tensor
            Shape (m, n).

        Notes
        -----
        `lanes` cycles per index and part (a byte of a block of columns) of a slice. All slices share the work, with
        copies of parts where there is room: about ``lanes * parts * m / slices`` cycles, and at least m.

        Raises
        ------
        TaktError
            For shapes and formats that do not fit, results, and a table that does not fit a bank.
        """
        scope, rows, numbers = self._scope, self._view(table), self._view(indices)
        if len(rows.shape) != 2:
            raise TaktError(f"table must be a matrix, not {rows.dtype} of shape {rows.shape}")
        if numbers.dtype != "int32" or len(numbers.shape) != 1:
            raise TaktError(f"indices must be int32 of shape (m,), not {numbers.dtype} of shape {numbers.shape}")
        for name, view in (("table", rows), ("indices", numbers)):
            if scope.stored(view.tensor):
                raise TaktError(f"{name} must be an input or a constant, not the result {view.name!r}")
        if rows.shape[0] > scope.config.mem_depth:
            raise TaktError(f"table must have at most mem_depth {scope.config.mem_depth} rows, not {rows.shape[0]}")
        vector = scope.config.vector_length
        name = self._fresh("gather")
        target = Tensor(name, (numbers.shape[0], rows.shape[1]), rows.dtype)
        table_rows = vectors_along(rows.elements, -1, vector)
        steps = np.arange(-(-rows.shape[1] // vector) * numbers.shape[0])
        op = Gather(
            scope.config,
            name,
            Graph((), (), ()),
            (),
            (Result(target, steps),),
            table=rows.tensor,
            indices=numbers.tensor,
            table_rows=table_rows,
            index_rows=np.repeat(numbers.elements[:, None], vector, axis=1),
        )
        return self._append(op)[0]

    def scatter(self, state: Tensor, indices: Operand, values: Operand) -> None:
        """Replace rows of a state, in this run and for those that follow.

        Operations before it in the program read the state as it was, later ones as it is then.

        Parameters
        ----------
        state : Tensor
            Shape (v, n), lanes along n; at most `mem_depth` rows.
        indices : Tensor, View or ndarray
            Shape (m,), int32, an input or a constant: the row that each of `values` becomes; or int16 or int32 of shape
            (m, n): element (k, j) goes to row ``indices[k, j]`` of column j. From 0 to v - 1; others overwrite what is
            not theirs. Of equal ones the last row counts.
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
        if whole and scope.stored(numbers.tensor):
            raise TaktError(f"indices of rows must be an input or a constant, not the result {numbers.name!r}")
        if whole:
            elements = np.broadcast_to(numbers.elements[:, None], rows.shape)
            numbers = View(numbers.tensor, np.ascontiguousarray(elements))
        name = self._fresh("scatter")
        operands = tuple(self._passing(view) for view in (rows, numbers))
        steps = np.arange(len(operands[0].steps))
        op = Scatter(scope.config, name, Graph((), (), ()), operands, (Result(state, steps),), makes=False)
        self._scattered.add(id(state))
        self._forget(state)
        self._append(op)

    def _passing(self, view: View) -> VectorOperand:
        """Return the operand of a scatter: what the host writes, or what a pass of the VXM makes."""
        scope = self._scope
        makers = (op for op in self._operations if isinstance(op, Pass) and view.tensor in op.writes())
        maker = next(makers, None)
        if scope.stored(view.tensor) and (maker is None or not maker.in_mesh):
            view = self._append(copy_pass(scope, self._fresh("copy"), view))[0].view()
        # Indices in padding would send words to where other tensors have elements; states begin with zeros there.
        view = self._settled(view, -1, Need.ZERO)
        return operand_of(scope, view.tensor, vectors_along(view.elements, -1, scope.config.vector_length))
