"""Layers of networks, composed of kernels, against their definitions."""

import pytest

from arch.errors import TaktError
from compiler.library.heads import check_heads
from compiler.program import Program
from runtime.rtl_backend import RtlBackend
from verif.kernels.composed import BASE, NANO, SMALL, Composition
from verif.kernels.layers import attend, decode, encode, recur

LONG = pytest.mark.long


@pytest.mark.parametrize(
    "config,m,width,heads,kv_heads,size,causal,masked",
    [
        (NANO, 3, 5, 1, 1, 4, True, False),
        (SMALL, 9, 20, 2, 1, 5, True, True),
        (SMALL, 5, 16, 2, 2, 16, False, False),
        (BASE, 7, 12, 4, 2, 6, False, True),
        # Heads in superlanes of their own: a group that is not full, and heads that share keys and values; larger heads
        # than a superlane.
        (NANO, 4, 6, 3, 1, 4, True, True),
        (NANO, 3, 8, 4, 2, 3, False, True),
        (BASE, 5, 16, 2, 1, 20, True, False),
        pytest.param(NANO, 5, 8, 2, 2, 4, False, True, marks=LONG),
        pytest.param(BASE, 20, 64, 4, 4, 16, True, False, marks=LONG),
        pytest.param(SMALL, 33, 64, 4, 2, 16, True, True, marks=LONG),
        pytest.param(BASE, 33, 64, 4, 2, 16, True, True, marks=LONG),
    ],
)
def test_self_attention(config, m, width, heads, kv_heads, size, causal, masked):
    attend(config, m, width, heads, kv_heads, size, causal, masked)


@pytest.mark.parametrize(
    "config,m,width,heads,size,inner,pre_norm",
    [
        (SMALL, 5, 8, 1, 8, 8, True),
        pytest.param(BASE, 5, 8, 1, 8, 8, True, marks=LONG),
        pytest.param(BASE, 5, 8, 1, 8, 8, False, marks=LONG),
        pytest.param(SMALL, 16, 64, 4, 16, 256, True, marks=LONG),
        pytest.param(BASE, 16, 64, 4, 16, 256, True, marks=LONG),
        pytest.param(SMALL, 33, 64, 4, 16, 256, True, marks=LONG),
        pytest.param(BASE, 33, 64, 4, 16, 256, True, marks=LONG),
    ],
)
def test_encoder_layer(config, m, width, heads, size, inner, pre_norm):
    encode(config, m, width, heads, size, inner, pre_norm, 1)


@pytest.mark.parametrize(
    "config,m,width,heads,size,inner,layers",
    [
        (NANO, 3, 8, 2, 4, 8, 2),
        pytest.param(BASE, 16, 64, 4, 16, 256, 8, marks=LONG),
    ],
)
def test_encoder_layers(config, m, width, heads, size, inner, layers):
    encode(config, m, width, heads, size, inner, True, layers)


@pytest.mark.parametrize(
    "config,tokens,width,heads,kv_heads,size,inner",
    [
        (SMALL, 3, 6, 2, 1, 4, 7),
        (SMALL, 4, 12, 4, 2, 6, 16),
        pytest.param(BASE, 4, 12, 4, 2, 6, 16, marks=LONG),
        pytest.param(SMALL, 8, 64, 4, 2, 16, 128, marks=LONG),
        pytest.param(BASE, 8, 64, 4, 2, 16, 128, marks=LONG),
        pytest.param(NANO, 4, 8, 2, 1, 4, 8, marks=LONG),
    ],
)
def test_decoder_layer(config, tokens, width, heads, kv_heads, size, inner):
    decode(config, tokens, width, heads, kv_heads, size, inner)


@LONG
def test_decoder_layer_on_rtl():
    decode(SMALL, 8, 64, 4, 2, 16, 128, RtlBackend("verilator"))


@LONG
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_long_sequence(cell):
    recur(SMALL, cell, 20, 64, 64, False)


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize(
    "config,steps,inputs,hidden",
    [(SMALL, 3, 5, 7), pytest.param(NANO, 2, 5, 7, marks=LONG), pytest.param(BASE, 4, 9, 70, marks=LONG)],
)
def test_sequence(config, cell, steps, inputs, hidden, given):
    recur(config, cell, steps, inputs, hidden, given)


def test_heads_that_do_not_fit():
    made = Composition(SMALL)
    weights = {"w_q": (8, 12), "w_k": (8, 6), "w_v": (8, 6), "w_o": (12, 8)}
    tensors = {name: made.input(made.values(*shape)) for name, shape in weights.items()}
    assert check_heads(tensors, 4) == (3, 2)
    with pytest.raises(TaktError, match="heads must divide the 12 columns of w_q, not be 5"):
        check_heads(tensors, 5)
    with pytest.raises(TaktError, match="w_k must have columns for a divisor of 3 heads of 4, not 6"):
        check_heads(tensors, 3)
    program = Program(SMALL)
    short = tensors | {"w_o": program.input("short", (10, 8), "float16")}
    with pytest.raises(TaktError, match=r"w_o must have 12 rows, not the shape \(10, 8\)"):
        check_heads(short, 4)
