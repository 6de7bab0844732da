"""Programs on the RTL of the whole chip, in a simulator."""

from collections.abc import Sequence
from pathlib import Path

from arch.config import Config
from arch.image import Image
from runtime.backend import RunResult, Tensors
from runtime.chip_job.exchange import read_results, write_job
from runtime.os_errors import naming
from runtime.simulator import Built, build
from runtime.simulator.scratch import scratch_folder

__all__ = ["build_chip", "run_jobs_on_rtl", "run_on_rtl"]


def build_chip(config: Config, simulator: str, *, trace: bool = False) -> Built:
    """Build the chip for a simulator, or find it in the cache; see `runtime.simulator.build`."""
    from hdl.chip import Chip

    return build(lambda: Chip(config=config), "chip", simulator, trace=trace)


def run_on_rtl(
    image: Image, inputs: Sequence[Tensors], simulator: str, *, trace: Path | None = None
) -> list[RunResult]:
    """Run an image once per set of inputs, in one simulation.

    Parameters
    ----------
    image
        What to run, on the machine it was compiled for.
    inputs
        Tensors by name, for each run.
    simulator
        ``"verilator"`` or ``"icarus"``.
    trace
        Where to put a waveform (FST).

    Raises
    ------
    MissingTool
        If the simulator or a compiler is not installed.
    SimulationFailed
        If the simulation broke down; a fault of the machine is a result, not an error.
    TaktError
        If the waveform or the build folder cannot be written.
    """
    return run_jobs_on_rtl([(image, inputs)], simulator, trace=trace)[0]


def run_jobs_on_rtl(
    jobs: Sequence[tuple[Image, Sequence[Tensors]]], simulator: str, *, trace: Path | None = None
) -> list[list[RunResult]]:
    """Run several images of one machine after each other; see `run_on_rtl`."""
    built = build_chip(jobs[0][0].config, simulator, trace=trace is not None)
    with scratch_folder("jobs") as scratch, naming(scratch):
        folders = [scratch / str(number) for number in range(len(jobs))]
        for folder, (image, inputs) in zip(folders, jobs, strict=True):
            write_job(folder, image, inputs)
        built.run("runtime.chip_job.job_tests", env={"TAKT_JOBS": str(scratch)}, wave=trace)
        return [read_results(folder, image) for folder, (image, _) in zip(folders, jobs, strict=True)]
