"""Run a program on a backend, hold it against the golden model, and state the figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.errors import TaktError
from arch.faults import FaultError
from arch.geometry import units
from arch.image import Image
from runtime.backend import Backend, GoldenBackend, RunResult, Tensors

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

    @property
    def utilisation(self) -> float:
        """MACs / (cycles x MACs per cycle of the planes used)."""
        return self.macs / (self.cycles * self.macs_per_cycle) if self.macs else 0.0

    @property
    def right(self) -> bool:
        """Whether results and cycles are what they must be."""
        return self.matches_golden and self.cycles == self.predicted_cycles and self.matches_expected is not False


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
    same = all(_equal(r.outputs, g.outputs) and r.cycles == g.cycles for r, g in zip(results, golden, strict=True))
    right = all(_equal(r.outputs, e) for r, e in zip(results, expected, strict=True)) if expected else None
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
        matches_golden=same,
        matches_expected=right,
        sim_cycles_per_s=_speed(results),
        golden_cycles_per_s=_speed(golden),
        outputs=tuple(result.outputs for result in results),
    )


def _equal(found: Tensors, expected: Tensors) -> bool:
    return all(
        name in found and found[name].dtype == value.dtype and np.array_equal(found[name], value)
        for name, value in expected.items()
    )


def _speed(results: Sequence[RunResult]) -> float:
    seconds = sum(result.seconds for result in results)
    return sum(result.cycles for result in results) / seconds if seconds > 0 else 0.0
