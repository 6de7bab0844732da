"""Recurrent cells, batch 1: weights stay in MEM, and so does the state from step to step."""

from collections.abc import Callable, Mapping

from arch.config import Config
from compiler.expression.expr import Expr
from compiler.expression.functions import cast, sigmoid, tanh
from compiler.kernels.bounds import pass_latency, product_latency, vectors
from compiler.kernels.kernel import Argument, Arrays, Bound, Kernel, Parameters
from compiler.program import Program
from compiler.tensor import Tensor, View

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


def _products(program: Program, arrays: Arrays, h: Tensor, gates: int) -> tuple[View, View]:
    """Return the products of input and state with their weights, shape (gates, hidden)."""
    inputs, hidden = arrays["w_x"].shape[0], arrays["w_h"].shape[0]
    padded = h.shape[0]
    x = program.input("x", (inputs,), "float16")
    w_x, w_h = (program.input(name, arrays[name].shape, "float16") for name in ("w_x", "w_h"))
    more = padded - hidden
    from_x = program.matmul(x.reshape(1, inputs), _gate_vectors(w_x, gates, more))
    from_h = program.matmul(h.reshape(1, padded), _gate_vectors(w_h, gates, more).pad(((0, more), (0, 0))))
    return from_x.reshape(gates, padded), from_h.reshape(gates, padded)


def _padded(program: Program, hidden: int) -> int:
    return vectors(program.config, hidden) * program.config.vector_length


def _lstm(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    hidden = arrays["w_h"].shape[0]
    size = _padded(program, hidden)
    h = program.state("h", (size,), "float16")
    c = program.state("c", (size,), "float32")
    from_x, from_h = _products(program, arrays, h, 4)
    bias = _gate_vectors(program.input("bias", arrays["bias"].shape, "float32"), 4, size - hidden).reshape(4, size)
    i, f, g, o = range(4)
    soft = [i, f, o]
    gates = program.map(lambda a, b, d: sigmoid(a + b + d), from_x[soft], from_h[soft], bias[soft])
    new = program.map(lambda a, b, d: tanh(a + b + d), from_x[g], from_h[g], bias[g])
    cell = program.map(lambda keep, old, add, value: keep * old + add * value, gates[1], c, gates[0], new)
    y = program.map(lambda out, value: cast(out * tanh(value), "float16"), gates[2], cell)
    program.update(c, cell)
    program.update(h, y)
    return {"y": y[:hidden], "c": cell[:hidden]}


def _gru(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    hidden = arrays["w_h"].shape[0]
    size = _padded(program, hidden)
    h = program.state("h", (size,), "float16")
    from_x, from_h = _products(program, arrays, h, 3)
    bias_x, bias_h = (
        _gate_vectors(program.input(name, arrays[name].shape, "float32"), 3, size - hidden).reshape(3, size)
        for name in ("bias_x", "bias_h")
    )

    def gate(a: Expr, b: Expr, d: Expr, e: Expr) -> Expr:
        return sigmoid((a + d) + (b + e))

    gates = program.map(gate, from_x[:2], from_h[:2], bias_x[:2], bias_h[:2])
    new = program.map(
        lambda a, b, d, e, r: tanh((a + d) + r * (b + e)), from_x[2], from_h[2], bias_x[2], bias_h[2], gates[0]
    )
    y = program.map(lambda n, z, old: cast(n + z * (old - n), "float16"), new, gates[1], h)
    program.update(h, y)
    return {"y": y[:hidden]}


def _bound(gates: int, *levels: int) -> Callable[[Config, Arrays, Parameters], Bound]:
    def bound(config: Config, arrays: Arrays, parameters: Parameters) -> Bound:
        inputs, hidden = arrays["w_x"].shape[0], arrays["w_h"].shape[0]
        blocks = gates * vectors(config, hidden)
        tiles = -(-(vectors(config, inputs) + vectors(config, hidden)) * blocks // (config.planes // 2))
        # Both bytes of a tile's weights on all streams of a hemisphere, or two cycles of the array.
        load = 2 * config.vector_length * tiles // config.streams
        cycles = (
            max(load, 2 * tiles)
            + product_latency(config, through_vxm=True)
            + sum(pass_latency(config, level) for level in levels)
        )
        limit = f"{tiles} tiles of weights per pair of planes for one vector each"
        return Bound(cycles, f"{'streams' if load > 2 * tiles else 'MXM'}: {limit}, and the latency of each pass")

    return bound


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
    bound=_bound(4, 3, 3, 3),
    steps="x",
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
    bound=_bound(3, 3, 4, 4),
    steps="x",
)
