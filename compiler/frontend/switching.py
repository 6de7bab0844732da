"""Elements between lanes."""

from typing import Any

import numpy as np

from arch.errors import TaktError
from arch.geometry import UnitKind
from compiler.arguments import flag, integer, integers
from compiler.declare.switch_pass import lane_map as map_operand
from compiler.declare.switch_pass import moved, rotated, switch_transposed
from compiler.declare.transposition import transposition
from compiler.declare.update_pass import copy_pass
from compiler.frontend.workspace import Operand, Workspace
from compiler.ir.tensor import Tensor, View
from compiler.ir.vector import Operand as MapOperand


class Switching(Workspace):
    """Operations of the SXM.

    They work on every vector of a tensor alike, whatever its format; an element of n bytes takes n instructions per
    vector. Vectors run along the last axis, wherever a tensor has its lanes: what has them elsewhere is transposed
    first. A result has whole vectors: its last axis is the operand's, rounded up to the vector length.
    """

    def shift(self, x: Operand, amount: int, down: bool = False) -> Tensor:
        """Return `x` with every vector moved by `amount` lanes, up or down; zeros move in.

        Raises
        ------
        TaktError
            For an amount beyond the vector length.
        """
        self._check_amount(amount)
        views = [("src", self._view(x))]
        return self._moved("SHIFT", UnitKind.SXM_SHIFT, views, amount=int(amount), down=int(flag("down", down)))

    def select(self, low: Operand, high: Operand, amount: int) -> Tensor:
        """Return vectors with lanes below `amount` from `low` and the others from `high`.

        Raises
        ------
        TaktError
            For an amount beyond the vector length, and sources of different shape or format.
        """
        self._check_amount(amount)
        views = [("src", self._view(high)), ("low", self._view(low))]
        return self._moved("SELECT", UnitKind.SXM_SHIFT, views, amount=int(amount))

    def permute(self, x: Operand, lane_map: Operand, register: bool = False) -> Tensor:
        """Return vectors whose lane i is lane ``lane_map[i]`` of x; 0 where that is no lane.

        Parameters
        ----------
        x : Tensor, View or ndarray
        lane_map : Tensor, View or ndarray
            int16, shape (vector_length,); an input may change it from run to run.
        register : bool
            Load the map into a map register first (LOADMAP) instead of reading it with every vector.

        Raises
        ------
        TaktError
            For a map of another format or length.
        """
        found = map_operand(self._scope, self._map(lane_map, np.int16), 2, False)
        views = [("src", self._view(x))]
        return self._moved("PERMUTE", UnitKind.SXM_PERMUTE, views, found, register)

    def distribute(self, x: Operand, lane_map: Operand, register: bool = False) -> Tensor:
        """Return vectors whose lane l of a superlane is its lane ``lane_map[l]`` of x; 0 where that is no lane.

        Parameters
        ----------
        x : Tensor, View or ndarray
        lane_map : Tensor, View or ndarray
            int8, shape (vector_length,), or (lanes,) for all superlanes.
        register : bool
            As in `permute`.

        Raises
        ------
        TaktError
            For a map of another format or length.
        """
        found = map_operand(self._scope, self._map(lane_map, np.int8), 1, True)
        views = [("src", self._view(x))]
        return self._moved("DISTRIBUTE", UnitKind.SXM_DISTRIBUTE, views, found, register)

    def rotate(self, x: Operand, size: int) -> Tensor:
        """Return all rotations of the window of size x size lanes in every superlane, in `size` ** 2 parts.

        Part ``size * a + b`` has element ``((i + a) % size, (j + b) % size)`` in lane ``size * i + j``.

        Returns
        -------
        Tensor
            Shape (size * size, *whole vectors of x).

        Raises
        ------
        TaktError
            For a size that the machine does not have.
        """
        return self._append(rotated(self._scope, self._fresh("rotate"), self._view(x), size))[0]

    def switch_transpose(self, x: Operand) -> Tensor:
        """Return vectors in groups of `lanes`, each group transposed within every superlane.

        Vector j of a group has in lane l of a superlane what vector l has in lane j of it; missing vectors are zeros.

        Returns
        -------
        Tensor
            Shape (vectors, lanes of whole vectors).
        """
        ops = switch_transposed(self._scope, self._fresh("transpose"), self._view(x))
        return [self._append(op) for op in ops][-1][0]

    def transpose2d(self, x: Operand) -> Tensor:
        """Return a matrix with rows and columns exchanged, lanes along the new columns.

        Notes
        -----
        A TRANSPOSE per byte and tile of lanes x vector_length elements. Inputs and constants come in the order that it
        wants; of a result the superlanes are exchanged first, by `superlanes` PERMUTEs and SELECTs.

        Raises
        ------
        TaktError
            For a tensor that is no matrix.
        """
        view = self._view(x)
        if len(view.shape) != 2:
            raise TaktError(f"x must be a matrix, not {view.dtype} of shape {view.shape}")
        return self.transpose(view, (1, 0))

    def transpose(self, x: Operand, axes: tuple[int, ...]) -> Tensor:
        """Return a tensor with its axes in another order, lanes along the last one.

        Notes
        -----
        As `transpose2d`, of every matrix of the new and the old last axis; if that stays the last, vectors are copied.

        Raises
        ------
        TaktError
            For axes that are no permutation.
        """
        view = self._view(x)
        if sorted(integers("axes", axes)) != list(range(len(view.shape))):
            raise TaktError(f"axes must be a permutation of 0 to {len(view.shape) - 1}, not {axes!r}")
        name = self._fresh("transpose")
        if axes[-1] == len(axes) - 1:
            return self._append(copy_pass(self._scope, name, view.transpose(*axes), -1))[0]
        return [self._append(op) for op in transposition(self._scope, name, view, axes)][-1][0]

    def _moved(
        self,
        mnemonic: str,
        kind: UnitKind,
        views: list[tuple[str, View]],
        lane_map: MapOperand | None = None,
        register: bool = False,
        **fields: int,
    ) -> Tensor:
        if lane_map is not None:
            # All operations with a map in a register take register 0 in turn.
            fields |= {"streamed": int(not register), "register": 0}
        name = self._fresh(mnemonic.lower())
        return self._append(
            moved(self._scope, name, mnemonic, kind, views, lane_map, 0 if register else None, **fields)
        )[0]

    def _map(self, lane_map: Operand, dtype: type[np.integer[Any]]) -> View:
        if isinstance(lane_map, Tensor | View):
            return self._view(lane_map)
        array = np.asarray(lane_map)
        if array.dtype.kind not in "iu" or not (array == array.astype(dtype)).all():
            raise TaktError(f"lane_map must be integers of {np.dtype(dtype).name}, not {array.dtype}")
        return self._view(array.astype(dtype))

    def _check_amount(self, amount: int) -> None:
        vector = self._scope.config.vector_length
        integer("amount", amount, 0, vector)
