"""Layers of networks as programs that are composed of kernels, with their definitions, for any sizes."""

import numpy as np

from arch.config import Config
from compiler.ir.tensor import Tensor, View
from compiler.library.heads import self_attention
from compiler.library.recurrent import gru, lstm
from compiler.library.transformer import decoder_layer, encoder_layer
from golden.reference.heads import self_attention as defined_self_attention
from golden.reference.recurrent import run_gru, run_lstm
from golden.reference.transformer import encoder_layer as defined_encoder_layer
from golden.reference.transformer import run_decoder
from runtime.backend import Backend
from verif.kernels.composed import Array, Composition, doubled, doubled_values

PROJECTIONS = ("w_q", "w_k", "w_v", "w_o")


def _weights(made: Composition, width: int, heads: int, kv_heads: int, size: int, inner: int) -> dict[str, Array]:
    shapes = {"w_q": (width, heads * size), "w_k": (width, kv_heads * size), "w_v": (width, kv_heads * size)}
    shapes |= {"w_o": (heads * size, width), "w_1": (width, inner), "w_2": (inner, width)}
    shapes |= {"w_gate": (width, inner), "w_up": (width, inner), "w_down": (inner, width)}
    sizes = {name.replace("w_", "b_"): shape[1] for name, shape in shapes.items()}
    sizes |= dict.fromkeys(("gamma_1", "gamma_2", "beta_1", "beta_2"), width)
    found = {name: made.values(*shape, scale=0.3) for name, shape in shapes.items()}
    return found | {name: made.values(count, dtype="float32") for name, count in sizes.items()}


def _some(weights: dict[str, Array], *names: str) -> dict[str, Array]:
    return {name: weights[name] for name in names}


def attend(config: Config, m: int, width: int, heads: int, kv_heads: int, size: int, causal: bool, masked: bool) -> int:
    """Return the cycles of self-attention of what an operation makes, a further operation behind it."""
    made = Composition(config)
    names = [*PROJECTIONS, *(("b_q", "b_k", "b_v", "b_o") if masked else ())]
    weights, x = _some(_weights(made, width, heads, kv_heads, size, 1), *names), made.values(m, width)
    mask = np.where(np.arange(m) % 3 == 2, 0, 1).astype(np.int8) if masked else None
    given = None if mask is None else made.input(mask)
    y = self_attention(made.program, made.result(x), made.constants(weights), heads, causal, given)
    expected = defined_self_attention(x, weights, heads, made.vector, causal, mask)
    return made.check({"y": doubled(made, y)}, {"y": doubled_values(expected)})


def encode(config: Config, m: int, width: int, heads: int, size: int, inner: int, pre_norm: bool, layers: int) -> int:
    """Return the cycles of encoder layers, one behind the other."""
    made = Composition(config)
    x = made.values(m, width)
    y: Tensor | View = made.input(x)
    expected = x
    for layer in range(layers):
        weights = _weights(made, width, heads, heads, size, inner)
        constants = made.constants({f"{name} of {layer}": array for name, array in weights.items()})
        named = dict(zip(weights, constants.values(), strict=True))
        y = encoder_layer(made.program, y, named, heads, pre_norm)
        expected = defined_encoder_layer(expected, weights, heads, made.vector, pre_norm)
    return made.check({"y": y}, {"y": expected})


def decode(
    config: Config,
    tokens: int,
    width: int,
    heads: int,
    kv_heads: int,
    size: int,
    inner: int,
    backend: Backend | None = None,
) -> int:
    """Return the cycles of a decoder layer for one of some tokens, a run each."""
    made = Composition(config, backend=backend)
    names = (*PROJECTIONS, "w_gate", "w_up", "w_down", "gamma_1", "gamma_2")
    weights = _some(_weights(made, width, heads, kv_heads, size, inner), *names)
    angles = np.arange(tokens)[:, None] * 0.3 ** np.arange(size // 2)
    arrays = [made.values(tokens, width), np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)]
    arrays.append(np.arange(tokens, dtype=np.int32)[:, None])
    inputs = [made.input(array[0] if array.dtype == np.int32 else array[:1]) for array in arrays]
    token, cosine, sine, position = inputs
    y = decoder_layer(made.program, token, made.constants(weights), cosine, sine, position, heads, tokens)
    expected = run_decoder(arrays[0], weights, arrays[1], arrays[2], heads, made.vector, tokens)
    runs = [
        {tensor: array[step].reshape(tensor.shape) for tensor, array in zip(inputs, arrays, strict=True)}
        for step in range(tokens)
    ]
    return made.check_runs({"y": y}, runs, [{"y": expected[step : step + 1]} for step in range(tokens)])


def recur(config: Config, cell: str, steps: int, inputs: int, hidden: int, given: bool) -> int:
    """Return the cycles of a recurrent cell over a sequence that an operation makes, its states given or zeros."""
    made = Composition(config)
    gates = 4 if cell == "lstm" else 3
    x, h, c = made.values(steps, inputs), made.values(hidden), made.values(hidden, dtype="float32")
    weights = {
        "w_x": made.values(inputs, gates * hidden, scale=0.3),
        "w_h": made.values(hidden, gates * hidden, scale=0.3),
    }
    names = ("bias",) if cell == "lstm" else ("bias_x", "bias_h")
    weights |= {name: made.values(gates * hidden, dtype="float32") for name in names}
    constants, result = made.constants(weights), made.result(x)
    if cell == "lstm":
        found, last = lstm(
            made.program, result, **constants, **({"h": made.result(h), "c": made.input(c)} if given else {})
        )
        expected, cells = run_lstm(x, **weights, vector_length=made.vector, **({"h": h, "c": c} if given else {}))
        ends: dict[str, tuple[Tensor | View, Array]] = {"c": (doubled(made, last), doubled_values(cells[-1]))}
    else:
        found = gru(made.program, result, **constants, **({"h": made.result(h)} if given else {}))
        expected = run_gru(x, **weights, vector_length=made.vector, **({"h": h} if given else {}))
        ends = {}
    ends |= {f"h {step}": (state, expected[step]) for step, state in enumerate(found)}
    return made.check({n: pair[0] for n, pair in ends.items()}, {n: pair[1] for n, pair in ends.items()})
