import json

import numpy as np
import pytest

from arch.formats import CANONICAL_NAN, CANONICAL_NAN_FP16
from runtime.comparison import canonical, difference, differences
from runtime.measure import measure
from verif.bits import same_bits
from verif.runtime.command_line import takt
from verif.runtime.hand_made import relu_image
from verif.runtime.test_backend import CONFIG, Altered, tensors

NAN = np.array([CANONICAL_NAN], np.uint32).view(np.float32)
FP16_NAN = np.array([CANONICAL_NAN_FP16], np.uint16).view(np.float16)
FLOATS = ("float16", "float32")


@pytest.mark.parametrize("nan", [NAN, FP16_NAN])
def test_the_canonical_nan_equals_itself_and_no_other(nan):
    assert difference(nan, nan.copy()) == ""
    other = (nan.view(f"u{nan.itemsize}") ^ 1).view(nan.dtype)
    assert np.isnan(other[0]) and difference(other, nan) != ""
    same_bits(canonical(other), nan)
    same_bits(canonical(-nan), nan)


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_nan_becomes_canonical_and_nothing_else_changes(dtype, rng):
    size = np.dtype(dtype).itemsize
    values = rng.integers(0, 1 << 8 * size, 4000).astype(f"u{size}").view(dtype)
    found, nan = canonical(values), np.isnan(values)
    assert nan.any() and not nan.all()
    same_bits(found[~nan], values[~nan])
    assert set(found[nan].view(f"u{size}").tolist()) == {CANONICAL_NAN_FP16 if size == 2 else CANONICAL_NAN}


@pytest.mark.parametrize("dtype", FLOATS)
def test_zeros_have_signs(dtype):
    zeros = np.zeros(3, dtype)
    text = difference(np.array([0.0, -0.0, 0.0], dtype), zeros, "y")
    digits = {"float16": "8000", "float32": "80000000"}[dtype]
    assert text.splitlines() == [
        "y differs in 1 of 3 elements:",
        f"  y[1] must be 0.0 (0x{'0' * len(digits)}), not -0.0 (0x{digits})",
    ]


def test_a_difference_counts_and_shows_the_first_few():
    expected = np.arange(-20, 20, dtype=np.int8).reshape(5, 8)
    found = expected.copy()
    found[1:3] += 1
    lines = difference(found, expected, "y").splitlines()
    assert lines[0] == "y differs in 16 of 40 elements:"
    assert lines[1] == "  y[1, 0] must be -12 (0xf4), not -11 (0xf5)"
    assert lines[-1] == "  and 11 more"
    assert len(lines) == 7


@pytest.mark.parametrize(
    "found", [np.zeros((2, 3), np.float32), np.zeros((3, 2), np.float16), np.zeros(6, np.int32), np.zeros((), np.int8)]
)
def test_format_and_shape_count(found):
    text = difference(found, np.zeros((2, 3), np.float16), "y")
    assert text == f"y must be float16 of shape (2, 3), not {found.dtype} of shape {found.shape}"


def test_arrays_of_any_arrangement():
    values = np.arange(24, dtype=np.int32).reshape(2, 3, 4)
    same_bits(values.transpose(2, 0, 1), np.ascontiguousarray(values.transpose(2, 0, 1)))
    same_bits(np.array(3, np.float32), np.float32(3))
    assert difference(np.array(2, np.int8), np.array(3, np.int8)).endswith("result[] must be 3 (0x03), not 2 (0x02)")


def test_names_must_be_the_same():
    one = np.zeros(1, np.int8)
    assert differences({"y": one}, {"y": one}) == []
    assert differences({}, {"y": one}) == ["result y is missing"]
    assert differences({"y": one, "z": one}, {"y": one}) == ["result must be one of y, not 'z'"]


def test_a_measurement_says_what_is_wrong_and_where():
    image, inputs = relu_image(CONFIG), tensors(2)
    expected = [{"y": np.maximum(given["x"], 0)} for given in inputs]
    assert measure(image, inputs, Altered(), expected).mismatches == ()
    wrong = measure(image, inputs, Altered(flip=1, cycles=2), expected).mismatches
    place = "y[15, 7] must be"
    assert [text.partition("\n")[0] for text in wrong] == [
        "run 2 of 2, beside the golden model: y differs in 1 of 128 elements:",
        f"run 2 of 2, beside the golden model: cycles must be {image.cycles}, not {image.cycles + 2}",
        "run 2 of 2, beside the reference: y differs in 1 of 128 elements:",
        f"run 2 of 2, cycles must be {image.cycles} as predicted, not {image.cycles + 2}",
    ]
    assert place in wrong[0] and place in wrong[2]


SPECIAL = [np.nan, np.inf, -np.inf, -np.nan]


@pytest.mark.parametrize("special", SPECIAL, ids=str)
@pytest.mark.parametrize("where", ["a", "b", "both"])
def test_products_of_nan_and_infinity_match(where, special, tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    files = {"a": rng.standard_normal((5, 9)).astype(np.float16), "b": rng.standard_normal((9, 7)).astype(np.float16)}
    for name, matrix in files.items():
        if where in (name, "both"):
            matrix[1, 3] = special
        np.save(f"{name}.npy", matrix)
    more = ("--dtype", "fp16", "--preset", "nano", "--out", "c.npy", "--json", "-")
    result = takt("gemm", "--a", "a.npy", "--b", "b.npy", *more)
    figures = json.loads(result.stdout)
    assert result.exit_code == 0, result.stderr
    assert figures["matches_golden"] and figures["matches_numpy"] and figures["mismatches"] == []
    found = np.load("c.npy")
    assert not np.isfinite(found).all()
    same_bits(found, canonical(found))
    with np.errstate(invalid="ignore"):
        about = files["a"].astype(np.float64) @ files["b"].astype(np.float64)
    np.testing.assert_allclose(found, about, rtol=1e-5)


@pytest.mark.parametrize("as_json", [False, True])
def test_commands_show_what_differs(as_json, monkeypatch):
    def wrong(gemm, config):
        return np.full((gemm.a.shape[0], gemm.b.shape[1]), -0.0, np.float32)

    monkeypatch.setattr("runtime.commands.gemm_command.gemm_reference", wrong)
    more = ["--json", "-"] if as_json else []
    result = takt("gemm", "-m", 2, "-k", 3, "-n", 4, "--dtype", "fp16", "--preset", "nano", *more)
    assert result.exit_code == 1
    shown = result.stderr if as_json else result.stdout
    assert "2x3x4 fp16: beside the reference: c differs in 8 of 8 elements:" in shown
    assert "c[0, 0] must be -0.0 (0x80000000), not" in shown
    assert "and 3 more" in shown
    if as_json:
        figures = json.loads(result.stdout)
        assert figures["matches_golden"] and not figures["matches_numpy"]
        assert figures["mismatches"][0].startswith("beside the reference: c differs in 8 of 8 elements:")
