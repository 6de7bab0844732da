"""Run a program on a backend, hold it against the golden model, and state the figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from arch.errors import TaktError
from arch.faults import FaultError
from arch.geometry import units
from arch.image import Image
from runtime.backend import Backend, GoldenBackend
from runtime.comparison import differences
from runtime.run import RunResult, Tensors

__all__ = ["Measurement", "measure", "run_checked"]

Expected = Sequence[Tensors]


@dataclass(frozen=True)
class Measurement:
    """Figures of a program on a backend.

    Attributes
    ----------
    work
        What the program computes.
    config_name
        Preset.
    backend
        Name of the backend.
    predicted_cycles, golden_cycles, cycles
        Of one run: of the compiler, the golden model and the backend.
    macs
        Multiply-accumulates of one run.
    planes
        MXM planes used.
    macs_per_cycle
        Of those planes, in the format of the work.
    matches_golden
        Whether every output bit and the cycle count equal the golden model's.
    matches_expected
        Whether every output equals the independent reference; None without one.
    sim_cycles_per_s
        Simulated cycles per second over all runs.
    golden_cycles_per_s
        The golden model's, likewise.
    outputs
        Of every run.
    mismatches
        What is wrong: one text, of one or more lines, for every tensor of a run that differs and for every number of
        cycles. Empty when `right`.
    """

    work: str
    config_name: str
    backend: str
    predicted_cycles: int
    golden_cycles: int
    cycles: int
    macs: int
    planes: int
    macs_per_cycle: int
    matches_golden: bool
    matches_expected: bool | None
    sim_cycles_per_s: float
    golden_cycles_per_s: float
    outputs: tuple[dict[str, npt.NDArray[Any]], ...]
    mismatches: tuple[str, ...]

    @property
    def utilisation(self) -> float:
        """MACs / (cycles x MACs per cycle of the planes used)."""
        return self.macs / (self.cycles * self.macs_per_cycle) if self.macs else 0.0

    @property
    def right(self) -> bool:
        """Whether results and cycles are what they must be."""
        return not self.mismatches


def run_checked(backend: Backend, image: Image, inputs: Sequence[Tensors]) -> list[RunResult]:
    """Run an image, raising a fault as an error.

    Raises
    ------
    FaultError
        When the program breaks a rule of the machine.
    """
    results = backend.run(image, inputs)
    for result in results:
        if result.fault is not None:
            raise FaultError(result.fault, units(image.config)[result.fault.unit].name)
    return results


def measure(image: Image, inputs: Sequence[Tensors], backend: Backend, expected: Expected = ()) -> Measurement:
    """Run an image on a backend and on the golden model.

    Parameters
    ----------
    image
        Its notes must hold ``work``, ``macs`` and ``planes``.
    inputs
        One set per run.
    backend
        Where to run; the golden model itself is not run twice.
    expected
        Outputs of every run from an independent computation, if any.

    Raises
    ------
    FaultError
        When the program breaks a rule of the machine.
    TaktError
        When there is no run to measure.
    """
    if not inputs:
        raise TaktError("number of runs must be at least 1, not 0")
    golden = run_checked(GoldenBackend(), image, inputs)
    results = golden if isinstance(backend, GoldenBackend) else run_checked(backend, image, inputs)
    beside_golden = [] if results is golden else _beside_golden(results, golden)
    beside_expected = [
        f"{_run(number, results)}beside the reference: {text}"
        for number, (result, values) in enumerate(zip(results, expected, strict=True) if expected else ())
        for text in differences(result.outputs, values)
    ]
    late = [
        f"{_run(number, results)}cycles must be {image.cycles:,} as predicted, not {result.cycles:,}"
        for number, result in enumerate(results)
        if result.cycles != image.cycles
    ]
    # A run that took another number of cycles than the rest is the one to show.
    cycles = next((result.cycles for result in results if result.cycles != image.cycles), image.cycles)
    planes = int(image.notes.get("planes", image.config.planes))
    return Measurement(
        work=str(image.notes.get("work", "program")),
        config_name=image.config.name,
        backend=backend.name,
        predicted_cycles=image.cycles,
        golden_cycles=golden[0].cycles,
        cycles=cycles,
        macs=int(image.notes.get("macs", 0)),
        planes=planes,
        macs_per_cycle=int(image.notes.get("macs_per_cycle", planes * image.config.vector_length**2)),
        matches_golden=not beside_golden,
        matches_expected=not beside_expected if expected else None,
        sim_cycles_per_s=_speed(results),
        golden_cycles_per_s=_speed(golden),
        outputs=tuple(result.outputs for result in results),
        mismatches=(*beside_golden, *beside_expected, *late),
    )


def _beside_golden(results: Sequence[RunResult], golden: Sequence[RunResult]) -> list[str]:
    """Return what of each run is not as on the golden model."""
    found = []
    for number, (result, model) in enumerate(zip(results, golden, strict=True)):
        texts = differences(result.outputs, model.outputs)
        if result.cycles != model.cycles:
            texts.append(f"cycles must be {model.cycles:,}, not {result.cycles:,}")
        found += [f"{_run(number, results)}beside the golden model: {text}" for text in texts]
    return found


def _run(number: int, results: Sequence[RunResult]) -> str:
    """Return the words that name a run, where there are several."""
    return f"run {number + 1} of {len(results)}, " if len(results) > 1 else ""


def _speed(results: Sequence[RunResult]) -> float:
    seconds = sum(result.seconds for result in results)
    return sum(result.cycles for result in results) / seconds if seconds > 0 else 0.0
