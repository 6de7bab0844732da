"""A kernel on arrays: compiled, run, held against golden model and definition."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from compiler.kernels.kernel import Bound, Kernel
from compiler.program import Program
from runtime.backend import Backend
from runtime.definitions import define
from runtime.measure import Measurement, measure

__all__ = ["KernelRun", "run_kernel"]

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class KernelRun:
    """Figures of one call of a kernel.

    Attributes
    ----------
    measurement : Measurement
        Its ``matches_expected`` says whether every bit is that of the NumPy definition.
    bound : Bound
    """

    measurement: Measurement
    bound: Bound

    @property
    def outputs(self) -> dict[str, npt.NDArray[Any]]:
        """Results by name."""
        return self.measurement.outputs[0]

    @property
    def closeness(self) -> float:
        """Bound / cycles: 1 is as fast as the machine can be."""
        return self.bound.cycles / self.measurement.cycles


def run_kernel(
    kernel: Kernel, config: Config, arrays: Arrays, parameters: Mapping[str, int | float], backend: Backend
) -> KernelRun:
    """Compile a kernel for the arrays' shapes and dtypes, and run it on them.

    Raises
    ------
    TaktError
        When the arrays are not what the kernel takes, or the program does not fit the machine.
    """
    kernel.check(arrays)
    expected = define(kernel.name, config, arrays, parameters)
    shapes = " ".join(f"{name}{list(array.shape)}" for name, array in arrays.items())
    program = Program(config, f"{kernel.name} {shapes}")
    for name, tensor in kernel.build(program, arrays, parameters).items():
        program.output(name, tensor)
    image = program.compile()
    inputs = {tensor.name: np.ascontiguousarray(arrays[tensor.name]) for tensor in image.inputs}
    return KernelRun(measure(image, [inputs], backend, [expected]), kernel.bound(config, arrays, parameters))
