"""A kernel on arrays: compiled, run, held against golden model and definition."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from compiler.library.kernel import Bound, Kernel
from compiler.program import Program
from runtime.backend import Backend
from runtime.definitions import define
from runtime.measure import Measurement, measure
from runtime.run import Tensors

__all__ = ["KernelRun", "run_kernel"]


@dataclass(frozen=True)
class KernelRun:
    """Figures of one call of a kernel.

    Attributes
    ----------
    measurement : Measurement
        Its ``matches_expected`` says whether every bit is that of the NumPy definition.
    bound : Bound
    stepped : bool
        Whether the kernel runs step by step.
    """

    measurement: Measurement
    bound: Bound
    stepped: bool

    @property
    def outputs(self) -> dict[str, npt.NDArray[Any]]:
        """Results by name; of a kernel that runs step by step, those of all steps along a new first axis."""
        runs = self.measurement.outputs
        return runs[0] if not self.stepped else {name: np.stack([run[name] for run in runs]) for name in runs[0]}

    @property
    def closeness(self) -> float:
        """Bound / cycles: 1 is as fast as the machine can be."""
        return self.bound.cycles / self.measurement.cycles


def run_kernel(
    kernel: Kernel, config: Config, arrays: Tensors, parameters: Mapping[str, int | float], backend: Backend
) -> KernelRun:
    """Compile a kernel for the arrays' shapes and dtypes, and run it on them.

    Raises
    ------
    TaktError
        When arrays or parameters are not what the kernel takes, or the program does not fit the machine.
    """
    kernel.check(config, arrays, parameters)
    sizes = "x".join(str(size) for size in next(iter(arrays.values())).shape)
    program = Program(config, f"{kernel.name} {sizes}")
    for name, tensor in kernel.build(program, arrays, parameters).items():
        program.output(name, tensor)
    image = program.compile()
    expected = define(kernel.name, config, arrays, parameters)
    given = {tensor.name: np.ascontiguousarray(arrays[tensor.name]) for tensor in image.inputs}
    inputs, runs = [given], [expected]
    if kernel.steps:
        shapes = {tensor.name: tensor.shape for tensor in image.inputs if tensor.name in kernel.steps}
        count = len(arrays[kernel.steps[0]])
        inputs = [
            given | {name: arrays[name][step].reshape(shape) for name, shape in shapes.items()} for step in range(count)
        ]
        runs = [{name: values[step] for name, values in expected.items()} for step in range(count)]
    measurement = measure(image, inputs, backend, runs)
    return KernelRun(measurement, kernel.bound(config, arrays, parameters), bool(kernel.steps))
