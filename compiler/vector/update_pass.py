"""Passes that copy bits: a state's value for the next run."""

from dataclasses import replace

import numpy as np

from arch.errors import TaktError
from compiler.mesh.graph import Graph, Kind, Node, Port, Ref
from compiler.mesh.keepers import BITS
from compiler.tensor import Tensor, View
from compiler.vector.lanes import distinct, find_vectors, lane_axis, vectors_along
from compiler.vector.map_pass import Scope
from compiler.vector.operation import Operand, Pass, Result


def copy_pass(scope: Scope, name: str, value: View) -> Pass:
    """Return the pass that makes a tensor of a view."""
    lanes = lane_axis(value, scope.config.vector_length)
    return _copy(scope, name, value, Tensor(name, value.shape, value.dtype, None, lanes), makes=True)


def update_pass(scope: Scope, state: Tensor, value: View) -> Pass:
    """Return the pass that copies a value to a state.

    Raises
    ------
    TaktError
        When shapes or formats differ, or the value's vectors are not the state's.
    """
    if value.shape != state.shape or value.dtype != state.dtype:
        raise TaktError(
            f"update of {state.name} must be {state.dtype} of shape {state.shape}, "
            f"not {value.dtype} of shape {value.shape}"
        )
    return _copy(scope, f"update of {state.name}", value, state, makes=False)


def weights_pass(scope: Scope, name: str, value: View) -> Pass:
    """Return the pass that copies the columns of a matrix, and clears the lanes beyond their end."""
    vector, (length, _) = scope.config.vector_length, value.shape
    copy = _copy(scope, name, value, Tensor(name, value.shape, value.dtype, None, -2), makes=True)
    if length % vector == 0:
        return copy
    bits = BITS[value.itemsize]
    kept = np.zeros((-(-length // vector), vector), bits.numpy)
    kept.reshape(-1)[:length] = -1
    mask = scope.constant(f"{name}.mask", kept)
    blocks = np.repeat(np.arange(len(kept)), value.shape[1])
    rows = np.arange(kept.size, dtype=np.int32).reshape(kept.shape)
    node = Node("AND", bits, bits, (Ref(Kind.PORT, 0), Ref(Kind.PORT, 1)))
    graph = Graph((node,), (Port(0, bits), Port(1, bits)), (0,))
    return replace(copy, graph=graph, operands=(*copy.operands, Operand(mask, rows, blocks)))


def _copy(scope: Scope, name: str, value: View, target: Tensor, makes: bool) -> Pass:
    vector = scope.config.vector_length
    wanted = vectors_along(value.elements, target.lanes, vector)
    if scope.stored(value.tensor):
        operand = Operand(value.tensor, None, find_vectors(value.tensor, wanted, vector))
    else:
        operand = Operand(value.tensor, *distinct(wanted))
    bits = BITS[target.itemsize]
    graph = Graph((Node("PASS", bits, bits, (Ref(Kind.PORT, 0),)),), (Port(0, bits),), (0,))
    result = Result(target, np.arange(len(wanted)))
    restarts = np.zeros(len(wanted), np.bool_)
    return Pass(scope.config, name, graph, (operand,), (result,), restarts, makes=makes)
