"""Control flow, unrolled: branches and trip counts are known when the model is compiled."""

from typing import Any

import numpy as np

from models.builder import Builder
from models.node import Node
from models.registry import operator
from models.value import Value, constant, known

_MOST = 4096
"""Turns of a loop that are unrolled."""


@operator("If")
def if_(builder: Builder, node: Node, condition: Value) -> Any:
    """Lower the branch that is taken."""
    taken = bool(known(condition, "condition").reshape(-1)[0])
    return node.run(node.attributes["then_branch" if taken else "else_branch"], [])


@operator("Loop")
def loop(
    builder: Builder, node: Node, count: Value | None = None, condition: Value | None = None, *carried: Value
) -> Any:
    """Lower the turns of a loop, one after the other."""
    turns = _MOST if count is None else int(known(count, "trip count").reshape(-1)[0])
    going = condition is None or bool(known(condition, "condition").reshape(-1)[0])
    body, values = node.attributes["body"], list(carried)
    rows: list[list[Value]] = []
    turn = 0
    while going and turn < turns:
        if turn >= _MOST:
            raise node.refuse(f"trip count must be at most {_MOST}, not more")
        again, *made = node.run(body, [constant(np.int64(turn)), constant(np.bool_(True)), *values])
        values = made[: len(carried)]
        rows.append(made[len(carried) :])
        going = bool(known(again, "condition").reshape(-1)[0])
        turn += 1
    if not rows and len(body.outputs) > 1 + len(carried):
        raise node.refuse("a loop that collects outputs must have a turn, not none")
    return (
        *values,
        *(_stacked(builder, [row[place] for row in rows], 0) for place in range(len(rows[0]) if rows else 0)),
    )


@operator("Scan", since=9)
def scan(builder: Builder, node: Node, *operands: Value) -> Any:
    """Lower a loop over slices of its operands."""
    body, several = node.attributes["body"], int(node.attributes["num_scan_inputs"])
    values, sequences = list(operands[: len(operands) - several]), operands[len(operands) - several :]
    states = len(values)
    outputs = len(body.outputs) - states
    axes = node.get("scan_input_axes") or (0,) * several
    back = node.get("scan_input_directions") or (0,) * several
    turns = sequences[0].shape[axes[0] % sequences[0].rank]
    rows: list[list[Value]] = []
    for turn in range(turns):
        slices = [
            _slice(builder, sequence, axis, turns - 1 - turn if turned else turn)
            for sequence, axis, turned in zip(sequences, axes, back, strict=True)
        ]
        made = node.run(body, [*values, *slices])
        values = made[:states]
        rows.append(made[states:])
    places = node.get("scan_output_axes") or (0,) * outputs
    turned = node.get("scan_output_directions") or (0,) * outputs
    collected = [
        _stacked(builder, [row[place] for row in (rows[::-1] if turned[place] else rows)], places[place])
        for place in range(outputs)
    ]
    return (*values, *collected)


def _slice(builder: Builder, value: Value, axis: int, place: int) -> Value:
    return builder.moved(value, lambda numbers: np.take(numbers, place, axis))


def _stacked(builder: Builder, values: list[Value], axis: int) -> Value:
    """Return values of one shape along a new axis."""
    if all(value.array is not None for value in values):
        return constant(np.stack([value.array for value in values if value.array is not None], axis), values[0].dtype)
    rank = values[0].rank + 1
    raised = [builder.moved(value, lambda numbers: np.expand_dims(numbers, axis % rank)) for value in values]
    return builder.join(raised, axis % rank)
