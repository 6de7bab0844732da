"""What becomes of a graph: compiled, run on the golden machine, and compared with NumPy."""

import re
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy.typing as npt

from arch.errors import TaktError
from arch.image import Image
from runtime.backend import make_backend
from runtime.comparison import differences
from runtime.run import RunResult
from verif.compiler.fuzz.evaluate import expected
from verif.compiler.fuzz.graph import Graph
from verif.repo.files import ROOT, name_of

__all__ = ["Outcome", "Verdict", "judge", "judge_on_rtl", "reason_of"]

Array = npt.NDArray[Any]
Outputs = Mapping[str, Array]


class Outcome(StrEnum):
    """What may become of a graph."""

    RIGHT = "right"
    REFUSED = "refused"
    WRONG = "wrong"
    CRASHED = "crashed"


@dataclass(frozen=True)
class Verdict:
    """What became of a graph.

    Attributes
    ----------
    outcome : Outcome
    message : str
        The refusal, what is wrong, or the exception and where it came from; empty if all is right.
    seconds : float
        CPU seconds of building and compiling.
    cycles : int
        Predicted; 0 of what did not compile.
    image : Image or None
    """

    outcome: Outcome
    message: str = ""
    seconds: float = 0.0
    cycles: int = 0
    image: Image | None = None

    @property
    def kind(self) -> str:
        """Outcome and reason without the numbers and names of one graph: what shrinking keeps."""
        return f"{self.outcome}: {reason_of(self.message)}"


def reason_of(message: str) -> str:
    """Return a message without numbers, names and shapes, so that messages of one kind are equal."""
    first = message.partition("\n")[0]
    first = re.sub(r"'[^']*'", "'...'", first)
    first = re.sub(r"\([\d, -]*\)", "(...)", first)
    first = re.sub(r"\b(?:float|int)\d+\b", "F", first)
    first = re.sub(r"\b[a-z]+\d+(?:\.\w+)*\b", "T", first)
    first = re.sub(r"\b[A-Z]{3}_[EWX]\d+\b", "U", first)
    first = re.sub(r"\b0x[0-9a-f]+\b", "#", first)
    return re.sub(r"-?\b\d[\d,]*\b", "#", first)


def judge(graph: Graph, wanted: Sequence[Outputs] | None = None) -> Verdict:
    """Return what becomes of a graph.

    Parameters
    ----------
    graph : Graph
    wanted : sequence of dict, optional
        Its outputs in each run; by default `expected` computes them.

    Raises
    ------
    Illegal
        When the interface does not define the graph.
    """
    wanted = expected(graph) if wanted is None else wanted
    start = time.process_time()
    try:
        image = graph.build().compile()
    except TaktError as error:
        return Verdict(Outcome.REFUSED, str(error), time.process_time() - start)
    except Exception as error:  # any other one is what is looked for
        return Verdict(Outcome.CRASHED, _described(error), time.process_time() - start)
    seconds = time.process_time() - start
    try:
        results = make_backend("golden").run(image, [graph.inputs(run) for run in range(graph.runs)])
    except Exception as error:
        return Verdict(Outcome.CRASHED, _described(error), seconds, image.cycles, image)
    text = _faults(results, wanted, image.cycles)
    return Verdict(Outcome.WRONG if text else Outcome.RIGHT, text, seconds, image.cycles, image)


def judge_on_rtl(compiled: Sequence[tuple[Graph, Image]], simulator: str) -> list[Verdict]:
    """Return what becomes of graphs of one machine on its RTL, in one simulation."""
    from runtime.rtl_backend import run_jobs_on_rtl

    jobs = [(image, [graph.inputs(run) for run in range(graph.runs)]) for graph, image in compiled]
    verdicts = []
    for (graph, image), results in zip(compiled, run_jobs_on_rtl(jobs, simulator), strict=True):
        text = _faults(results, expected(graph), image.cycles)
        verdicts.append(Verdict(Outcome.WRONG if text else Outcome.RIGHT, text, 0.0, image.cycles, image))
    return verdicts


def _faults(results: Sequence[RunResult], wanted: Sequence[Outputs], cycles: int) -> str:
    """Return what is wrong with the runs, none if every bit and the cycles are right."""
    texts = []
    for run, (result, outputs) in enumerate(zip(results, wanted, strict=True)):
        if result.fault is not None:
            texts.append(f"run must end without a fault, not with {result.fault} in run {run}")
            break
        if result.cycles != cycles:
            texts.append(f"cycles must be the {cycles} predicted, not {result.cycles} in run {run}")
        texts += [
            f"output must be right, not differ in run {run}: {text}" for text in differences(result.outputs, outputs)
        ]
    return "\n".join(texts)


def _described(error: Exception) -> str:
    """Return an exception, and the last place of this project in its traceback."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if ROOT in Path(frame.filename).parents]
    places = [f"{name_of(Path(frame.filename))}, {frame.name}" for frame in frames]
    lines = [f"  {name_of(Path(frame.filename))}:{frame.lineno} {frame.name}" for frame in frames]
    return "\n".join([f"{type(error).__name__} in {places[-1] if places else 'the graph'}: {error}", *lines])
