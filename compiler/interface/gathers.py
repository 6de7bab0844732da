"""Rows of a table, by index."""

import numpy as np

from arch.errors import TaktError
from compiler.gather.operation import Gather
from compiler.interface.workspace import Operand, Workspace
from compiler.mesh.graph import Graph
from compiler.tensor import Tensor
from compiler.vector.lanes import vectors_along
from compiler.vector.operation import Result


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
        `lanes` cycles per index, all blocks of columns and bytes at once, as far as there are slices.

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
