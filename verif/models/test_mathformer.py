"""MathFormer on `small`: arithmetic of digits, as right as in float32."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from arch.presets import preset
from models.compiled import CompiledModel, compile_model
from models.session import Session
from runtime.backend import Backend, GoldenBackend
from runtime.measure import run_checked
from runtime.rtl_backend import RtlBackend
from verif.models.mathformer import LENGTH, OPERATIONS, MathFormer, mathformer, prompts

CYCLES = 1806
"""Of eight tokens, whatever the weights."""


@functools.cache
def compiled(operation: str) -> tuple[MathFormer, CompiledModel]:
    found = mathformer(operation)
    return found, compile_model(found.model, preset("small"))


def answers(operation: str, asked: Sequence[str], backend: Backend, runs: list[Any]) -> list[str]:
    """Return answers of a backend, and note what runs gave; each has been found to take the predicted cycles."""
    model, program = compiled(operation)
    session, image = Session(program), program.image
    assert image is not None

    def logits(rows: list[Any]) -> list[Any]:
        results = run_checked(backend, image, [session.feeds({"tokens": row}) for row in rows])
        assert {result.cycles for result in results} == {image.cycles}
        runs.extend(result.outputs["logits"] for result in results)
        return [session.results(result.outputs)["logits"] for result in results]

    return model.answers(asked, logits)


@pytest.mark.parametrize("operation, step", [("div", 30)])
def test_some_prompts(operation: str, step: int) -> None:
    asked = prompts(operation)[::step]
    _, program = compiled(operation)
    assert program.image is not None and program.image.cycles == CYCLES
    assert answers(operation, [prompt for prompt, _ in asked], GoldenBackend(), []) == [right for _, right in asked]


def test_onnxruntime_has_the_logits() -> None:
    model, program = compiled("div")
    row = np.zeros((1, LENGTH), np.int64)
    row[0] = [model.tokens[character] for character in "9/2=Q4R1"]
    (expected,) = ort.InferenceSession(model.model.SerializeToString()).run(None, {"tokens": row})
    (found,) = Session(program).run(None, {"tokens": row})
    np.testing.assert_allclose(found, expected, rtol=0, atol=2.0**-7 * np.abs(expected).max())


@pytest.mark.long
@pytest.mark.parametrize("operation", OPERATIONS)
def test_all_prompts_on_rtl(operation: str) -> None:
    asked = prompts(operation)
    model, program = compiled(operation)
    session = ort.InferenceSession(model.model.SerializeToString())
    questions, right = [prompt for prompt, _ in asked], [answer for _, answer in asked]
    single = model.answers(questions, lambda rows: [session.run(None, {"tokens": row})[0] for row in rows])
    assert single == right
    golden: list[Any] = []
    assert answers(operation, questions, GoldenBackend(), golden) == right
    rtl: list[Any] = []
    assert answers(operation, questions, RtlBackend("verilator"), rtl) == right
    assert len(golden) == len(rtl)
    for one, other in zip(golden, rtl, strict=True):
        np.testing.assert_array_equal(one, other)
    assert program.image is not None and program.image.cycles == CYCLES
