"""``takt compile``, ``takt run`` of models, and ``import takt``."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.parser
import onnxruntime
import pytest

import takt
from arch.image import Image
from verif.runtime.command_line import takt as command

WEIGHTS = np.random.default_rng(1).normal(size=(24, 7)).astype(np.float32)
X = np.random.default_rng(2).normal(size=(5, 24)).astype(np.float32)
TEXT = """<ir_version: 10, opset_import: ["" : 21]>
g (float["n", 24] x) => (float["n", 7] y, int64["n"] k) {
    s = MatMul(x, w)
    y = Softmax(s)
    k = ArgMax<axis = 1, keepdims = 0>(y)
}"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    model = onnx.parser.parse_model(TEXT)
    model.graph.initializer.append(onnx.numpy_helper.from_array(WEIGHTS, "w"))
    onnx.save(model, tmp_path / "model.onnx")
    np.save(tmp_path / "x.npy", X)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def expected() -> list[Any]:
    return list(onnxruntime.InferenceSession("model.onnx").run(None, {"x": X}))


def test_a_model_is_compiled_saved_and_run(folder: Path) -> None:
    said = command("compile", "model.onnx", "--shape", "x=5x24", "-o", "model.takt", "--json", "-")
    figures = json.loads(said.stdout)
    assert figures["inputs"] == {"x": "float 5x24"}
    assert "k: int64 is int32 on the chip" in figures["on_the_host"]
    ran = command("run", "model.takt", "--in", "x=x.npy", "--out", "y=y.npy", "--out", "k=k.npy")
    assert f"{figures['predicted_cycles']} cycles, {figures['predicted_cycles']} predicted" in ran.stdout
    y, k = expected()
    found = np.load("y.npy")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, y, atol=2**-8)
    np.testing.assert_array_equal(np.load("k.npy"), k)
    session = takt.Session("model.takt")
    assert [(port.name, port.type, port.shape) for port in session.get_inputs()] == [("x", "tensor(float)", (5, 24))]
    (again,) = session.run(["y"], {"x": X})
    assert (again == found).all()
    assert session.cycles == session.predicted_cycles == figures["predicted_cycles"]


def test_a_model_is_held_against_onnxruntime(folder: Path) -> None:
    said = command(
        "run", "model.onnx", "--in", "x=x.npy", "--check", "onnxruntime", "--precision", "float32", "--json", "-"
    )
    figures = json.loads(said.stdout)
    assert said.exit_code == 0
    assert figures["matches_golden"]
    assert figures["cycles"] == figures["predicted_cycles"]
    assert [one["near"] for one in figures["onnxruntime"]] == [True, True]
    assert figures["onnxruntime"][0]["max_abs_error"] < 1e-6


def test_what_is_far_from_onnxruntime_fails(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("takt.commands.models.TOLERANCES", {"float16": 2.0**-30})
    said = command("run", "model.onnx", "--in", "x=x.npy", "--check", "onnxruntime")
    assert said.exit_code == 1
    assert "NO" in said.stdout


def test_the_functions(folder: Path) -> None:
    y, k = expected()
    found = takt.run("model.onnx", {"x": X}, precision="float32")
    np.testing.assert_allclose(found["y"], y, rtol=1e-5)
    np.testing.assert_array_equal(found["k"], k)
    compiled = takt.compile("model.onnx", "nano", ["mem_depth=2048"], shapes={"x": (2, 24)})
    assert compiled.image is not None
    assert compiled.image.config.mem_depth == 2048
    takt.save(compiled, "nano.takt")
    with pytest.raises(takt.TaktError, match="a compiled model must come without options, not with precision"):
        takt.Session("nano.takt", precision="float32")
    with pytest.raises(AttributeError, match="no attribute 'quantise'"):
        takt.quantise  # noqa: B018


@pytest.mark.parametrize(
    "words, message",
    [
        ("compile model.onnx", "shape of input x must be static, not (n, 24): give it, as --shape x=1x24"),
        ("compile model.onnx --shape x=5x", "--shape x must be sizes from 1 on with x between them, not '5x'"),
        ("compile model.onnx --shape x=5x25", "shape of x must fit (n, 24), not be 5x25"),
        ("compile model.onnx --shape z=5x24", "input must be one of x, not 'z'"),
        (
            "compile model.onnx --shape x=5x24 --precision int4",
            "precision must be one of float16, float32, w8a16, not 'int4'",
        ),
        ("compile x.npy", "'x.npy' must be an ONNX model: "),
        ("compile none.onnx", "'none.onnx' must be an ONNX model: "),
        ("run model.onnx", "shape of input x must be static"),
        ("run model.onnx --in q=x.npy", "input must be one of x, not 'q'"),
        ("run model.onnx --in x=x.npy --out q=q.npy", "output must be one of y, k, not 'q'"),
        ("run model.onnx --in x=x.npy --check torch", "--check must be onnxruntime, not 'torch'"),
        ("run model.takt --in x=x.npy --check onnxruntime", "--check must come with a MODEL.onnx, not with an image"),
        ("run model.onnx --in x=wide.npy", "input x must be float32 of shape (5, 24), not float64 of shape (5, 24)"),
    ],
)
def test_mistakes_are_one_line(words: str, message: str, folder: Path) -> None:
    np.save("wide.npy", X.astype(np.float64))
    said = command(*words.split())
    assert said.exit_code == 2
    assert message in said.stderr
    assert "Traceback" not in said.stderr


def test_an_image_must_fit_what_it_says_of_its_model(folder: Path) -> None:
    takt.save(takt.compile("model.onnx", "nano", ["mem_depth=2048"], shapes={"x": (2, 24)}), "nano.takt")
    image = Image.load("nano.takt")
    edge = json.loads(json.dumps(image.notes["edge"]))
    edge["inputs"]["x"]["shape"] = [24, 2]
    Image(**{**vars(image), "notes": {**image.notes, "edge": edge}}).save("other.takt")
    said = command("run", "other.takt", "--in", "x=x.npy")
    assert said.exit_code == 2
    assert "edge of x must be an ONNX type of shape (2, 24), not float of shape (24, 2)" in said.stderr


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Return a file that is cut off, or in which a few bits are others."""
    if rng.integers(3) == 0:
        return content[: int(rng.integers(len(content)))]
    changed = bytearray(content)
    for place in rng.integers(len(changed), size=int(rng.integers(1, 4))):
        changed[place] ^= 1 << int(rng.integers(8))
    return bytes(changed)


@pytest.mark.parametrize("seed, number", [(1, 15), pytest.param(2, 2000, marks=pytest.mark.long)])
def test_damaged_files_are_refused_in_one_line(seed: int, number: int, folder: Path) -> None:
    content, rng = Path("model.onnx").read_bytes(), np.random.default_rng(seed)
    refused = []
    for _ in range(number):
        Path("damaged.onnx").write_bytes(damaged(content, rng))
        try:
            takt.compile("damaged.onnx", "nano", shapes={"x": (2, 24)})
        except takt.TaktError as error:
            refused.append(str(error))
    assert len(refused) > number // 4
    assert not [text for text in refused if "\n" in text]
