"""Kernels as functions: of what other operations made, with a further operation on what they make."""

import re

import numpy as np
import pytest

from compiler.expression.functions import relu
from compiler.library import activations, movement
from compiler.library.attention import attention
from compiler.library.conv2d import conv
from compiler.library.decode import decode_attention
from compiler.library.elementwise import elementwise
from compiler.library.gemm import gemm
from compiler.library.normalisation import layernorm, rmsnorm
from compiler.library.pooling import avgpool, global_average, maxpool
from compiler.library.recurrent import gru_step, lstm_step
from compiler.library.rope import rope
from compiler.library.softmax import softmax
from golden.reference import activations as defined_activations
from golden.reference import attention as defined_attention
from golden.reference.conv2d import conv2d_fp16, conv2d_int8
from golden.reference.elementwise import elementwise as defined_elementwise
from golden.reference.gemm import gemm as defined_gemm
from golden.reference.normalisation import layernorm as defined_layernorm
from golden.reference.normalisation import rmsnorm as defined_rmsnorm
from golden.reference.pooling import avgpool as defined_avgpool
from golden.reference.pooling import global_average as defined_global_average
from golden.reference.pooling import maxpool as defined_maxpool
from golden.reference.recurrent import gru_cell, lstm_cell
from golden.reference.rope import rope as defined_rope
from golden.reference.softmax import softmax as defined_softmax
from golden.reference.windows import Window
from verif.kernels.composed import BASE, NANO, SMALL, Composition, doubled, doubled_values
from verif.repo.files import ROOT

machines = pytest.mark.parametrize("config", [NANO, SMALL, BASE], ids=lambda config: config.name)
floats = pytest.mark.parametrize("dtype", ["float16", "float32"])


def test_the_example_of_the_documentation(capsys):
    page = (ROOT / "docs" / "kernels.md").read_text()
    exec(compile(page.partition("```python\n")[2].partition("```")[0], "docs/kernels.md", "exec"), {})
    cycles, least = re.match(r"(\d+) Bound\(cycles=(\d+)", capsys.readouterr().out).groups()
    assert int(cycles) >= int(least)


@machines
@pytest.mark.parametrize("name", ["gelu", "silu", "sigmoid"])
def test_activations(name, config):
    made = Composition(config)
    x = made.values(3, 11)
    y = getattr(activations, name)(made.program, made.result(x))
    made.check({"y": doubled(made, y)}, {"y": doubled_values(defined_activations.ACTIVATIONS[name](x))})


@machines
@floats
def test_elementwise(config, dtype):
    made = Composition(config)
    x, scale, shift = made.values(3, 11, dtype=dtype), *(made.values(11, dtype="float32") for _ in range(2))
    y = elementwise(made.program, made.result(x), made.result(scale), made.input(shift), made.result(x))
    made.check({"y": doubled(made, y)}, {"y": doubled_values(defined_elementwise(x, scale, shift, x))})


@machines
@floats
@pytest.mark.parametrize("axis", [-1, 0, -2])
def test_softmax(config, dtype, axis):
    made = Composition(config)
    x = made.values(5, 7, dtype=dtype)
    y = softmax(made.program, made.result(x, layout=-2 if axis == -1 else -1), axis)
    expected = defined_softmax(x) if axis == -1 else defined_softmax(np.ascontiguousarray(x.T)).T
    made.check({"y": doubled(made, y)}, {"y": doubled_values(expected)})


@machines
def test_the_axis_may_lie_in_the_lanes(config):
    """What a kernel goes along in time may be the lane axis of a result, which is rearranged."""
    made = Composition(config)
    x, gamma, w = made.values(3, 4), made.values(4, dtype="float32"), made.values(4, 3)
    y = rmsnorm(made.program, made.result(x, layout=-1), made.input(gamma))
    expected = defined_gemm(defined_rmsnorm(x, gamma), w, made.vector)
    made.check({"y": gemm(made.program, y, made.input(w))}, {"y": expected})


@machines
def test_softmax_of_any_axis_and_format(config):
    made = Composition(config)
    x = made.values(4, 3, 5)
    y = softmax(made.program, made.result(x), 1, dtype="float32")
    expected = np.moveaxis(defined_softmax(np.ascontiguousarray(np.moveaxis(x, 1, -1)).astype(np.float32)), -1, 1)
    made.check({"y": doubled(made, y)}, {"y": doubled_values(expected)})


@machines
@floats
def test_norms(config, dtype):
    made = Composition(config)
    x, gamma, beta = made.values(5, 7, dtype=dtype), *(made.values(7, dtype="float32") for _ in range(2))
    result, factors = made.result(x, layout=-2), made.input(gamma)
    outputs = {
        "layernorm": doubled(made, layernorm(made.program, result, factors, made.input(beta))),
        "rmsnorm": doubled(made, rmsnorm(made.program, result, factors, 1e-3)),
    }
    layer, root = defined_layernorm(x, gamma, beta), defined_rmsnorm(x, gamma, 1e-3)
    made.check(outputs, {"layernorm": doubled_values(layer), "rmsnorm": doubled_values(root)})


@machines
@floats
@pytest.mark.parametrize("layout", [-1, -2])
def test_rope(config, dtype, layout):
    """Rows are turned with lanes along the positions, and with a row in each vector, by way of the SXM."""
    made = Composition(config)
    x, angles = made.values(3, 6, dtype=dtype), made.values(3, 3, dtype="float32")
    cosine, sine = np.cos(angles), np.sin(angles)
    y = rope(made.program, made.result(x, layout=layout), made.input(cosine), made.input(sine))
    made.check({"y": doubled(made, y)}, {"y": doubled_values(defined_rope(x, cosine, sine))})


@machines
def test_pools(config):
    made = Composition(config)
    x = made.values(5, 4, 3)
    image = made.result(x)
    outputs = {
        "largest": doubled(made, maxpool(made.program, image, 3, strides=2, padding=1)),
        "mean": doubled(made, avgpool(made.program, image, (2, 3), padding=((1, 0), (1, 1)))),
        "all": doubled(made, global_average(made.program, image)),
    }
    window = Window(sizes=(2, 3), padding=((1, 0), (1, 1)))
    expected = {
        "largest": doubled_values(defined_maxpool(x, Window(sizes=(3, 3), strides=2, padding=1))),
        "mean": doubled_values(defined_avgpool(x, window)),
        "all": doubled_values(defined_global_average(x)),
    }
    made.check(outputs, expected)


@machines
def test_product(config):
    made = Composition(config)
    x, w, bias = made.values(5, 6), made.values(6, 7), made.values(7, dtype="float32")
    y = gemm(made.program, made.result(x), made.result(w, layout=-2), made.result(bias), activation=relu)
    made.check({"y": doubled(made, y)}, {"y": doubled_values(defined_gemm(x, w, made.vector, bias, activation=1))})


@machines
@pytest.mark.parametrize("dtype", ["int8", "float16"])
def test_convolution(config, dtype):
    made = Composition(config)
    x, w = made.values(4, 5, 3, dtype=dtype), made.values(2, 3, 3, 5, dtype=dtype)
    y = conv(made.program, made.result(x), made.input(w), 2, 1)
    expected = conv2d_int8(x, w, 2, 1) if dtype == "int8" else conv2d_fp16(x, w, made.vector, 2, 1)
    made.check({"y": doubled(made, y)}, {"y": doubled_values(expected)})


@machines
def test_recurrent_steps(config):
    made = Composition(config)
    x, h, c = made.values(5), made.values(6), made.values(6, dtype="float32")
    w_x, w_h, bias = made.values(5, 24), made.values(6, 24), made.values(24, dtype="float32")
    operands = [made.result(value) for value in (x, h, c)]
    weights = [made.input(value) for value in (w_x, w_h, bias)]
    y, cell = lstm_step(made.program, *operands, *weights)
    state, inner = lstm_cell(x, h, c, w_x, w_h, bias, made.vector)
    outputs = {"h": doubled(made, y), "c": doubled(made, cell)}
    made.check(outputs, {"h": doubled_values(state), "c": doubled_values(inner)})


@machines
def test_gated_step(config):
    made = Composition(config)
    x, h, w_x, w_h = made.values(5), made.values(6), made.values(5, 18), made.values(6, 18)
    bias_x, bias_h = (made.values(18, dtype="float32") for _ in range(2))
    weights = [made.input(values) for values in (w_x, w_h, bias_x, bias_h)]
    y = gru_step(made.program, made.result(x), made.result(h), *weights)
    expected = gru_cell(x, h, w_x, w_h, bias_x, bias_h, made.vector)
    made.check({"y": doubled(made, y)}, {"y": doubled_values(expected)})


@pytest.mark.parametrize("config,causal", [(NANO, True), (SMALL, False), (SMALL, True), (BASE, False), (BASE, True)])
def test_attention(config, causal):
    made = Composition(config)
    q, k, v = made.values(5, 6), made.values(5, 6), made.values(5, 3)
    rows = made.result(q), made.result(k), made.result(v, layout=-2)
    y = attention(made.program, *rows, causal=causal)
    expected = defined_attention.attention(q, k, v, made.vector, 0 if causal else None)
    made.check({"y": doubled(made, y)}, {"y": doubled_values(expected)})


@pytest.mark.parametrize("config", [SMALL, BASE], ids=lambda config: config.name)
@pytest.mark.parametrize("shape", [(5,), (5, 4)])
def test_attention_with_a_mask(config, shape):
    """Keys that no query sees, or that some do not; a query that sees none gives no number."""
    made = Composition(config)
    q, k, v = made.values(4, 6), made.values(5, 6), made.values(5, 3)
    mask = made.values(*shape, dtype="int8") % 2
    mask[0] = 1
    if len(shape) == 2:
        mask[:, 3] = 0
    y = attention(made.program, made.result(q), made.input(k), made.input(v), mask=made.input(mask))
    seen = np.broadcast_to(mask if len(shape) == 1 else mask.T, (4, 5)) != 0
    expected = defined_attention.attention(q, k, v, made.vector, seen=seen)
    assert np.isnan(expected).any() == (len(shape) == 2)
    made.check({"y": doubled(made, y)}, {"y": doubled_values(expected)})


@machines
def test_attention_over_a_store(config):
    made = Composition(config)
    q, k, v = made.values(1, 6), made.values(1, 6), made.values(1, 3)
    position = np.array([2], np.int32)
    y = decode_attention(made.program, made.result(q), made.result(k), made.input(v), made.input(position), 5)
    expected = defined_attention.run_attention(q[None], k[None], v[None], made.vector, position, 5)[0]
    made.check({"y": doubled(made, y)}, {"y": doubled_values(expected)})


@machines
def test_movement(config):
    made = Composition(config)
    x = made.values(3, 5)
    y = movement.transpose(made.program, made.result(x))
    made.check({"y": doubled(made, y)}, {"y": doubled_values(np.ascontiguousarray(x.T))})


@machines
def test_embedding(config):
    made = Composition(config)
    table, indices = made.values(9, 5), np.array([3, 0, 8], np.int32)
    y = movement.embedding(made.program, made.input(table), made.input(indices))
    made.check({"y": doubled(made, y)}, {"y": doubled_values(table[indices])})
