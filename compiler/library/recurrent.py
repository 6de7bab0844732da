"""Recurrent cells, batch 1: one step, and a whole sequence in one program."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from compiler.expression.expr import Expr
from compiler.expression.functions import cast, sigmoid, tanh, where
from compiler.ir.tensor import Tensor, View, as_view
from compiler.library.bounds import vectors
from compiler.library.operands import product
from compiler.program import Program

Operand = Tensor | View


def lstm_step(
    program: Program, x: Operand, h: Operand, c: Operand, w_x: Operand, w_h: Operand, bias: Operand
) -> tuple[View, View]:
    """Return the next hidden and cell state (Hochreiter and Schmidhuber, with forget gate).

    ``i, f, g, o = x @ w_x + h @ w_h + bias``; ``c' = sigmoid(f) * c + sigmoid(i) * tanh(g)``;
    ``h' = sigmoid(o) * tanh(c')``. Products as `Program.matmul` of float16; all else in fp32, in the order written;
    h' is rounded to float16.

    Parameters
    ----------
    program : Program
    x : Tensor or View
        float16, shape (inputs,).
    h, c : Tensor or View
        float16 and float32, shape (hidden,).
    w_x, w_h : Tensor or View
        float16, shapes (inputs, 4 * hidden) and (hidden, 4 * hidden), gates in the order i, f, g, o; inputs or
        constants.
    bias : Tensor or View
        float32, shape (4 * hidden,); an input or a constant.

    Returns
    -------
    h, c : View
        float16 and float32, shape (hidden,).
    """
    hs, cell = lstm(program, as_view(x).reshape(1, x.shape[0]), w_x, w_h, bias, h, c)
    return hs[0], cell


def lstm(
    program: Program,
    x: Operand,
    w_x: Operand,
    w_h: Operand,
    bias: Operand,
    h: Operand | None = None,
    c: Operand | None = None,
) -> tuple[list[View], View]:
    """Return the hidden states after every step of a sequence, and the last cell state.

    One product of all inputs, then a product and a pass per step, which all read the same weights.

    Parameters
    ----------
    program : Program
    x : Tensor or View
        float16, shape (steps, inputs).
    w_x, w_h, bias
        As of `lstm_step`.
    h, c : Tensor or View, optional
        States before the first step, as of `lstm_step`; zeros by default.

    Returns
    -------
    h : list of View
        float16, shape (hidden,) each.
    c : View
        float32, shape (hidden,).
    """
    gates = Gates.of(program, w_h, 4)
    old: Operand = gates.state(program, h, "float16")
    cell: Operand = gates.state(program, c, "float32")
    from_x = lstm_inputs(program, gates, x, w_x)
    weights, shift = gates.weights(w_h), gates.apart(bias)
    found = []
    for step in range(x.shape[0]):
        cell, old = lstm_cell(program, gates, from_x[step : step + 1], weights, shift, old, cell)
        found.append(old[: gates.hidden])
    return found, cell[: gates.hidden]


def gru_step(
    program: Program, x: Operand, h: Operand, w_x: Operand, w_h: Operand, bias_x: Operand, bias_h: Operand
) -> View:
    """Return the next hidden state of a GRU (Cho et al.), reset after the product (ONNX linear_before_reset=1).

    ``r = sigmoid(xr + hr)``, ``z = sigmoid(xz + hz)``, ``n = tanh(xn + r * hn)``, ``h' = n + z * (h - n)`` with
    ``x* = x @ w_x + bias_x`` and ``h* = h @ w_h + bias_h`` in the order r, z, n; arithmetic as of `lstm_step`.

    Parameters
    ----------
    program : Program
    x, h : Tensor or View
        float16, shapes (inputs,) and (hidden,).
    w_x, w_h : Tensor or View
        float16, shapes (inputs, 3 * hidden) and (hidden, 3 * hidden); inputs or constants.
    bias_x, bias_h : Tensor or View
        float32, shape (3 * hidden,); inputs or constants.

    Returns
    -------
    View
        float16, shape (hidden,).
    """
    return gru(program, as_view(x).reshape(1, x.shape[0]), w_x, w_h, bias_x, bias_h, h)[0]


def gru(
    program: Program,
    x: Operand,
    w_x: Operand,
    w_h: Operand,
    bias_x: Operand,
    bias_h: Operand,
    h: Operand | None = None,
) -> list[View]:
    """Return the hidden states after every step of a sequence x, shape (steps, inputs); otherwise as `lstm`."""
    gates = Gates.of(program, w_h, 3)
    old: Operand = gates.state(program, h, "float16")
    from_x = gru_inputs(program, gates, x, w_x, bias_x)
    weights, shift = gates.weights(w_h), gates.apart(bias_h)
    found = []
    for step in range(x.shape[0]):
        old = gru_cell(program, gates, from_x[step : step + 1], weights, shift, old)
        found.append(old[: gates.hidden])
    return found


@dataclass(frozen=True)
class Gates:
    """Gates side by side, each of which begins a vector.

    Attributes
    ----------
    count, hidden : int
        Gates, and elements of each.
    size : int
        `hidden`, rounded up to whole vectors.
    """

    count: int
    hidden: int
    size: int

    @classmethod
    def of(cls, program: Program, w_h: Operand, count: int) -> "Gates":
        """Return the gates of a cell with such weights of the state."""
        hidden = w_h.shape[0]
        return cls(count, hidden, vectors(program.config, hidden) * program.config.vector_length)

    def apart(self, view: Operand) -> View:
        """Return a view with zeros behind every gate along its last axis."""
        rows = view.shape[:-1]
        parts = as_view(view).reshape(*rows, self.count, self.hidden)
        return parts.pad((*((0, 0) for _ in rows), (0, 0), (0, self.size - self.hidden))).reshape(
            *rows, self.count * self.size
        )

    def weights(self, w_h: Operand) -> View:
        """Return weights of a padded state."""
        return self.apart(w_h).pad(((0, self.size - self.hidden), (0, 0)))

    def state(self, program: Program, value: Operand | None, dtype: str) -> View:
        """Return a state before the first step, padded."""
        if value is None:
            return program.constant(program.fresh_name("zeros"), np.zeros(self.size, dtype)).view()
        return as_view(value).pad(((0, self.size - self.hidden),))

    def mask(self, gate: int) -> npt.NDArray[np.int8]:
        """Return the mask of one gate."""
        mask = np.zeros((self.count, self.size), np.int8)
        mask[gate] = -1
        return mask.reshape(-1)


def lstm_inputs(program: Program, gates: Gates, x: Operand, w_x: Operand) -> Tensor:
    """Return the gates' share of the inputs of all steps, padded."""
    return product(program, x, gates.apart(w_x))


def lstm_cell(
    program: Program, gates: Gates, from_x: Operand, weights: View, shift: View, h: Operand, c: Operand
) -> tuple[Tensor, Tensor]:
    """Return the next cell and hidden state, padded."""
    i, f, g, o = range(4)
    row = as_view(h).reshape(1, gates.size)
    made = product(program, row, weights, epilogue=lstm_gate, operands=(from_x, shift, gates.mask(g)))
    parts = made.reshape(4, gates.size)
    cell, y = program.map(lstm_state, parts[f], c, parts[i], parts[g], parts[o])
    return cell, y


def lstm_gate(from_h: Expr, from_x: Expr, shift: Expr, is_new: Expr) -> Expr:
    """Return a gate, or (in the vectors of `is_new`) what is new."""
    total = from_x + from_h + shift
    return where(is_new, tanh(total), sigmoid(total))


def lstm_state(keep: Expr, old: Expr, add: Expr, new: Expr, out: Expr) -> tuple[Expr, Expr]:
    """Return the cell state and the hidden state that gates make."""
    cell = keep * old + add * new
    return cell, cast(out * tanh(cell), "float16")


def gru_inputs(program: Program, gates: Gates, x: Operand, w_x: Operand, bias_x: Operand) -> Tensor:
    """Return the gates' share of the inputs of all steps, padded."""
    return product(
        program, x, gates.apart(w_x), epilogue=lambda total, shift: total + shift, operands=(gates.apart(bias_x),)
    )


def gru_cell(program: Program, gates: Gates, from_x: View, weights: View, shift: View, h: Operand) -> Tensor:
    """Return the next hidden state, padded."""
    r, z, n = range(3)
    row = as_view(h).reshape(1, gates.size)
    made = product(program, row, weights, epilogue=gru_gate, operands=(from_x, shift, gates.mask(n)))
    parts = made.reshape(3, gates.size)
    new_x = from_x.reshape(3, gates.size)[n]
    y: Tensor = program.map(gru_state, new_x, parts[r], parts[n], parts[z], h)
    return y


def gru_gate(from_h: Expr, from_x: Expr, shift: Expr, is_new: Expr) -> Expr:
    """Return a gate, or (in the vectors of `is_new`) the state's share of what is new."""
    total = from_h + shift
    return where(is_new, total, sigmoid(from_x + total))


def gru_state(new_x: Expr, reset: Expr, new_h: Expr, update: Expr, old: Expr) -> Expr:
    """Return the hidden state that gates make."""
    new = tanh(new_x + reset * new_h)
    return cast(new + update * (old - new), "float16")
