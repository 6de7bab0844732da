"""Passes that copy bits: a state's value for the next run, and views without what does not belong to them."""

from dataclasses import replace

import numpy as np

from arch.errors import TaktError
from compiler.declare.map_pass import Scope, common_lanes, operand_of
from compiler.expression.expr import BITS
from compiler.ir.lanes import distinct, vectors_along
from compiler.ir.tensor import Tensor, View
from compiler.ir.vector import Operand, Pass, Result, identity
from compiler.mesh.graph import Graph, Kind, Node, Port, Ref


def copy_pass(scope: Scope, name: str, value: View, lanes: int | None = None) -> Pass:
    """Return the pass that makes a tensor of a view, lanes along an axis, by default where they are."""
    lanes = common_lanes(scope, [value], value.shape, lanes)
    value = scope.settled(value, lanes)
    return _copy(scope, name, value, Tensor(name, value.shape, value.dtype, None, lanes), makes=True)


def update_pass(scope: Scope, state: Tensor, value: View) -> Pass:
    """Return the pass that copies a value to a state.

    Raises
    ------
    TaktError
        When shapes or formats differ.
    """
    if value.shape != state.shape or value.dtype != state.dtype:
        raise TaktError(
            f"update of {state.name} must be {state.dtype} of shape {state.shape}, "
            f"not {value.dtype} of shape {value.shape}"
        )
    value = scope.settled(value, state.lanes)
    return _copy(scope, f"update of {state.name}", value, state, makes=False)


def clearing_pass(scope: Scope, name: str, value: View, lanes: int) -> Pass:
    """Return the pass that makes a tensor of a view, lanes along an axis, and clears every lane without an element."""
    vector = scope.config.vector_length
    copy = _copy(scope, name, value, Tensor(name, value.shape, value.dtype, None, lanes), makes=True)
    held = vectors_along(value.elements, lanes, vector) >= 0
    held[~held.any(axis=1)] = True  # vectors of zeros alone come from a word of zeros
    if held.all():
        return copy
    bits = BITS[value.itemsize]
    rows, steps = distinct(held.astype(np.int32))
    mask = scope.shared("mask", -rows.astype(bits.numpy))
    elements = np.arange(rows.size, dtype=np.int32).reshape(rows.shape)
    node = Node("AND", bits, bits, (Ref(Kind.PORT, 0), Ref(Kind.PORT, 1)))
    graph = Graph((node,), (Port(0, bits), Port(1, bits)), (0,))
    return replace(copy, graph=graph, operands=(*copy.operands, Operand(mask, elements, steps)))


def _copy(scope: Scope, name: str, value: View, target: Tensor, makes: bool) -> Pass:
    wanted = vectors_along(value.elements, target.lanes, scope.config.vector_length)
    operand, result = operand_of(scope, value.tensor, wanted), Result(target, np.arange(len(wanted)))
    return identity(scope.config, name, operand, result, makes)
