"""Compiled products on the RTL: every bit as NumPy says, every cycle as predicted and as the golden machine takes."""

from collections.abc import Sequence

import numpy as np
import pytest

from arch.config import Config
from arch.image import Image
from arch.presets import preset
from compiler.program import Program
from golden.machine.machine import Machine
from golden.reference.qlinear_matmul import qlinear_matmul
from runtime.rtl_backend import run_jobs_on_rtl
from verif.bench import default_seed, each_simulator
from verif.bits import same_bits

ONE_OFF_NANO = [(1, 1, 1), (7, 9, 8), (9, 7, 17), (8, 8, 8), (3, 16, 15)]
PRIMES = [(2, 3, 5), (13, 17, 11), (31, 29, 37)]
SMALL = [(1, 1, 1), (15, 17, 16), (17, 15, 33), (37, 129, 83), (257, 16, 5), (1, 130, 50)]

Job = tuple[Image, dict[str, np.ndarray], np.ndarray]


def product(config: Config, shape: Sequence[int], planes: int | None, rng: np.random.Generator) -> Job:
    """Return an int32 product with what it should give."""
    m, k, n = shape
    a, b = rng.integers(-128, 128, (m, k), np.int8), rng.integers(-128, 128, (k, n), np.int8)
    program = Program(config, name=f"{m}x{k}x{n}")
    program.output("c", program.matmul(program.input("a", (m, k)), program.input("b", (k, n)), planes=planes))
    return program.compile(), {"a": a, "b": b}, a.astype(np.int32) @ b.astype(np.int32)


def requantised(config: Config, shape: Sequence[int], zero_point: int, relu: bool, rng: np.random.Generator) -> Job:
    """Return a product with bias and requantisation, with what it should give."""
    m, k, n = shape
    a, b = rng.integers(-128, 128, (m, k), np.int8), rng.integers(-128, 128, (k, n), np.int8)
    bias = rng.integers(-9000, 9000, n, np.int32)
    scale = (rng.random(n) / (40 * np.sqrt(k))).astype(np.float32)
    program = Program(config, name=f"requantised {m}x{k}x{n}")
    x = program.input("a", (m, k))
    y = program.matmul(x, b, bias=bias, scale=scale, zero_point=zero_point, relu=relu)
    program.output("c", y)
    return program.compile(), {"a": a}, qlinear_matmul(a, b, bias, scale, zero_point, relu)


def check(jobs: Sequence[Job], simulator: str) -> None:
    """Run the jobs on the RTL and on the golden machine."""
    results = run_jobs_on_rtl([(image, [inputs]) for image, inputs, _ in jobs], simulator)
    for (image, inputs, expected), (result,) in zip(jobs, results, strict=True):
        name = image.notes["work"]
        golden = Machine(image.config).run_image(image, inputs)
        assert result.fault is None, f"{name}: {result.fault}"
        assert result.cycles == golden.cycles == image.cycles, name
        same_bits(golden.outputs["c"], expected, name)
        same_bits(result.outputs["c"], expected, name)


@each_simulator
@pytest.mark.parametrize("planes", [1, None])
def test_awkward_sizes_on_nano(simulator: str, planes: int | None) -> None:
    """Products of sizes one off a tile and primes: NumPy's bits, predicted cycles, both simulators."""
    rng = np.random.default_rng(default_seed(__name__))
    shapes = ONE_OFF_NANO if simulator == "icarus" else ONE_OFF_NANO + PRIMES
    check([product(preset("nano"), shape, planes, rng) for shape in shapes], simulator)


@each_simulator
def test_requantisation_on_nano(simulator: str) -> None:
    """Bias, scale, zero point and relu after a product: the definition's bits, predicted cycles, both simulators."""
    rng = np.random.default_rng(default_seed(__name__))
    cases = [((5, 11, 9), 0, True), ((9, 8, 7), -7, False), ((4, 3, 2), 5, True)]
    check([requantised(preset("nano"), *case, rng) for case in cases], simulator)


@pytest.mark.parametrize("planes", [1, 2, 4])
def test_sizes_on_small(planes: int) -> None:
    """Products of awkward sizes over one, two and four planes of 16 lanes: NumPy's bits, predicted cycles."""
    rng = np.random.default_rng(default_seed(__name__))
    check([product(preset("small"), shape, planes, rng) for shape in SMALL], "verilator")


def test_requantisation_on_small() -> None:
    """Requantised products of 16 lanes: the definition's bits, predicted cycles."""
    rng = np.random.default_rng(default_seed(__name__))
    check(
        [requantised(preset("small"), (60, 64, 32), zp, relu, rng) for zp, relu in ((0, True), (3, False))], "verilator"
    )
