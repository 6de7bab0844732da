"""What ``takt bench`` measures: products of the sizes that published accelerators report, and a long program."""

from dataclasses import dataclass

from arch.config import Config
from arch.image import Image
from arch.presets import PRESETS
from runtime.backend import Backend, GoldenBackend
from runtime.deep_network import DeepNetwork
from runtime.gemm import blank_gemm, compile_gemm, gemm_reference, randomised
from runtime.measure import Measurement, measure

__all__ = ["Case", "bench_cases"]

_SEED = 1
_LAYERS = 1_750
"""Layers that take more than 100,000 instructions."""


@dataclass(frozen=True)
class Case:
    """A product to measure.

    Attributes
    ----------
    config
        The machine.
    backend
        Where to run.
    shape
        (m, k, n).
    planes
        MXM planes to use.
    dtype
        Format of the matrices, a key of `runtime.gemm.FORMATS`.
    """

    config: Config
    backend: Backend
    shape: tuple[int, int, int]
    planes: int
    dtype: str = "int8"

    @property
    def text(self) -> str:
        """The case in a line."""
        m, k, n = self.shape
        planes = f"{self.planes} plane{'s' * (self.planes > 1)} of {self.config.name}"
        return f"{m}x{k}x{n} {self.dtype} on {planes}, {self.backend.name}"

    def compile(self) -> Image:
        """Compile the product.

        Raises
        ------
        TaktError
            When it does not fit the machine.
        """
        return compile_gemm(self.config, blank_gemm(*self.shape, self.dtype), self.planes)

    def measure(self, image: Image) -> Measurement:
        """Run the compiled product on random matrices, always the same."""
        gemm = randomised(blank_gemm(*self.shape, self.dtype), _SEED)
        return measure(image, [{"a": gemm.a, "b": gemm.b}], self.backend, [{"c": gemm_reference(gemm, self.config)}])


def bench_cases(config: Config, backend: Backend) -> list[Case | DeepNetwork]:
    """Return the cases for a machine; the preset `small` adds two for larger ones, on the golden model alone."""
    cases: list[Case | DeepNetwork] = [
        Case(config, backend, (64, 64, 64), 1),
        Case(config, backend, (256, 256, 256), 1),
        Case(config, backend, (256, 256, 256), config.planes),
        Case(config, backend, (1, 512, 512), 1),
    ]
    if config.planes_per_hemisphere > 1:
        cases += [
            Case(config, backend, (128, 128, 128), 2, "fp16"),
            Case(config, backend, (256, 256, 256), 2, "fp16"),
            Case(config, backend, (256, 256, 256), config.planes, "fp16"),
        ]
    if config == PRESETS["small"]:
        wide = config.replace(name="small, 32 lanes", superlanes=2, mem_depth=2048)
        cases.append(Case(wide, GoldenBackend(), (512, 512, 512), 1))
        cases.append(DeepNetwork(PRESETS["base"], GoldenBackend(), _LAYERS))
    return cases
