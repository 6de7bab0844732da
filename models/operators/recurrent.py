"""Recurrent layers: LSTM, GRU and RNN over sequences of any length, batch and direction, unrolled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from onnx_ir import DataType

from compiler.expression import functions as fn
from compiler.expression.expr import Expr
from models.builder import Builder
from models.node import Node
from models.operators import functions as more
from models.operators.products import matrix_product, shaped, turned
from models.registry import operator
from models.value import Value, constant

Activation = Callable[[Expr], Expr]

_ACTIVATIONS: dict[str, Callable[[float, float], Activation]] = {
    "affine": lambda a, b: lambda x: x * a + b,
    "elu": lambda a, b: lambda x: fn.where(x > 0.0, x, (fn.exp(fn.minimum(x, 0.0)) - 1.0) * a),
    "hardsigmoid": lambda a, b: lambda x: fn.minimum(fn.maximum(x * a + b, 0.0), 1.0),
    "leakyrelu": lambda a, b: lambda x: fn.where(x < 0.0, x * a, x),
    "relu": lambda a, b: fn.relu,
    "scaledtanh": lambda a, b: lambda x: fn.tanh(x * b) * a,
    "sigmoid": lambda a, b: fn.sigmoid,
    "softplus": lambda a, b: more.softplus,
    "softsign": lambda a, b: lambda x: x * fn.recip(more.absolute(x) + 1.0),
    "tanh": lambda a, b: fn.tanh,
    "thresholdedrelu": lambda a, b: lambda x: fn.where(x > a, x, 0.0),
}

_DEFAULTS = {
    "affine": (1.0, 0.0),
    "elu": (1.0, 0.0),
    "hardsigmoid": (0.2, 0.5),
    "leakyrelu": (0.01, 0.0),
    "scaledtanh": (1.0, 1.0),
    "thresholdedrelu": (1.0, 0.0),
}
"""alpha and beta where a model gives none."""


def _activations(node: Node, defaults: Sequence[str], directions: int) -> list[list[Activation]]:
    """Return the activations of each direction."""
    names = [name.lower() for name in node.get("activations") or [*defaults] * directions]
    alphas, betas = list(node.get("activation_alpha") or ()), list(node.get("activation_beta") or ())
    found = []
    for name in names:
        if name not in _ACTIVATIONS:
            raise node.refuse(f"activation must be one of {', '.join(_ACTIVATIONS)}, not {name!r}")
        alpha, beta = _DEFAULTS.get(name, (0.0, 0.0))
        if name in _DEFAULTS and alphas:
            alpha = float(alphas.pop(0))
        if name in ("affine", "hardsigmoid", "scaledtanh") and betas:
            beta = float(betas.pop(0))
        found.append(_ACTIVATIONS[name](alpha, beta))
    each = len(defaults)
    # The standard gives RNN one more than a single direction takes.
    if len(found) < each * directions:
        raise node.refuse(f"activations must be at least {each * directions}, not {len(found)}")
    return [found[place * each : (place + 1) * each] for place in range(directions)]


@dataclass(frozen=True)
class Cell:
    """One direction of a layer.

    Attributes
    ----------
    builder : Builder
    gates, hidden, size : int
        Gates, elements of each, and those rounded up to whole vectors, at which gates begin.
    weights : Value
        Of the state: shape (hidden, gates * size).
    from_x : Value
        Share of the inputs with both biases: shape (steps, batch, gates * size).
    bias : Value
        Of the state: shape (gates * size,).
    clip : float or None
    """

    builder: Builder
    gates: int
    hidden: int
    size: int
    weights: Value
    from_x: Value
    bias: Value
    clip: float | None

    def part(self, value: Value, gate: int) -> Value:
        """Return one gate of (..., gates * size)."""
        start = gate * self.size
        return self.builder.part(value, (..., slice(start, start + self.hidden)))

    def input(self, step: int) -> Value:
        """Return the inputs' share in a step."""
        return self.builder.part(self.from_x, step)

    def clipped(self, x: Expr) -> Expr:
        """Return what an activation takes."""
        return x if self.clip is None else fn.minimum(fn.maximum(x, -self.clip), self.clip)

    def map(self, function: Callable[..., Any], *values: Value) -> Any:
        """Return a function of values in float32: what is kept within a step."""
        return self.builder.map(function, *values, dtype=values[0].dtype, format_="float32")

    def product(self, h: Value, gates: slice = slice(None)) -> Value:
        """Return ``h @ weights`` of some gates."""
        part = slice(
            None if gates.start is None else gates.start * self.size,
            None if gates.stop is None else gates.stop * self.size,
        )
        return matrix_product(self.builder, h, self.builder.part(self.weights, (slice(None), part)))


def _cell(builder: Builder, node: Node, x: Value, w: Value, r: Value, b: Value | None, place: int, gates: int) -> Cell:
    """Return one direction of a layer; weights as ONNX has them, (directions, gates * hidden, n)."""
    hidden = r.shape[2]
    vector = builder.program.config.vector_length
    size = -(-hidden // vector) * vector

    def apart(value: Value, direction: int) -> Value:
        def moved(numbers: Any) -> Any:
            parts = numbers[direction].reshape(gates, hidden, -1)
            return np.pad(parts, [(0, 0), (0, size - hidden), (0, 0)]).reshape(gates * size, -1)

        return builder.moved(value, moved)

    both = constant(np.zeros((w.shape[0], 2 * gates * hidden), w.dtype.numpy()), w.dtype) if b is None else b
    biases = [
        builder.moved(
            apart(builder.part(both, (slice(None), part)), place),
            lambda numbers: numbers.reshape(-1),
        )
        for part in (slice(0, gates * hidden), slice(gates * hidden, None))
    ]
    steps, batch, inputs = x.shape
    rows = shaped(builder, x, (steps * batch, inputs))
    weights = turned(builder, apart(w, place), (1, 0))
    from_x = matrix_product(builder, rows, weights, fn.add, [biases[0]])
    clip = node.get("clip")
    return Cell(
        builder,
        gates,
        hidden,
        size,
        turned(builder, apart(r, place), (1, 0)),
        shaped(builder, from_x, (steps, batch, gates * size)),
        biases[1],
        None if clip is None else float(clip),
    )


Step = Callable[[int, Value, Value | None], tuple[Value, Value | None]]


def _layer(
    builder: Builder,
    node: Node,
    x: Value,
    hidden: int,
    lengths: Value | None,
    states: Sequence[Value | None],
    step_of: Callable[[int, Value], Step],
) -> tuple[Value, ...]:
    """Return the outputs of a layer: all states (steps, directions, batch, hidden), and the last ones.

    Parameters
    ----------
    builder, node, x, hidden, lengths
    states : sequence of Value or None
        Hidden state, and cell state if there is one, at the start.
    step_of : callable
        ``step_of(direction, x)(step, h, c)`` returns the next h and c.
    """
    first = bool(node.get("layout", 0))
    if first:
        x = turned(builder, x, (1, 0, 2))
        states = [None if state is None else turned(builder, state, (1, 0, 2)) for state in states]
    direction = node.get("direction", "forward")
    turns = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}
    if direction not in turns:
        raise node.refuse(f"direction must be one of {', '.join(turns)}, not {direction!r}")
    steps, batch, _ = x.shape
    zeros = constant(np.zeros((batch, hidden), x.dtype.numpy()), x.dtype)
    every: list[list[Value]] = []
    last: list[list[Value]] = []
    for place, back in enumerate(turns[direction]):
        start = [zeros if state is None else builder.part(state, place) for state in states]
        h, c = start[0], start[1] if len(start) > 1 else None
        step, made = step_of(place, x), {}
        for time in reversed(range(steps)) if back else range(steps):
            next_h, next_c = step(time, h, c)
            made[time] = next_h
            if lengths is not None:
                next_h, made[time] = _within(builder, lengths, time, next_h, h)
                if next_c is not None and c is not None:
                    next_c = _within(builder, lengths, time, next_c, c)[0]
            h, c = next_h, next_c
        every.append([made[time] for time in range(steps)])
        last.append([h] if c is None else [h, c])
    wide = [_stack(builder, [_stack(builder, [row[time] for row in every], 0) for time in range(steps)], 0)]
    wide += [_stack(builder, [row[state] for row in last], 0) for state in range(len(last[0]))]
    if first:
        wide = [turned(builder, wide[0], (2, 0, 1, 3)), *(turned(builder, one, (1, 0, 2)) for one in wide[1:])]
    return tuple(replace(one, dtype=x.dtype) for one in wide)


def _stack(builder: Builder, values: Sequence[Value], axis: int) -> Value:
    return builder.join([builder.moved(value, lambda numbers: np.expand_dims(numbers, axis)) for value in values], axis)


def _within(builder: Builder, lengths: Value, time: int, new: Value, old: Value) -> tuple[Value, Value]:
    """Return a state that stays beyond the end of a sequence, and the output, which is 0 there."""
    mask = shaped(builder, lengths, (*lengths.shape, 1))
    inside = builder.map(lambda size: more.boolean(size > time), mask, dtype=DataType.BOOL)
    made: list[Value] = builder.map(
        lambda now, before, is_in: (fn.where(is_in, now, before), fn.where(is_in, fn.cast(now, "float32"), 0.0)),
        new,
        old,
        inside,
        dtype=new.dtype,
        format_=builder.view(new).dtype,
    )
    return made[0], made[1]


@operator("RNN")
def rnn(
    builder: Builder, node: Node, x: Value, w: Value, r: Value,
    b: Value | None = None, lengths: Value | None = None, h: Value | None = None,
) -> Any:  # fmt: skip
    """Lower ``h = f(x W + h R + b)``."""
    functions = _activations(node, ["Tanh"], w.shape[0])

    def step_of(place: int, rows: Value) -> Step:
        cell, (f,) = _cell(builder, node, rows, w, r, b, place, 1), functions[place]

        def step(time: int, old: Value, _: Value | None) -> tuple[Value, None]:
            made = matrix_product(
                builder,
                old,
                cell.weights,
                lambda total, of_x, bias: f(cell.clipped(total + of_x + bias)),
                [cell.input(time), cell.bias],
            )
            return cell.part(made, 0), None

        return step

    return _layer(builder, node, x, r.shape[2], lengths, [h], step_of)


@operator("GRU")
def gru(
    builder: Builder, node: Node, x: Value, w: Value, r: Value,
    b: Value | None = None, lengths: Value | None = None, h: Value | None = None,
) -> Any:  # fmt: skip
    """Lower a GRU, reset before or after the product; gates in the order z, r, h."""
    functions, after = _activations(node, ["Sigmoid", "Tanh"], w.shape[0]), bool(node.get("linear_before_reset", 0))

    def step_of(place: int, rows: Value) -> Step:
        cell, (f, g) = _cell(builder, node, rows, w, r, b, place, 3), functions[place]

        def gate(total: Expr, of_x: Expr, bias: Expr) -> Expr:
            return f(cell.clipped(total + of_x + bias))

        def last(z: Expr, new: Expr, old: Expr) -> Expr:
            return (1.0 - z) * new + z * old

        def step(time: int, old: Value, _: Value | None) -> tuple[Value, None]:
            of_x, bias = cell.input(time), [cell.part(cell.bias, gate) for gate in range(3)]
            total = cell.product(old) if after else cell.product(old, slice(0, 2))
            z, reset = (
                cell.map(gate, cell.part(total, number), cell.part(of_x, number), bias[number]) for number in range(2)
            )
            if after:
                return (
                    builder.map(
                        lambda z, r, of_h, of_x, bias, old: last(
                            z, g(cell.clipped(of_x + r * (of_h + bias))), old
                        ),
                        z, reset, cell.part(total, 2), cell.part(of_x, 2), bias[2], old, dtype=x.dtype,
                    ),
                    None,
                )  # fmt: skip
            kept = builder.map(fn.multiply, reset, old, dtype=x.dtype)
            of_h = cell.product(kept, slice(2, 3))
            made = builder.map(
                lambda z, of_h, of_x, bias, old: last(z, g(cell.clipped(of_x + of_h + bias)), old),
                z, cell.part(of_h, 0), cell.part(of_x, 2), bias[2], old, dtype=x.dtype,
            )  # fmt: skip
            return made, None

        return step

    return _layer(builder, node, x, r.shape[2], lengths, [h], step_of)


@operator("LSTM")
def lstm(
    builder: Builder, node: Node, x: Value, w: Value, r: Value, b: Value | None = None, lengths: Value | None = None,
    h: Value | None = None, c: Value | None = None, p: Value | None = None,
) -> Any:  # fmt: skip
    """Lower an LSTM with or without peepholes; gates in the order i, o, f, c."""
    functions, coupled = _activations(node, ["Sigmoid", "Tanh", "Tanh"], w.shape[0]), bool(node.get("input_forget", 0))
    hidden = r.shape[2]

    def step_of(place: int, rows: Value) -> Step:
        cell, (f, g, out) = _cell(builder, node, rows, w, r, b, place, 4), functions[place]
        zeros = constant(np.zeros((1, 3 * hidden), x.dtype.numpy()), x.dtype)
        peepholes = zeros if p is None else builder.part(p, slice(place, place + 1))
        peep = [builder.part(peepholes, (0, slice(gate * hidden, (gate + 1) * hidden))) for gate in range(3)]

        def gate(total: Expr, cell_state: Expr, weight: Expr) -> Expr:
            return f(cell.clipped(total if p is None else total + cell_state * weight))

        def state(i: Expr, forget: Expr, new: Expr, old: Expr, w_i: Expr, w_f: Expr) -> Expr:
            enter = gate(i, old, w_i)
            keep = 1.0 - enter if coupled else gate(forget, old, w_f)
            return keep * old + enter * g(cell.clipped(new))

        def step(time: int, old: Value, old_c: Value | None) -> tuple[Value, Value]:
            assert old_c is not None
            total = cell.map(
                lambda of_h, of_x, bias: of_h + of_x + bias, cell.product(old), cell.input(time), cell.bias
            )
            i, o, forget, new = (cell.part(total, number) for number in range(4))
            next_c = cell.map(state, i, forget, new, old_c, peep[0], peep[2])
            next_h = builder.map(
                lambda o, state, weight: gate(o, state, weight) * out(state), o, next_c, peep[1], dtype=x.dtype
            )
            return next_h, next_c

        return step

    return _layer(builder, node, x, hidden, lengths, [h, c], step_of)
