"""ONNX's node tests: a sample of them, and that docs/onnx.md says the truth about it."""

import re
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from verif.models.__main__ import main
from verif.models.conformance import (
    FAILED,
    KNOWN,
    PASSED,
    UNFINISHED,
    UNFIT,
    UNSUPPORTED,
    Outcome,
    node_tests,
    run_test,
    run_tests,
)
from verif.models.page import kind_of, named_on_page, sections
from verif.repo.files import ROOT

SAMPLE = 97
"""Of so many tests one is run in every run of the tests, all others in the long one."""

LIMIT = 20.0
"""CPU seconds after which one of them is given up; `python -m verif.models` waits longer."""

NAMED = {test.name: test for test in node_tests()}

ON_PAGE = named_on_page((ROOT / "docs" / "onnx.md").read_text())
"""Tests that have not passed, and why; those that were not run, or not to the end, begin with "not"."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] if place % SAMPLE else []) for place, name in enumerate(NAMED)]
)
def test_node_tests_pass_or_say_why(name: str) -> None:
    (outcome,) = run_tests([NAMED[name]], LIMIT)
    assert outcome.status != FAILED, outcome.reason
    on_page = ON_PAGE.get(name)
    if outcome.status in (PASSED, KNOWN):
        assert on_page is None or on_page.startswith("not ")
    if outcome.status == UNSUPPORTED:
        assert on_page is not None
        assert re.match(r"(node|input|graph) '", outcome.reason), outcome.reason


ALWAYS = [
    "affine_grid_2d",
    "bitcast_int8_to_uint8",
    "col2im_pads",
    "det_nd",
    "dft_irfft",
    "div_int8",
    "dynamicquantizelinear",
    "einsum_batch_diagonal",
    "einsum_inner_prod",
    "gridsample_bicubic",
    "maxunpool_export_with_output_shape",
    "mod_float_edge_cases_fmod_0_float32",
    "resize_downsample_scales_linear_antialias",
    "resize_tf_crop_and_resize_extrapolation_value",
    "resize_upsample_sizes_nearest_not_larger",
    "scatter_elements_with_duplicate_indices",
    "scatternd_max",
    "upsample_nearest",
]
"""Of operators that no other test has."""


@pytest.mark.parametrize("name", ALWAYS)
def test_these_pass(name: str) -> None:
    outcome = run_test(NAMED[f"test_{name}"])
    assert outcome.status == PASSED, outcome.reason


def test_what_is_expected_may_be_rounded_worse_than_its_tolerance(monkeypatch: pytest.MonkeyPatch) -> None:
    """An inverse transform is exact in float64, and so is the chip's; the test has noise of float32."""
    test = NAMED["test_dft_inverse"]
    assert run_test(test).status == UNFIT
    _, (expected,) = test.data_sets[0]
    monkeypatch.setattr("models.onnx_backend.Session.run", lambda *_: [expected + np.float32(1)])
    assert run_test(test).status == FAILED


def test_a_wrong_result_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    test = NAMED["test_add"]
    inputs, (expected,) = test.data_sets[0]
    wrong = expected.copy()
    wrong.flat[-1] += 1
    monkeypatch.setattr(test, "data_sets", [(inputs, [wrong])])
    assert run_test(test).status == FAILED


def test_integers_must_be_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    test = NAMED["test_add_uint8"]
    inputs, (expected,) = test.data_sets[0]
    near = np.where(expected > 100, expected, 100).astype(np.uint8)
    monkeypatch.setattr(test, "data_sets", [(inputs, [near])])
    monkeypatch.setattr(test, "atol", 1000.0)
    assert run_test(test).status == FAILED


def test_what_takes_long_is_given_up() -> None:
    assert [outcome.status for outcome in run_tests([NAMED["test_softmax_axis_0"]], 1e-3)] == [UNFINISHED]


def test_the_command_counts_and_names() -> None:
    result = CliRunner().invoke(main, ["-k", "^test_(bernoulli|shape|neg)$"])
    assert result.exit_code == 0, result.output
    assert "test_bernoulli: not supported: node 'y' (Bernoulli): result must not be random" in result.output
    for text in ("1 passed", "1 known", "1 not supported"):
        assert text in result.output


@pytest.mark.parametrize(
    "reason, kind",
    [
        ("node 'y' (Det): operator has no lowering, and no function in the standard", "operator has no lowering"),
        ("input 'x': element type must be one of a, b, not double", "element type double: no unit of the chip"),
        ("node 'y' (X): axis must be 3, not 4", "axis must be N, not N"),
    ],
)
def test_reasons_are_counted_by_kind(reason: str, kind: str) -> None:
    assert kind_of(reason).startswith(kind)


def test_the_page_counts_every_test() -> None:
    outcomes = [
        Outcome("test_a", "A", PASSED, "", 20),
        Outcome("test_b", "A", KNOWN),
        Outcome("test_c", "B", UNSUPPORTED, "node 'y' (B): p must be 1, not 3"),
    ]
    parts: Any = sections(outcomes)
    assert "| A | 2 | 1 | 1 |  |  |  |  | 20 |" in parts["operators"]
    assert "| passed on the chip | 1 |" in parts["summary"]
    assert named_on_page(parts["reasons"]) == {"test_c": "p must be N, not N. B."}
