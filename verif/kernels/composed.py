"""Programs that are composed of kernels, run on the golden machine or another backend."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.presets import preset
from compiler.ir.tensor import Tensor, View
from compiler.library.work import work_bound
from compiler.program import Program
from runtime.backend import Backend, GoldenBackend
from verif.bits import same_bits
from verif.kernels.critical_path import critical_path

Array = npt.NDArray[Any]

NANO = preset("nano", ["mem_depth=2048"])
SMALL = preset("small")
BASE = preset("base")


class Composition:
    """A program whose inputs and constants come with their values.

    Parameters
    ----------
    config : Config
    seed : int
    backend : Backend, optional
        The golden machine by default.
    """

    def __init__(self, config: Config, seed: int = 0, backend: Backend | None = None) -> None:
        self.program = Program(config)
        self._backend = backend or GoldenBackend()
        self.vector = config.vector_length
        self._rng = np.random.default_rng(seed)
        self._given: dict[str, Array] = {}

    def values(self, *shape: int, dtype: str = "float16", scale: float = 1.0) -> Array:
        """Return random numbers."""
        if dtype == "int8":
            return self._rng.integers(-128, 128, shape).astype(np.int8)
        return (self._rng.normal(size=shape) * scale).astype(dtype)

    def input(self, values: Array) -> Tensor:
        """Return an input that is given these values."""
        name = f"input {len(self._given)}"
        self._given[name] = values
        return self.program.input(name, values.shape, values.dtype.name)

    def constants(self, values: Mapping[str, Array]) -> dict[str, Tensor]:
        """Return constants by name."""
        return {name: self.program.constant(name, array) for name, array in values.items()}

    def result(self, values: Array, layout: int | None = None) -> Tensor:
        """Return a tensor with these values that an operation makes, lanes along an axis."""
        made: Tensor = self.program.map(lambda value: value, self.input(values), dtype=values.dtype.name, layout=layout)
        return made

    def check(self, outputs: Mapping[str, Tensor | View], expected: Mapping[str, Array]) -> int:
        """Return the cycles of the program, having held bits against a definition and cycles against the machine."""
        return self.check_runs(outputs, [{}], [expected])

    def check_runs(
        self,
        outputs: Mapping[str, Tensor | View],
        changing: Sequence[Mapping[Tensor, Array]],
        expected: Sequence[Mapping[str, Array]],
    ) -> int:
        """Return the same of runs one after another, some inputs changing from run to run."""
        for name, tensor in outputs.items():
            self.program.output(name, tensor)
        image = self.program.compile()
        assert max(work_bound(self.program).cycles, critical_path(self.program)) <= image.cycles
        given = [self._given | {tensor.name: array for tensor, array in values.items()} for values in changing]
        for found, wanted in zip(self._backend.run(image, given), expected, strict=True):
            for name, values in wanted.items():
                assert found.outputs[name].dtype == values.dtype
                same_bits(found.outputs[name], np.ascontiguousarray(values))
            assert found.cycles == image.cycles
        return image.cycles


def doubled(composition: Composition, tensor: Tensor | View) -> Tensor:
    """Return what a further operation makes of a result."""
    found: Tensor = composition.program.map(lambda value: value + value, tensor, dtype=tensor.dtype)
    return found


def doubled_values(values: Array) -> Array:
    """Return the same of its definition."""
    with np.errstate(over="ignore"):
        return values + values
