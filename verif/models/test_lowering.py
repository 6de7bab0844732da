"""Small models, on the golden model: what is computed, what is known beforehand, what is refused."""

from typing import Any

import numpy as np
import onnx
import onnx.parser
import pytest

from arch.errors import TaktError
from arch.presets import preset
from models.compiled import compile_model
from models.registry import find_lowering, operator, operators
from models.session import Session
from models.value import NotKnown

HEAD = '<ir_version: 10, opset_import: ["" : 21]>'


def model(text: str) -> onnx.ModelProto:
    return onnx.parser.parse_model(HEAD + text)


def ran(text: str, feeds: dict[str, Any], **options: Any) -> list[Any]:
    return Session(compile_model(model(text), preset("small"), **options)).run(None, feeds)


def test_a_dense_layer_in_float16_has_float32_sums() -> None:
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=(5, 24)).astype(np.float32), rng.normal(size=(24, 7)).astype(np.float32)
    (y,) = ran(
        "g (float[5, 24] x, float[24, 7] w) => (float[5, 7] y) { s = MatMul(x, w)  y = Relu(s) }", {"x": x, "w": w}
    )
    wide = x.astype(np.float16).astype(np.float64) @ w.astype(np.float16).astype(np.float64)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, np.maximum(wide, 0), rtol=2**-10, atol=1e-5)


def test_a_product_of_float32_keeps_22_bits() -> None:
    rng = np.random.default_rng(2)
    x, w = rng.normal(size=(3, 40)).astype(np.float32), rng.normal(size=(40, 9)).astype(np.float32)
    (y,) = ran(
        "g (float[3, 40] x, float[40, 9] w) => (float[3, 9] y) { y = MatMul(x, w) }",
        {"x": x, "w": w},
        precision="float32",
    )
    terms = np.abs(x).astype(np.float64) @ np.abs(w)
    assert (np.abs(y - x.astype(np.float64) @ w) <= terms * 2.0**-20).all()


def test_a_quotient_of_float32_is_rounded_once() -> None:
    rng = np.random.default_rng(3)
    x, w = (np.ldexp(rng.normal(size=(4, 64)), rng.integers(-20, 20, (4, 64))).astype(np.float32) for _ in range(2))
    text = "g (float[4, 64] x, float[4, 64] w) => (float[4, 64] y) { y = Div(x, w) }"
    (y,) = ran(text, {"x": x, "w": w}, precision="float32")
    assert (y == x / w).all()
    ends = (
        np.array([[0, 1, -1, 0, np.inf, 1, np.nan, 3e38]], np.float32),
        np.array([[2, 0, 0, 0, 2, np.inf, 1, 2]], np.float32),
    )
    text = "g (float[1, 8] x, float[1, 8] w) => (float[1, 8] y) { y = Div(x, w) }"
    (y,) = ran(text, dict(zip("xw", ends, strict=True)), precision="float32")
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(y, ends[0] / ends[1])


def test_what_is_known_needs_no_program() -> None:
    text = "g (float[2, 3] x) => (int64[2] y) { y = Shape(x) }"
    compiled = compile_model(model(text), preset("small"))
    assert compiled.image is None
    assert Session(compiled).run(None, {"x": np.zeros((2, 3), np.float32)})[0].tolist() == [2, 3]
    assert compiled.at_the_edge == ("x: float32 is float16 on the chip", "y: known when the model was compiled")


def test_branches_and_loops_are_unrolled() -> None:
    text = """g (int32[3] x) => (int32[3] y) {
        n = Constant<value = int64 {4}> ()
        go = Constant<value = bool {1}> ()
        y = Loop(n, go, x) <body = b (int64 turn, bool again, int32[3] v) => (bool on, int32[3] w) {
            on = Identity(again)
            t = Cast<to = 6>(turn)
            w = Add(v, t)
        }>
    }"""
    (y,) = ran(text, {"x": np.array([1, 2, 3], np.int32)})
    assert y.tolist() == [7, 8, 9]


def test_a_shape_that_is_given_decides() -> None:
    text = 'g (float["n", 4] x) => (float["n", 4] y) { y = Neg(x) }'
    with pytest.raises(TaktError, match=r"shape of input x must be static, not \(n, 4\): give it, as --shape x=1x4"):
        compile_model(model(text), preset("small"))
    with pytest.raises(TaktError, match=r"shape of x must fit \(n, 4\), not be 2x5"):
        compile_model(model(text), preset("small"), shapes={"x": (2, 5)})
    (y,) = ran(text, {"x": np.ones((2, 4), np.float32)}, shapes={"x": (2, 4)})
    assert (y == -1).all()


@pytest.mark.parametrize(
    "text, message",
    [
        (
            "g (bfloat16[2] x) => (bfloat16[2] y) { y = Neg(x) }",
            "input 'x': element type must be one of .*, not bfloat16",
        ),
        (
            "g (float[2, 2] x) => (float[2, 2] y, float l) { y, l = Det2(x) }",
            "must be an ONNX model: No Op registered for Det2",
        ),
        (
            "g (float[1, 1, 4, 4] x, float[1, 4] r, int64[1] n) => (float[1, 1, 1, 1] y) { y = RoiAlign(x, r, n) }",
            r"node 'y' \(RoiAlign\): operator has no lowering",
        ),
        (
            "g (float[4, 4] x) => (float y) { y = Det(x) }",
            r"node 'y' \(Det\): matrices must be square, of at most 3 rows, not \(4, 4\)",
        ),
        (
            "g (float[4] x, int64[1] s) => (float[2, 2] y) { y = Reshape(x, s) }",
            r"node 'y' \(Reshape\): operand 1 of Reshape must be known when the model is compiled, not computed from s",
        ),
        (
            "g (float[2, 3] x, float[2, 3] w) => (float[2, 3] y) { y = MatMul(x, w) }",
            r"node 'y' \(MatMul\): inner dimensions must be equal, not 3 and 2",
        ),
    ],
)
def test_what_cannot_run_is_named(text: str, message: str) -> None:
    with pytest.raises(TaktError, match=message) as error:
        compile_model(model(text), preset("small"))
    assert "\n" not in str(error.value)


def test_a_value_that_decides_a_shape_can_be_bound() -> None:
    text = "g (float[4] x, int64[2] s) => (float[2, 2] y) { y = Reshape(x, s) }"
    with pytest.raises(NotKnown) as error:
        compile_model(model(text), preset("small"))
    assert error.value.sources == {"s"}
    compiled = compile_model(model(text), preset("small"), values={"s": np.array([2, 2])})
    session = Session(compiled)
    assert [port.name for port in session.get_inputs()] == ["x"]
    assert session.run(["y"], {"x": np.arange(4, dtype=np.float32)})[0].tolist() == [[0, 1], [2, 3]]


def test_inputs_are_checked() -> None:
    session = Session(compile_model(model("g (float[2] x) => (float[2] y) { y = Neg(x) }"), preset("small")))
    with pytest.raises(TaktError, match="input 'x' is missing: float32 of shape"):
        session.run(None, {})
    with pytest.raises(TaktError, match="input must be one of x, not 'z'"):
        session.run(None, {"x": np.zeros(2, np.float32), "z": 1})
    with pytest.raises(TaktError, match="input x must be float32 of shape"):
        session.run(None, {"x": np.zeros(3, np.float32)})
    with pytest.raises(TaktError, match="output must be one of y, not 'q'"):
        session.run(["q"], {"x": np.zeros(2, np.float32)})


def test_int64_that_does_not_fit_is_refused() -> None:
    session = Session(compile_model(model("g (int64[1] x) => (int64[1] y) { y = Neg(x) }"), preset("small")))
    with pytest.raises(TaktError, match="input x must have int64 values that fit int32, not 2147483648"):
        session.run(None, {"x": np.array([1 << 31])})


def test_a_file_that_is_no_model_is_one_line(tmp_path: Any) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(TaktError, match="must be an ONNX model") as error:
        compile_model(path, preset("small"))
    assert "\n" not in str(error.value)


def test_the_table_knows_versions() -> None:
    assert find_lowering("", "Softmax", 12) is not find_lowering("", "Softmax", 13)
    assert find_lowering("", "Clip", 6) is None
    assert {"Add", "Conv", "LSTM", "MatMul", "QLinearConv"} <= set(operators())
    with pytest.raises(ValueError, match="Add from version 1 must have one lowering"):
        operator("Add")(lambda: None)
