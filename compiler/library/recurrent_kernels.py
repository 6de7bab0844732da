"""Kernels of recurrent cells: a run per step, the state stays in MEM from one to the next."""

from collections.abc import Callable, Mapping

from arch.config import Config
from compiler.ir.tensor import View
from compiler.library.bounds import (
    chain_levels,
    length_of,
    mesh_latency,
    pass_latency,
    product_issue,
    sums_latency,
    vectors,
)
from compiler.library.chains import chain
from compiler.library.kernel import Argument, Arrays, Bound, Kernel, Parameters
from compiler.library.operands import declare
from compiler.library.recurrent import (
    Gates,
    gru_cell,
    gru_gate,
    gru_inputs,
    gru_state,
    lstm_cell,
    lstm_gate,
    lstm_inputs,
    lstm_state,
)
from compiler.program import Program


def _lstm(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    inputs = declare(program, {**arrays, "x": arrays["x"][0]})
    gates = Gates.of(program, inputs["w_h"], 4)
    h, c = (program.state(name, (gates.size,), dtype) for name, dtype in (("h", "float16"), ("c", "float32")))
    weights, shift = gates.weights(inputs["w_h"]), gates.apart(inputs["bias"])
    from_x = lstm_inputs(program, gates, inputs["x"].reshape(1, -1), inputs["w_x"])
    cell, y = lstm_cell(program, gates, from_x, weights, shift, h, c)
    program.update(c, cell)
    program.update(h, y)
    return {"y": y[: gates.hidden], "c": cell[: gates.hidden]}


def _gru(program: Program, arrays: Arrays, parameters: Parameters) -> Mapping[str, View]:
    inputs = declare(program, {**arrays, "x": arrays["x"][0]})
    gates = Gates.of(program, inputs["w_h"], 3)
    h = program.state("h", (gates.size,), "float16")
    weights, shift = gates.weights(inputs["w_h"]), gates.apart(inputs["bias_h"])
    from_x = gru_inputs(program, gates, inputs["x"].reshape(1, -1), inputs["w_x"], inputs["bias_x"])
    y = gru_cell(program, gates, from_x.view(), weights, shift, h)
    program.update(h, y)
    return {"y": y[: gates.hidden]}


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
    return chain_levels(config, operations) or length_of(operations)


_X = Argument(name="x", dtypes=("float16",), shape="t, i", doc="inputs, step by step")
_GATE = ("float32", "float32", "float32", "int8")
"""Formats of the sum, what comes from x, the addend and the mask."""


def _weights(gates: int) -> tuple[Argument, Argument]:
    return (
        Argument(name="w_x", dtypes=("float16",), shape=f"i, {gates}*h", doc="weights of the input"),
        Argument(name="w_h", dtypes=("float16",), shape=f"h, {gates}*h", doc="weights of the state"),
    )


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
    bound=_bound(4, chain(lstm_gate, _GATE, after=0), chain(lstm_state, ["float32"] * 5, result=1)),
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
    bound=_bound(3, chain(gru_gate, _GATE, after=0), chain(gru_state, ["float32"] * 4 + ["float16"], after=1)),
    steps=("x",),
)
