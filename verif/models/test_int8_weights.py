"""Products with int8 weights: int16 activations, to the bit, and what onnxruntime's dynamic quantiser writes."""

from typing import Any

import numpy as np
import onnx
import onnx.parser
import onnxruntime as ort
import pytest
from onnx.reference import ReferenceEvaluator
from onnxruntime.quantization import QuantType, quantize_dynamic

from arch.presets import preset
from golden.reference.fp32 import apply, narrowed
from golden.reference.int16 import int16_product
from models.compiled import compile_model
from models.operators.int16_weights import int8_columns
from models.session import Session

Array = Any

HEAD = '<ir_version: 10, opset_import: ["" : 21]>'


def with_weights(text: str, weights: dict[str, Array]) -> onnx.ModelProto:
    model = onnx.parser.parse_model(HEAD + text)
    model.graph.initializer.extend(onnx.numpy_helper.from_array(value, name) for name, value in weights.items())
    onnx.checker.check_model(model)
    return model


def spread(rng: np.random.Generator, *shape: int) -> Array:
    """Return numbers whose rows are of many sizes, up to the ends of float16, and one row of zeros."""
    rows = rng.normal(size=shape) * 2.0 ** rng.integers(-26, 14, (*shape[:-1], 1))
    rows.reshape(-1, shape[-1])[0] = 0
    return np.clip(rows, -65504, 65504).astype(np.float32)


@pytest.mark.parametrize(
    "machine, lead, k, n",
    [("small", (1,), 16, 16), ("small", (5,), 37, 7), ("small", (2, 2), 18, 8), ("base", (3,), 130, 70)],
)
def test_int16_rows_by_int8_columns_to_the_bit(machine: str, lead: tuple[int, ...], k: int, n: int) -> None:
    rng = np.random.default_rng(k)
    w, c = rng.normal(size=(k, n)).astype(np.float32), rng.normal(size=n).astype(np.float32)
    w[:, 0] = 0
    x = spread(rng, *lead, k)
    config, sizes = preset(machine), ", ".join(map(str, lead))
    text = (
        f"g (float[{sizes}, {k}] x) => (float[{sizes}, {n}] y, float[{sizes}, {n}] z) "
        "{ y = MatMul(x, w) z = MatMul(x, v) }"
    )
    model = with_weights(text, {"w": w, "v": w * 3})
    found = Session(compile_model(model, config, precision="w8a16")).run(None, {"x": x})
    for weights, y in zip((w, w * 3), found, strict=True):
        numbers, factor = int8_columns(weights)
        rows = x.astype(np.float16).reshape(-1, k)
        expected = int16_product(rows, numbers, factor, config.vector_length)
        np.testing.assert_array_equal(y.reshape(-1, n), narrowed(expected, np.float16).astype(np.float32))
    if len(lead) == 1:
        text = f"g (float[{sizes}, {k}] x) => (float[{sizes}, {n}] y) {{ y = Gemm<transB = 1, beta = 2.0>(x, w, c) }}"
        model = with_weights(text, {"w": np.ascontiguousarray(w.T), "c": c})
        (y,) = Session(compile_model(model, config, precision="w8a16")).run(None, {"x": x})
        numbers, factor = int8_columns(w)
        total = int16_product(x.astype(np.float16), numbers, factor, config.vector_length)
        total = apply("ADD", total, apply("MUL", c, np.float32(2)))
        np.testing.assert_array_equal(y, narrowed(total, np.float16).astype(np.float32))


def test_int16_activations_lose_less_than_int8_weights() -> None:
    rng = np.random.default_rng(3)
    w, x = rng.normal(size=(256, 64)).astype(np.float32), rng.normal(size=(4, 256)).astype(np.float32)
    x[:, 7] *= 40
    model = with_weights("g (float[4, 256] x) => (float[4, 64] y) { y = MatMul(x, w) }", {"w": w})
    (y,) = Session(compile_model(model, preset("base"), precision="w8a16")).run(None, {"x": x})
    numbers, factor = int8_columns(w)
    rounded = x.astype(np.float64) @ (numbers * factor.astype(np.float64))
    exact = x.astype(np.float64) @ w
    assert np.abs(y - rounded).max() < np.abs(rounded - exact).max() / 4


def test_matrices_that_are_computed_stay_float16() -> None:
    rng = np.random.default_rng(4)
    x, w = rng.normal(size=(3, 20)).astype(np.float32), rng.normal(size=(20, 6)).astype(np.float32)
    model = with_weights("g (float[3, 20] x, float[20, 6] w) => (float[3, 6] y) { y = MatMul(x, w) }", {})
    first, second = [
        Session(compile_model(model, preset("small"), precision=precision)).run(None, {"x": x, "w": w})[0]
        for precision in ("float16", "w8a16")
    ]
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    "weight_type, per_channel", [(QuantType.QInt8, True), pytest.param(QuantType.QUInt8, False, marks=pytest.mark.long)]
)
def test_what_quantize_dynamic_writes(tmp_path: Any, weight_type: QuantType, per_channel: bool) -> None:
    rng = np.random.default_rng(5)
    weights = {
        "w": rng.normal(size=(20, 12)).astype(np.float32),
        "b": rng.normal(size=12).astype(np.float32),
        "v": rng.normal(size=(12, 10)).astype(np.float32),
    }
    text = "g (float[6, 20] x) => (float[6, 10] y) { a = MatMul(x, w) s = Add(a, b) r = Relu(s) y = MatMul(r, v) }"
    onnx.save(with_weights(text, weights), str(tmp_path / "float.onnx"))
    quantize_dynamic(tmp_path / "float.onnx", tmp_path / "int8.onnx", weight_type=weight_type, per_channel=per_channel)
    model = onnx.load(str(tmp_path / "int8.onnx"))
    assert {node.op_type for node in model.graph.node} >= {"DynamicQuantizeLinear", "MatMulInteger"}
    x = rng.normal(size=(6, 20)).astype(np.float32)
    # Not onnxruntime: without VNNI, as its guide to quantization says, its sums of two products saturate at 16 bits.
    (expected,) = ReferenceEvaluator(model).run(None, {"x": x})
    (y,) = Session(compile_model(model, preset("small"), precision="float32")).run(None, {"x": x})
    np.testing.assert_allclose(y, expected, rtol=0, atol=2.0**-20 * np.abs(expected).max())
    (y,) = Session(compile_model(model, preset("small"))).run(None, {"x": x})
    # A step of either factor's 255, where float16 rounds to a neighbour.
    np.testing.assert_allclose(y, expected, rtol=0, atol=2.0**-6 * np.abs(expected).max())


@pytest.mark.parametrize("known", [False, True])
def test_integers_at_the_ends_of_their_ranges(known: bool) -> None:
    """Without their zero points they are -255 to 255, which two int8 values do not add up to."""
    ends = np.array([0, 1, 127, 128, 254, 255], np.uint8)
    x, w = np.tile(ends, (4, 4)), np.tile(ends[::-1, None], (4, 5)).astype(np.uint8)
    for a, b in [(0, 255), (255, 0), (0, 0)][: 3 if known else 2]:
        zeros = {"a": np.array(a, np.uint8), "b": np.array(b, np.uint8)}
        inputs = "uint8[4, 24] x" if known else "uint8[4, 24] x, uint8 a, uint8 b"
        text = f"g ({inputs}) => (int32[4, 5] y) {{ y = MatMulInteger(x, w, a, b) }}"
        model = with_weights(text, {"w": w} | (zeros if known else {}))
        feeds = {"x": x} | ({} if known else zeros)
        expected = ort.InferenceSession(model.SerializeToString()).run(None, feeds)
        np.testing.assert_array_equal(Session(compile_model(model, preset("small"))).run(None, feeds), expected)


@pytest.mark.parametrize("a, b", [(0, 255), (255, 0), (0, 0)])
def test_convolutions_of_integers_at_the_ends_of_their_ranges(a: int, b: int) -> None:
    rng = np.random.default_rng(6)
    ends = np.array([0, 1, 127, 128, 254, 255], np.uint8)
    x, w = rng.choice(ends, (1, 4, 4, 6)), rng.choice(ends, (2, 4, 2, 3))
    zeros = {"a": np.array(a, np.uint8), "b": np.array(b, np.uint8)}
    model = with_weights(
        "g (uint8[1, 4, 4, 6] x) => (int32[1, 2, 3, 4] y) { y = ConvInteger(x, w, a, b) }", {"w": w} | zeros
    )
    expected = ort.InferenceSession(model.SerializeToString()).run(None, {"x": x})
    np.testing.assert_array_equal(Session(compile_model(model, preset("small"))).run(None, {"x": x}), expected)
