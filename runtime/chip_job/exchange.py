"""Files through which a job goes to the simulator's process and its results come back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.faults import Fault, FaultKind
from arch.image import Image
from runtime.run import RunResult, Tensors, check_ended

__all__ = ["read_job", "read_results", "write_job", "write_results"]

_IMAGE, _INPUTS, _RESULTS = "image.takt", "inputs.npz", "results.npz"


def write_job(folder: Path, image: Image, inputs: Sequence[Tensors]) -> None:
    """Put a job into `folder`, which it makes."""
    folder.mkdir()
    image.save(folder / _IMAGE)
    arrays = {f"{run}/{name}": value for run, tensors in enumerate(inputs) for name, value in tensors.items()}
    np.savez(folder / _INPUTS, allow_pickle=False, runs=np.array(len(inputs)), **arrays)


def read_job(folder: Path) -> tuple[Image, list[Tensors]]:
    """Return the image and the inputs of the job in `folder`."""
    image = Image.load(folder / _IMAGE)
    with np.load(folder / _INPUTS) as file:
        runs = int(file["runs"])
        return image, [{t.name: file[f"{run}/{t.name}"] for t in image.inputs} for run in range(runs)]


def write_results(folder: Path, results: Sequence[RunResult]) -> None:
    """Put the results of a job into `folder`."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for run, result in enumerate(results):
        fault = (result.fault.cycle, result.fault.unit, int(result.fault.kind)) if result.fault else (0, 0, 0)
        arrays[f"{run}/registers"] = np.array([result.cycles, *fault], np.int64)
        arrays[f"{run}/seconds"] = np.array(result.seconds)
        arrays[f"{run}/began"] = np.array(result.began, np.int64)
        for name, value in result.outputs.items():
            arrays[f"{run}/output/{name}"] = value
    np.savez(folder / _RESULTS, allow_pickle=False, runs=np.array(len(results)), **arrays)


def read_results(folder: Path, image: Image) -> list[RunResult]:
    """Return the results of the job in `folder`.

    Raises
    ------
    TaktError
        When a run went on beyond the image's limit.
    """
    results = []
    with np.load(folder / _RESULTS) as file:
        for run in range(int(file["runs"])):
            cycles, at, unit, kind = (int(value) for value in file[f"{run}/registers"])
            check_ended(image, cycles)
            outputs = {tensor.name: file[f"{run}/output/{tensor.name}"] for tensor in image.outputs}
            fault = Fault(at, unit, FaultKind(kind)) if kind else None
            seconds, began = float(file[f"{run}/seconds"]), int(file[f"{run}/began"])
            results.append(RunResult(outputs, cycles, fault, seconds, began))
    return results
