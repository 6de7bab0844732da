"""Definitions of attention of several heads and of transformer layers, against float64 and against each other."""

import numpy as np
import pytest

from golden.reference.attention import attention
from golden.reference.heads import head, self_attention
from golden.reference.transformer import encoder_layer, run_decoder
from verif.bits import same_bits

VECTOR = 16
WIDTH, HEADS, SIZE, INNER = 20, 4, 6, 24


def values(seed, *shape, dtype=np.float16, scale=1.0):
    return (np.random.default_rng(seed).normal(size=shape) * scale).astype(dtype)


def layer(kv_heads=HEADS, biases=True):
    """Return weights of the sizes above."""
    shapes = {"w_q": (WIDTH, HEADS * SIZE), "w_k": (WIDTH, kv_heads * SIZE), "w_v": (WIDTH, kv_heads * SIZE)}
    shapes |= {"w_o": (HEADS * SIZE, WIDTH), "w_1": (WIDTH, INNER), "w_2": (INNER, WIDTH)}
    shapes |= {"w_gate": (WIDTH, INNER), "w_up": (WIDTH, INNER), "w_down": (INNER, WIDTH)}
    found = {name: values(seed, *shape, scale=0.3) for seed, (name, shape) in enumerate(shapes.items())}
    norms = {"gamma_1": WIDTH, "gamma_2": WIDTH, "beta_1": WIDTH, "beta_2": WIDTH}
    sizes = {name.replace("w_", "b_"): shape[1] for name, shape in shapes.items()} if biases else {}
    addends = {name: values(size, size, dtype=np.float32, scale=0.3) for name, size in (sizes | norms).items()}
    return found | addends


def wide(weights):
    return {name: array.astype(np.float64) for name, array in weights.items()}


def softmax(x):
    terms = np.exp(x - x.max(axis=-1, keepdims=True))
    return terms / terms.sum(axis=-1, keepdims=True)


def attended(q, k, v, heads, seen):
    share = heads // (k.shape[1] // (q.shape[1] // heads))
    kv_heads = heads // share
    parts = [np.split(array, count, axis=1) for array, count in ((q, heads), (k, kv_heads), (v, kv_heads))]
    size = q.shape[1] // heads
    found = []
    for i, query in enumerate(parts[0]):
        scores = np.where(seen, query @ parts[1][i // share].T / np.sqrt(size), -np.inf)
        found.append(softmax(scores) @ parts[2][i // share])
    return np.concatenate(found, axis=1)


def attention_of(x, w, causal=False, mask=None):
    seen = np.tril(np.ones((len(x), len(x)))) if causal else np.ones((len(x), len(x)))
    seen = seen * (1 if mask is None else mask != 0)
    q, k, v = (x @ w[f"w_{name}"] + w.get(f"b_{name}", 0) for name in "qkv")
    return attended(q, k, v, HEADS, seen != 0) @ w["w_o"] + w.get("b_o", 0)


def norm(x, gamma, beta):
    return (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5) * gamma + beta


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("biases", [False, True])
def test_self_attention(kv_heads, causal, masked, biases):
    x, weights = values(50, 9, WIDTH), layer(kv_heads, biases)
    mask = np.array([1, 1, 0, 1, 1, 0, 1, 1, 0], np.int8) if masked else None
    got = self_attention(x, weights, HEADS, VECTOR, causal, mask)
    np.testing.assert_allclose(got, attention_of(x.astype(float), wide(weights), causal, mask), atol=2e-2)


def test_a_head_of_one_query_is_attention():
    q, k, v = values(1, 1, 8), values(2, 11, 8), values(3, 11, 5)
    same_bits(head(q, k, v, VECTOR), attention(q, k, v, VECTOR).astype(np.float16))


def test_a_query_that_sees_nothing_is_nan():
    q, k, v = values(1, 2, 8), values(2, 3, 8), values(3, 3, 5)
    found = head(q, k, v, VECTOR, np.array([[True, False, True], [False, False, False]]))
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()


@pytest.mark.parametrize("pre_norm", [True, False])
def test_encoder_layer(pre_norm):
    x, weights = values(51, 9, WIDTH), layer()
    w, got = wide(weights), encoder_layer(x, weights, HEADS, VECTOR, pre_norm)
    norms = [lambda value, n=n: norm(value, w[f"gamma_{n}"], w[f"beta_{n}"]) for n in (1, 2)]

    def network(value):
        return gelu(value @ w["w_1"] + w["b_1"]) @ w["w_2"] + w["b_2"]

    y = x.astype(float)
    if pre_norm:
        y = y + attention_of(norms[0](y), w)
        y = y + network(norms[1](y))
    else:
        y = norms[0](y + attention_of(y, w))
        y = norms[1](y + network(y))
    np.testing.assert_allclose(got, y, atol=4e-2)


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_decoder(kv_heads):
    """Position after position is the whole sequence with a causal mask."""
    x, weights = values(52, 6, WIDTH), layer(kv_heads, biases=False)
    angles = np.arange(6)[:, None] * 0.3 ** np.arange(SIZE // 2)
    cosine, sine = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
    got = run_decoder(x, weights, cosine, sine, HEADS, VECTOR, 8)
    w, y = wide(weights), x.astype(float)

    def rms(value, gamma):
        return value / np.sqrt((value**2).mean(axis=1, keepdims=True) + 1e-5) * gamma

    def turned(value):
        parts = []
        for part in np.split(value, value.shape[1] // SIZE, axis=1):
            a, b = np.split(part, 2, axis=1)
            parts += [a * np.cos(angles) - b * np.sin(angles), b * np.cos(angles) + a * np.sin(angles)]
        return np.concatenate(parts, axis=1)

    normal = rms(y, w["gamma_1"])
    q, k, v = (normal @ w[f"w_{name}"] for name in "qkv")
    y = y + attended(turned(q), turned(k), v, HEADS, np.tril(np.ones((6, 6))) != 0) @ w["w_o"]
    normal = rms(y, w["gamma_2"])
    gate = normal @ w["w_gate"]
    y = y + (gate / (1 + np.exp(-gate)) * (normal @ w["w_up"])) @ w["w_down"]
    np.testing.assert_allclose(got, y, atol=4e-2)
