"""One interface, three backends: the golden model, and the RTL in Verilator or Icarus Verilog."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.edge import at_the_edge
from arch.errors import TaktError
from arch.faults import Fault, FaultError
from arch.files import move_whole
from arch.image import Image
from runtime.console import say, working

if TYPE_CHECKING:
    from golden.machine.machine import Machine
    from runtime.simulator import Built

__all__ = [
    "Backend",
    "GoldenBackend",
    "RtlBackend",
    "RunResult",
    "Tensors",
    "check_ended",
    "checked_inputs",
    "make_backend",
    "report_wave",
]

Tensors = Mapping[str, npt.NDArray[Any]]
"""Tensors by name."""


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


class Backend(Protocol):
    """Something that runs images.

    Attributes
    ----------
    name
        As on the command line.
    """

    name: str

    def run(self, image: Image, inputs: Sequence[Tensors]) -> list[RunResult]:
        """Run an image once per set of inputs; MEM survives from one run to the next.

        An input that no operation of the program reads may be given or left out.

        Raises
        ------
        TaktError
            When an input is missing, is not one of the image's, or does not fit; when the program runs on after the
            image's limit.
        """
        ...


class GoldenBackend:
    """The NumPy machine."""

    name = "golden"

    def run(self, image: Image, inputs: Sequence[Tensors]) -> list[RunResult]:
        """Run on one golden machine; see :class:`Backend`."""
        from golden.machine.machine import Machine

        inputs = checked_inputs(image, inputs)
        machine = Machine(image.config)
        results: list[RunResult] = []
        for tensors in inputs:
            if not results or results[-1].fault:
                machine.load(image)
            else:
                machine.set_queues(image.queues)
            for tensor in image.inputs:
                machine.write(tensor.slices, tensor.addrs, tensor.pack(tensors[tensor.name]))
            start = time.perf_counter()
            cycles, fault = _cycles_or_fault(machine, image.limit)
            seconds = time.perf_counter() - start
            check_ended(image, cycles)
            outputs = {
                tensor.name: tensor.unpack(machine.read(tensor.slices, tensor.addrs)) for tensor in image.outputs
            }
            results.append(RunResult(outputs, cycles, fault, seconds))
        return results


def _cycles_or_fault(machine: "Machine", limit: int) -> tuple[int, Fault | None]:
    try:
        return machine.run(limit=limit), None
    except FaultError as error:
        return error.fault.cycle, error.fault


class RtlBackend:
    """The RTL in a simulator, driven by cocotb.

    Parameters
    ----------
    simulator
        ``"verilator"`` or ``"icarus"``.
    wave
        Waveform to write; a traced build, slower. Where it cannot be written, `report_wave` says so: the run itself
        gives its results all the same.
    """

    def __init__(self, simulator: str, wave: Path | None = None) -> None:
        self.name = simulator
        self.wave = wave
        self._built: Built | None = None
        self._built_for: Config | None = None
        self._lost_wave: TaktError | None = None

    def run(self, image: Image, inputs: Sequence[Tensors]) -> list[RunResult]:
        """Run in one simulation; see :class:`Backend`."""
        from runtime.rtl_backend import build_chip, run_on_rtl
        from runtime.simulator.toolchain import simulator_text

        inputs = checked_inputs(image, inputs)
        trace = self.wave is not None
        if self._built is None or self._built_for != image.config:
            with working(f"building {image.config.name} for {simulator_text(self.name)}, or finding it in the cache"):
                self._built, self._built_for = build_chip(image.config, self.name, trace=trace), image.config
        if self.wave is None:
            return run_on_rtl(image, inputs, self.name)
        from runtime.simulator.scratch import scratch_folder
        from runtime.waves import check_waveform, read_hierarchy, write_views

        with scratch_folder("wave") as scratch:
            wave = scratch / "wave.fst"
            results = run_on_rtl(image, inputs, self.name, trace=wave)
            emitted = self._built.emitted
            try:
                check_waveform(wave)
                move_whole(wave, self.wave)
                chip = read_hierarchy(emitted.rtlil.read_text(encoding="utf-8"), emitted.top)
                write_views(self.wave, image, results, chip)
                self._lost_wave = None
            except TaktError as error:
                self._lost_wave = error
        return results

    def report_wave(self) -> None:
        """Say on stderr where the waveform of the last run is; to be called once its figures are printed.

        Raises
        ------
        TaktError
            If it could not be written.
        """
        if self._lost_wave is not None:
            raise self._lost_wave
        if self.wave is not None:
            say(f"wrote {self.wave} and {self.wave.with_suffix('.gtkw')}")


def make_backend(name: str, wave: Path | None = None) -> Backend:
    """Return a backend by its name.

    Raises
    ------
    TaktError
        For an unknown name, or a waveform of the golden model.
    """
    if name == "golden":
        if wave is not None:
            raise TaktError("a waveform needs the RTL: backend must be verilator or icarus, not 'golden'")
        return GoldenBackend()
    if name not in ("verilator", "icarus"):
        raise TaktError(f"backend must be one of golden, verilator, icarus, not {name!r}")
    return RtlBackend(name, wave)


def report_wave(backend: Backend) -> None:
    """Say on stderr where a waveform is, or raise why there is none; see :meth:`RtlBackend.report_wave`."""
    if isinstance(backend, RtlBackend):
        backend.report_wave()


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
