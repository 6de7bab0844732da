"""Steps of recurrent cells, batch 1: LSTM and GRU."""

import numpy as np

from golden.reference.fp32 import Float16, Float32, apply, narrowed
from golden.reference.matmul_fp16 import matmul_fp16


def lstm_cell(
    x: Float16, h: Float16, c: Float32, w_x: Float16, w_h: Float16, bias: Float32, vector_length: int
) -> tuple[Float16, Float32]:
    """Return the next hidden and cell state (Hochreiter and Schmidhuber, with forget gate).

    ``i, f, g, o = x @ w_x + h @ w_h + bias``; ``c' = sigmoid(f) * c + sigmoid(i) * tanh(g)``;
    ``h' = sigmoid(o) * tanh(c')``. Products as in `matmul_fp16`; all else in fp32, in the order written; h' is rounded
    to fp16.

    Parameters
    ----------
    x : ndarray of float16, shape (inputs,)
    h : ndarray of float16, shape (hidden,)
    c : ndarray of float32, shape (hidden,)
    w_x, w_h : ndarray of float16, shapes (inputs, 4 * hidden), (hidden, 4 * hidden)
        Gates in the order i, f, g, o.
    bias : ndarray of float32, shape (4 * hidden,)
    vector_length : int
        Terms of an MXM pass.

    Returns
    -------
    h, c : ndarray of float16, ndarray of float32, shape (hidden,)
    """
    inputs, hidden = (matmul_fp16(v[None], w, vector_length)[0] for v, w in ((x, w_x), (h, w_h)))
    i, f, g, o = np.split(apply("ADD", apply("ADD", inputs, hidden), bias), 4)
    kept = apply("MUL", apply("SIGMOID", f), c)
    added = apply("MUL", apply("SIGMOID", i), apply("TANH", g))
    cell = apply("ADD", kept, added)
    return narrowed(apply("MUL", apply("SIGMOID", o), apply("TANH", cell)), np.float16), cell


def gru_cell(
    x: Float16,
    h: Float16,
    w_x: Float16,
    w_h: Float16,
    bias_x: Float32,
    bias_h: Float32,
    vector_length: int,
) -> Float16:
    """Return the next hidden state of a GRU (Cho et al.), reset after the product (ONNX linear_before_reset=1).

    ``r = sigmoid(xr + hr)``, ``z = sigmoid(xz + hz)``, ``n = tanh(xn + r * hn)``, ``h' = n + z * (h - n)`` with
    ``x* = x @ w_x + bias_x`` and ``h* = h @ w_h + bias_h`` in the order r, z, n. Products as in `matmul_fp16`; all else
    in fp32, in the order written; h' is rounded to fp16.

    Parameters
    ----------
    x : ndarray of float16, shape (inputs,)
    h : ndarray of float16, shape (hidden,)
    w_x, w_h : ndarray of float16, shapes (inputs, 3 * hidden), (hidden, 3 * hidden)
    bias_x, bias_h : ndarray of float32, shape (3 * hidden,)
    vector_length : int
        Terms of an MXM pass.

    Returns
    -------
    ndarray of float16, shape (hidden,)
    """
    xr, xz, xn = np.split(apply("ADD", matmul_fp16(x[None], w_x, vector_length)[0], bias_x), 3)
    hr, hz, hn = np.split(apply("ADD", matmul_fp16(h[None], w_h, vector_length)[0], bias_h), 3)
    reset = apply("SIGMOID", apply("ADD", xr, hr))
    update = apply("SIGMOID", apply("ADD", xz, hz))
    new = apply("TANH", apply("ADD", xn, apply("MUL", reset, hn)))
    before = h.astype(np.float32)
    return narrowed(apply("ADD", new, apply("MUL", update, apply("SUB", before, new))), np.float16)


def run_lstm(
    x: Float16,
    w_x: Float16,
    w_h: Float16,
    bias: Float32,
    vector_length: int,
    h: Float16 | None = None,
    c: Float32 | None = None,
) -> tuple[Float16, Float32]:
    """Return h and c after every step of a sequence, shape (steps, hidden); parameters as `lstm_cell`, zeros first."""
    size = len(w_h)
    h = np.zeros(size, np.float16) if h is None else h
    c = np.zeros(size, np.float32) if c is None else c
    found = []
    for step in x:
        h, c = lstm_cell(step, h, c, w_x, w_h, bias, vector_length)
        found.append((h, c))
    return np.stack([h for h, _ in found]), np.stack([c for _, c in found])


def run_gru(
    x: Float16,
    w_x: Float16,
    w_h: Float16,
    bias_x: Float32,
    bias_h: Float32,
    vector_length: int,
    h: Float16 | None = None,
) -> Float16:
    """Return h after every step of a sequence, shape (steps, hidden); parameters as `gru_cell`, zeros first."""
    h = np.zeros(len(w_h), np.float16) if h is None else h
    found = []
    for step in x:
        h = gru_cell(step, h, w_x, w_h, bias_x, bias_h, vector_length)
        found.append(h)
    return np.stack(found)
