"""One interface, three backends: the golden model, and the RTL in Verilator or Icarus Verilog."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from arch.faults import Fault, FaultError
from arch.image import Image
from runtime.console import working

if TYPE_CHECKING:
    from golden.machine.machine import Machine
    from runtime.simulator import Built

__all__ = ["Backend", "GoldenBackend", "RtlBackend", "RunResult", "Tensors", "check_inputs", "make_backend"]

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
    """

    outputs: dict[str, npt.NDArray[Any]]
    cycles: int
    fault: Fault | None
    seconds: float

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

        Raises
        ------
        TaktError
            When an input is missing or does not fit.
        """
        ...


class GoldenBackend:
    """The NumPy machine."""

    name = "golden"

    def run(self, image: Image, inputs: Sequence[Tensors]) -> list[RunResult]:
        """Run on one golden machine; see :class:`Backend`."""
        from golden.machine.machine import Machine

        check_inputs(image, inputs)
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
            cycles, fault = _cycles_or_fault(machine)
            seconds = time.perf_counter() - start
            outputs = {
                tensor.name: tensor.unpack(machine.read(tensor.slices, tensor.addrs)) for tensor in image.outputs
            }
            results.append(RunResult(outputs, cycles, fault, seconds))
        return results


def _cycles_or_fault(machine: "Machine") -> tuple[int, Fault | None]:
    try:
        return machine.run(), None
    except FaultError as error:
        return error.fault.cycle, error.fault


class RtlBackend:
    """The RTL in a simulator, driven by cocotb.

    Parameters
    ----------
    simulator
        ``"verilator"`` or ``"icarus"``.
    wave
        Waveform to write; a traced build, slower.
    """

    def __init__(self, simulator: str, wave: Path | None = None) -> None:
        self.name = simulator
        self.wave = wave
        self._built: Built | None = None
        self._built_for: Config | None = None

    def run(self, image: Image, inputs: Sequence[Tensors]) -> list[RunResult]:
        """Run in one simulation; see :class:`Backend`."""
        from runtime.rtl_backend import build_chip, run_on_rtl
        from runtime.simulator.toolchain import simulator_text

        check_inputs(image, inputs)
        trace = self.wave is not None
        if self._built is None or self._built_for != image.config:
            with working(f"building {image.config.name} for {simulator_text(self.name)}, or finding it in the cache"):
                self._built, self._built_for = build_chip(image.config, self.name, trace=trace), image.config
        results = run_on_rtl(image, inputs, self.name, trace=self.wave)
        if self.wave is not None:
            from runtime.waves import read_hierarchy, write_save_file

            emitted = self._built.emitted
            chip = read_hierarchy(emitted.rtlil.read_text(), emitted.top)
            write_save_file(self.wave, image, chip)
        return results


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


def check_inputs(image: Image, inputs: Sequence[Tensors]) -> None:
    """Raise TaktError unless every set of inputs has exactly the image's inputs."""
    names = [tensor.name for tensor in image.inputs]
    for tensors in inputs:
        for name in tensors:
            if name not in names:
                raise TaktError(f"input must be one of {', '.join(names) or 'none'}, not {name!r}")
        for tensor in image.inputs:
            if tensor.name not in tensors:
                raise TaktError(f"input {tensor.name!r} is missing: {tensor.dtype} of shape {tensor.shape}")
            found = tensors[tensor.name]
            if found.shape != tensor.shape or found.dtype != np.dtype(tensor.dtype):
                raise TaktError(
                    f"input {tensor.name} must be {tensor.dtype} of shape {tensor.shape}, "
                    f"not {found.dtype} of shape {found.shape}"
                )
