"""A long program for the compiler."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.image import Image
from compiler.program import Program
from golden.reference.qlinear_matmul import qlinear_matmul
from runtime.backend import Backend
from runtime.measure import Measurement, measure

__all__ = ["DeepNetwork"]

Int8 = npt.NDArray[np.int8]

_SEED = 1
_SIZE = 64
_MATRICES = 8
_SCALE = np.float32(0.002)


@dataclass(frozen=True)
class DeepNetwork:
    """Layers of 64 x 64 with relu, one behind the other, of 8 weight matrices in turn; INT8, a batch of 64.

    Attributes
    ----------
    config
        The machine.
    backend
        Where to run.
    layers
        How many.
    """

    config: Config
    backend: Backend
    layers: int

    @property
    def text(self) -> str:
        """The case in a line."""
        return f"{self.layers:,} layers of {_SIZE}x{_SIZE} on {self.config.name}, {self.backend.name}"

    def compile(self) -> Image:
        """Compile the network.

        Raises
        ------
        TaktError
            When it does not fit the machine.
        """
        program = Program(self.config, f"{self.layers:,} layers of {_SIZE}x{_SIZE}")
        matrices = [program.constant(f"w{number}", matrix) for number, matrix in enumerate(self._matrices())]
        value = program.input("x", (_SIZE, _SIZE), "int8")
        for layer in range(self.layers):
            value = program.matmul(value, matrices[layer % _MATRICES], scale=float(_SCALE), relu=True)
        program.output("y", value)
        return program.compile()

    def measure(self, image: Image) -> Measurement:
        """Run the compiled network on a random batch, always the same."""
        x = next(_random(_SEED))
        expected, matrices = x, list(self._matrices())
        for layer in range(self.layers):
            expected = qlinear_matmul(expected, matrices[layer % _MATRICES], scale=_SCALE, relu=True)
        return measure(image, [{"x": x}], self.backend, [{"y": expected}])

    def _matrices(self) -> Iterator[Int8]:
        source = _random(_SEED + 1)
        return (next(source) for _ in range(_MATRICES))


def _random(seed: int) -> Iterator[Int8]:
    rng = np.random.default_rng(seed)
    while True:
        yield rng.integers(-128, 128, (_SIZE, _SIZE), dtype=np.int8)
