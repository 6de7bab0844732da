"""Programs on the RTL of the whole chip, in a simulator."""

from collections.abc import Sequence
from pathlib import Path

from arch.config import Config
from arch.errors import TaktError
from arch.files import move_whole
from arch.image import Image
from hdl.chip import Chip
from runtime.chip_job.exchange import read_results, write_job
from runtime.os_errors import naming
from runtime.run import RunResult, Tensors, WaveFile, Working, checked_inputs, silent
from runtime.simulator import Built, build
from runtime.simulator.scratch import scratch_folder
from runtime.simulator.toolchain import simulator_text
from runtime.waves import check_waveform, read_hierarchy, write_views

__all__ = ["RtlBackend", "build_chip", "run_jobs_on_rtl", "run_on_rtl"]

Job = tuple[Image, Sequence[Tensors]]
"""An image, and the inputs of each of its runs."""


class RtlBackend:
    """The RTL in a simulator, driven by cocotb; see `runtime.backend.Backend`.

    Parameters
    ----------
    simulator
        ``"verilator"`` or ``"icarus"``.
    wave_file
        Waveform to write; a traced build, slower.
    progress
        Told of the build.
    """

    def __init__(self, simulator: str, wave_file: WaveFile | None = None, progress: Working = silent) -> None:
        self.name = simulator
        self._wave_file = wave_file
        self._progress = progress
        self._built: Built | None = None
        self._built_for: Config | None = None

    def run(self, image: Image, inputs: Sequence[Tensors]) -> list[RunResult]:
        """Run in one simulation, of a chip that the next image for the same machine finds built."""
        job = image, checked_inputs(image, inputs)
        built = self._chip(image.config)
        if self._wave_file is None:
            return _run_jobs(built, [job])[0]
        with scratch_folder("wave") as scratch:
            wave = scratch / "wave.fst"
            (results,) = _run_jobs(built, [job], wave)
            try:
                check_waveform(wave)
                move_whole(wave, self._wave_file.path)
                chip = read_hierarchy(built.emitted.rtlil.read_text(encoding="utf-8"), built.emitted.top)
                write_views(self._wave_file.path, image, results, chip)
                self._wave_file.error = None
            except TaktError as error:
                self._wave_file.error = error
        return results

    def _chip(self, config: Config) -> Built:
        if self._built is None or self._built_for != config:
            tool = simulator_text(self.name)
            with self._progress(f"building {config.name} for {tool}, or finding it in the cache"):
                self._built = build_chip(config, self.name, trace=self._wave_file is not None)
                self._built_for = config
        return self._built


def build_chip(config: Config, simulator: str, *, trace: bool = False) -> Built:
    """Build the chip for a simulator, or find it in the cache; see `runtime.simulator.build`."""
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


def run_jobs_on_rtl(jobs: Sequence[Job], simulator: str, *, trace: Path | None = None) -> list[list[RunResult]]:
    """Run several images of one machine after each other; see `run_on_rtl`."""
    return _run_jobs(build_chip(jobs[0][0].config, simulator, trace=trace is not None), jobs, trace)


def _run_jobs(built: Built, jobs: Sequence[Job], trace: Path | None = None) -> list[list[RunResult]]:
    """Run images in one simulation of a chip that is built."""
    with scratch_folder("jobs") as scratch, naming(scratch):
        folders = [scratch / str(number) for number in range(len(jobs))]
        for folder, (image, inputs) in zip(folders, jobs, strict=True):
            write_job(folder, image, inputs)
        built.run("runtime.chip_job.job_tests", env={"TAKT_JOBS": str(scratch)}, wave=trace)
        return [read_results(folder, image) for folder, (image, _) in zip(folders, jobs, strict=True)]
