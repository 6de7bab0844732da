"""Inputs and results of a program's runs, the same on every backend."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.edge import at_the_edge
from arch.errors import TaktError
from arch.faults import Fault
from arch.image import Image

__all__ = ["PERIOD", "RunResult", "Tensors", "WaveFile", "Working", "check_ended", "checked_inputs", "silent"]

Tensors = Mapping[str, npt.NDArray[Any]]
"""Tensors by name."""

PERIOD = 1000
"""Of the simulated clock, in picoseconds."""

Working = Callable[[str], AbstractContextManager[None]]
"""What is told of long work, as it begins and as it ends: `runtime.console.working` in commands."""


def silent(what: str) -> AbstractContextManager[None]:
    """Keep long work to oneself: the `Working` of those who give none."""
    return nullcontext()


@dataclass(frozen=True)
class RunResult:
    """What one run of a program gave.

    Attributes
    ----------
    outputs
        By name, shaped as the image says.
    cycles
        From the first issue to the last retirement, as the machine counted them.
    fault
        The rule that the program broke; the outputs mean nothing then.
    seconds
        Of the run itself, without building, loading or reading back.
    began
        Simulated time of cycle 0, in picoseconds of the waveform; None on the golden model, which has no time.
    """

    outputs: dict[str, npt.NDArray[Any]]
    cycles: int
    fault: Fault | None
    seconds: float
    began: int | None = None

    @property
    def cycles_per_second(self) -> float:
        """Simulation speed."""
        return self.cycles / self.seconds if self.seconds > 0 else 0.0


@dataclass
class WaveFile:
    """A waveform to be recorded, and what became of it: a run gives its results also where it cannot be written.

    Attributes
    ----------
    path
        The file (FST).
    error
        Why it could not be written in the last run; None if it is there.
    """

    path: Path
    error: TaktError | None = None


def check_ended(image: Image, cycles: int) -> None:
    """Raise TaktError if a run of so many cycles is beyond the image's limit."""
    if cycles > image.limit:
        raise TaktError(f"program must end within {image.limit} cycles, not run on")


def checked_inputs(image: Image, inputs: Sequence[Tensors]) -> list[Tensors]:
    """Return sets of inputs that have all of the image's; those that the program does not read may be left out.

    Raises
    ------
    TaktError
        For an input that the image does not have, one that is missing, and one of another shape or dtype.
    """
    names = [tensor.name for tensor in image.inputs]
    found: list[Tensors] = []
    for tensors in inputs:
        for name in tensors:
            if name not in names:
                raise TaktError(f"input must be one of {', '.join(names) or 'none'}, not {name!r}")
        unread = [tensor for tensor in image.inputs if not tensor.slices.size and tensor.name not in tensors]
        complete = {**tensors, **{tensor.name: np.zeros(tensor.shape, tensor.dtype) for tensor in unread}}
        for tensor in image.inputs:
            if tensor.name not in complete:
                raise TaktError(f"input {tensor.name!r} is missing: {tensor.dtype} of shape {tensor.shape}")
            if complete[tensor.name].dtype != np.dtype(tensor.dtype):
                complete[tensor.name] = at_the_edge(f"input {tensor.name}", complete[tensor.name])
            given = complete[tensor.name]
            if given.shape != tensor.shape or given.dtype != np.dtype(tensor.dtype):
                raise TaktError(
                    f"input {tensor.name} must be {tensor.dtype} of shape {tensor.shape}, "
                    f"not {given.dtype} of shape {given.shape}"
                )
        found.append(complete)
    return found
