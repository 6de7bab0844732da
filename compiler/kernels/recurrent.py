"""Recurrent cells, batch 1: weights stay in MEM, and so does the state from step to step."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from arch.config import Config
from compiler.expression.expr import Expr
from compiler.expression.functions import cast, sigmoid, tanh, where
from compiler.kernels.bounds import chain_levels, mesh_latency, pass_latency, product_issue, sums_latency, vectors
from compiler.kernels.kernel import Argument, Arrays, Bound, Kernel, Parameters
from compiler.program import Program
from compiler.tensor import Tensor, View

Factors = tuple[View, View]

_X = Argument(name="x", dtypes=("float16",), shape="t, i", doc="inputs, step by step")


def _weights(gates: int) -> tuple[Argument, Argument]:
    return (
        Argument(name="w_x", dtypes=("float16",), shape=f"i, {gates}*h", doc="weights of the input"),
        Argument(name="w_h", dtypes=("float16",), shape=f"h, {gates}*h", doc="weights of the state"),
    )


def _gate_vectors(view: Tensor | View, gates: int, more: int) -> View:
    """Return a view of gates side by side in which each begins a vector."""
    rows = view.shape[:-1]
    size = view.shape[-1] // gates
    parts = view.reshape(*rows, gates, size).pad((*((0, 0) for _ in rows), (0, 0), (0, more)))
    return parts.reshape(*rows, gates * (size + more))


def _products(program: Program, arrays: Arrays, h: Tensor, gates: int) -> tuple[Factors, Factors]:
    """Return what to multiply: input and state, each with its weights."""
    inputs, hidden = arrays["w_x"].shape[0], arrays["w_h"].shape[0]
    padded = h.shape[0]
    x = program.input("x", (inputs,), "float16")
    w_x, w_h = (program.input(name, arrays[name].shape, "float16") for name in ("w_x", "w_h"))
    more = padded - hidden
    from_h = h.reshape(1, padded), _gate_vectors(w_h, gates, more).pad(((0, more), (0, 0)))
    return (x.reshape(1, inputs), _gate_vectors(w_x, gates, more)), from_h


def _padded(program: Program, hidden: int) -> int:
    return vectors(program.config, hidden) * program.config.vector_length


def _mask(gates: int, size: int, gate: int) -> npt.NDArray[np.int8]:
    """Return the mask of one of several gates side by side."""
    mask = np.zeros((gates, size), np.int8)
    mask[gate] = -1
    return mask.reshape(-1)


def _lstm(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    hidden = arrays["w_h"].shape[0]
    size = _padded(program, hidden)
    h = program.state("h", (size,), "float16")
    c = program.state("c", (size,), "float32")
    bias = _gate_vectors(program.input("bias", arrays["bias"].shape, "float32"), 4, size - hidden)
    i, f, g, o = range(4)

    def gate(from_h: Expr, from_x: Expr, shift: Expr, is_new: Expr) -> Expr:
        total = from_x + from_h + shift
        return where(is_new, tanh(total), sigmoid(total))

    def step(keep: Expr, old: Expr, add: Expr, new: Expr, out: Expr) -> tuple[Expr, Expr]:
        cell = keep * old + add * new
        return cell, cast(out * tanh(cell), "float16")

    input_factors, state_factors = _products(program, arrays, h, 4)
    from_x = program.matmul(*input_factors)
    gates = program.matmul(*state_factors, epilogue=gate, operands=(from_x, bias, _mask(4, size, g)))
    parts = gates.reshape(4, size)
    cell, y = program.map(step, parts[f], c, parts[i], parts[g], parts[o])
    program.update(c, cell)
    program.update(h, y)
    return {"y": y[:hidden], "c": cell[:hidden]}


def _gru(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    hidden = arrays["w_h"].shape[0]
    size = _padded(program, hidden)
    h = program.state("h", (size,), "float16")
    bias_x, bias_h = (
        _gate_vectors(program.input(name, arrays[name].shape, "float32"), 3, size - hidden)
        for name in ("bias_x", "bias_h")
    )
    r, z, n = range(3)

    def gate(from_h: Expr, from_x: Expr, shift: Expr, is_new: Expr) -> Expr:
        total = from_h + shift
        return where(is_new, total, sigmoid(from_x + total))

    def step(new_x: Expr, reset: Expr, new_h: Expr, update: Expr, old: Expr) -> Expr:
        new = tanh(new_x + reset * new_h)
        return cast(new + update * (old - new), "float16")

    input_factors, state_factors = _products(program, arrays, h, 3)
    from_x = program.matmul(*input_factors, epilogue=lambda total, shift: total + shift, operands=(bias_x,))
    gates = program.matmul(*state_factors, epilogue=gate, operands=(from_x, bias_h, _mask(3, size, n)))
    parts = gates.reshape(3, size)
    y = program.map(step, from_x.reshape(3, size)[n], parts[r], parts[n], parts[z], h)
    program.update(h, y)
    return {"y": y[:hidden]}


def _bound(
    gates: int, first: tuple[str, ...], second: tuple[str, ...]
) -> Callable[[Config, Arrays, Parameters], Bound]:
    """Return the bound of a cell: operations in a row from the last sum to the gates in MEM, and on to the end."""

    def bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
        inputs, hidden = arrays["w_x"].shape[0], arrays["w_h"].shape[0]
        blocks = vectors(config, inputs) + vectors(config, hidden)
        columns = gates * vectors(config, hidden) * config.vector_length
        # Beside a product with the state come that with the input, a bias, and a mask.
        beside = (4 + 4 + 1) * gates * vectors(config, hidden)
        cycles, name = product_issue(config, "float16", 1, blocks, columns, beside)
        cycles += sums_latency(config, "float16", through_vxm=True) + mesh_latency(config, _levels(config, first))
        # A hop to MEM, and READ in the next cycle.
        cycles += 1 + pass_latency(config, _levels(config, second))
        tiles = -(-blocks * columns // config.vector_length // (config.planes // 2))
        limit = f"{tiles} tiles of weights per pair of planes for one vector each, and the latency of each pass"
        return Bound(cycles, f"{name}: {limit}")

    return bound


def _levels(config: Config, operations: tuple[str, ...]) -> int:
    return chain_levels(config, operations) or len(operations)


LSTM = Kernel(
    name="lstm",
    doc="LSTM cell, a run per step: i, f, g, o = x @ w_x + h @ w_h + bias",
    arguments=(
        _X,
        *_weights(4),
        Argument(name="bias", dtypes=("float32",), shape="4*h", doc="addends of the gates"),
    ),
    results=("y", "c"),
    build=_lstm,
    bound=_bound(4, ("ADD", "ADD", "SIGMOID", "SEL"), ("MUL", "ADD", "TANH", "MUL", "CVT")),
    steps=("x",),
)

GRU = Kernel(
    name="gru",
    doc="GRU cell, a run per step: gates r, z, n; the reset gate acts after the product",
    arguments=(
        _X,
        *_weights(3),
        Argument(name="bias_x", dtypes=("float32",), shape="3*h", doc="addends beside x @ w_x"),
        Argument(name="bias_h", dtypes=("float32",), shape="3*h", doc="addends beside h @ w_h"),
    ),
    results=("y",),
    build=_gru,
    bound=_bound(3, ("ADD", "ADD", "SIGMOID", "SEL"), ("MUL", "ADD", "TANH", "SUB", "MUL", "ADD", "CVT")),
    steps=("x",),
)
