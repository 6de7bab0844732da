"""One interface, three backends: the golden model, and the RTL in Verilator or Icarus Verilog."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from arch.errors import TaktError
from arch.faults import Fault, FaultError
from arch.image import Image
from runtime.run import RunResult, Tensors, WaveFile, Working, check_ended, checked_inputs, silent

if TYPE_CHECKING:
    from golden.machine.machine import Machine

__all__ = ["Backend", "GoldenBackend", "make_backend"]


class Backend(Protocol):
    """Something that runs images, and prints nothing.

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


def make_backend(name: str, wave_file: WaveFile | None = None, progress: Working = silent) -> Backend:
    """Return a backend by its name.

    Parameters
    ----------
    name
        ``"golden"``, ``"verilator"`` or ``"icarus"``.
    wave_file
        Waveform to write.
    progress
        Told of the build of the RTL, which takes minutes where no cache has it.

    Raises
    ------
    TaktError
        For an unknown name, or a waveform of the golden model.
    """
    if name == "golden":
        if wave_file is not None:
            raise TaktError("a waveform needs the RTL: backend must be verilator or icarus, not 'golden'")
        return GoldenBackend()
    if name not in ("verilator", "icarus"):
        raise TaktError(f"backend must be one of golden, verilator, icarus, not {name!r}")
    # Here, since it loads the RTL's language and the tools of cocotb, which a run on the golden model does without.
    from runtime.rtl_backend import RtlBackend

    return RtlBackend(name, wave_file, progress)
