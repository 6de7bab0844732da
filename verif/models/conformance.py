"""ONNX's own node tests, on this machine: what passes, what is not supported, and why."""

import signal
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from onnx import TensorProto
from onnx.backend.test.runner import Runner
from onnx.numpy_helper import to_array
from onnx.reference import ReferenceEvaluator

from arch.errors import TaktError
from models.onnx_backend import TaktBackend

PASSED, KNOWN, UNSUPPORTED, FAILED = "passed", "known", "not supported", "failed"
"""Results equal; equal, and all known when the model was compiled; refused with a reason; anything else."""

UNFIT, UNFINISHED = "unfit", "not finished"
"""Results within the tolerance of the standard's own computation in float64, from which what the test expects, rounded
along the way, is farther away; given up after so many CPU seconds."""


@dataclass(frozen=True)
class Outcome:
    """What became of a test.

    Attributes
    ----------
    name : str
    operator : str
        That the test is about.
    status : str
    reason : str
        Of a refusal or a failure.
    cycles : int
        Of the program on the golden model.
    """

    name: str
    operator: str
    status: str
    reason: str = ""
    cycles: int = 0


@cache
def node_tests() -> tuple[Any, ...]:
    """Return all node tests of the package `onnx`."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        # Of NumPy, where the tests' expected values are computed.
        warnings.simplefilter("ignore", RuntimeWarning)
        return tuple(load_model_tests(kind="node"))


class _OutOfTime(BaseException):
    """Not an Exception, so that nothing between takes it for a fault of its own."""


def _give_up(number: int, frame: object) -> None:
    raise _OutOfTime


def run_tests(tests: Iterable[Any], limit: float) -> Iterator[Outcome]:
    """Yield the outcome of each test, those that take more CPU seconds as not finished; in the main thread."""
    before = signal.signal(signal.SIGVTALRM, _give_up)
    try:
        for test in tests:
            signal.setitimer(signal.ITIMER_VIRTUAL, limit)
            try:
                yield run_test(test)
            except _OutOfTime:
                yield Outcome(test.name, operator_of(test), UNFINISHED, f"not finished in {limit:g} CPU seconds")
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    finally:
        signal.signal(signal.SIGVTALRM, before)


def run_test(test: Any) -> Outcome:
    """Return the outcome of a test: integers and bools must be equal, floats within the tolerance that ONNX sets."""
    operator = operator_of(test)
    cycles, computed = 0, False
    try:
        prepared = TaktBackend.prepare(test.model)
        for inputs, expected in test.data_sets:
            found = prepared.run(inputs)
            expected = [to_array(one) if isinstance(one, TensorProto) else one for one in expected]
            try:
                Runner.assert_similar_outputs(expected, found, test.rtol, test.atol)
            except AssertionError:
                if _is_unfit(test, inputs, expected, found):
                    return Outcome(
                        test.name, operator, UNFIT, "what is expected is farther than its tolerance from float64"
                    )
                raise
            for one, other in zip(expected, found, strict=True):
                if other.dtype.kind in "iub":
                    np.testing.assert_array_equal(other, one)
            cycles = max(cycles, prepared.cycles)
            computed |= prepared.compiled is not None and prepared.compiled.image is not None
    except TaktError as error:
        return Outcome(test.name, operator, UNSUPPORTED, str(error))
    except Exception as error:
        # A test reports whatever went wrong, and the next one runs.
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return Outcome(test.name, operator, FAILED, reason)
    return Outcome(test.name, operator, PASSED if computed else KNOWN, "", cycles)


def _is_unfit(test: Any, inputs: Sequence[Any], expected: Sequence[Any], found: Sequence[Any]) -> bool:
    """Return whether float64 agrees with what was found, within the tolerance, and with what is expected only roughly:
    but for rounding of float32, beside the largest element.
    """
    arrays = [to_array(one) if isinstance(one, TensorProto) else one for one in inputs]
    if not all(isinstance(one, np.ndarray) for one in [*arrays, *expected]):
        return False
    wide = [one.astype(np.float64) if one.dtype == np.float32 else one for one in arrays]
    names = [entry.name for entry in test.model.graph.input]
    with np.errstate(all="ignore"):
        exact = ReferenceEvaluator(test.model).run(None, dict(zip(names, wide, strict=True)))

    def near(values: Sequence[Any], rough: float = 0) -> bool:
        return all(
            np.allclose(one, other, test.rtol, max(test.atol, rough * float(np.abs(other).max())), equal_nan=True)
            for one, other in zip(values, exact, strict=True)
        )

    return near(found) and not near(expected) and near(expected, 2.0**-20)


def operator_of(test: Any) -> str:
    """Return the operator that a test is about: of an expanded function, that of the test it was made from."""
    name = str(test.name)
    if "_expanded" not in name:
        node = next(iter(test.model.graph.node))
        return f"{node.domain}.{node.op_type}" if node.domain else str(node.op_type)
    original = name.partition("_expanded")[0]
    return _operators().get(original, original.removeprefix("test_"))


@cache
def _operators() -> dict[str, str]:
    return {str(test.name): operator_of(test) for test in node_tests() if "_expanded" not in str(test.name)}
