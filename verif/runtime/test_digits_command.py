import json

import pytest

from verif.runtime.command_line import refusal, takt


@pytest.mark.parametrize(
    ("preset", "backend", "count"),
    [("small", "verilator", 360), ("small", "golden", 360), ("nano", "golden", 61), ("nano", "verilator", 60)],
)
def test_every_answer_is_that_of_golden_model_and_numpy(preset, backend, count):
    """A trained network reads held-out digits on the RTL: every answer and cycle as predicted."""
    result = takt("digits", "--preset", preset, "--backend", backend, "--count", count, "--json", "-")
    assert result.exit_code == 0, result.stderr
    figures = json.loads(result.stdout)
    assert figures["count"] == count
    assert figures["matches_golden"] is True
    assert figures["matches_numpy"] is True
    assert figures["predicted_cycles"] == figures["golden_cycles"] == figures["cycles"]
    assert figures["cycles_per_image"] == pytest.approx(figures["cycles"] / 60)
    assert figures["accuracy"] == figures["numpy_int8_accuracy"]
    if count == 360:
        assert figures["accuracy"] >= 0.95
        assert abs(figures["accuracy"] - figures["float_accuracy"]) <= 0.01


def test_text_shows_digits_and_accuracies(tmp_path):
    result = takt("digits", "--backend", "golden", "--count", 7, "--save-image", tmp_path / "digits.takt")
    assert "@@" in result.stdout
    assert "INT8, golden" in result.stdout
    assert "7 held-out images" in result.stdout
    assert takt("timetable", tmp_path / "digits.takt", "-o", tmp_path / "digits.svg").exit_code == 0


def test_wrong_counts_are_refused():
    assert refusal("digits", "--backend", "golden", "--count", 0).endswith("count must be 1 to 360, not 0")
    assert refusal("digits", "--backend", "golden", "--count", 361).endswith("not 361")
