"""Illegal timetables: verifier, golden machine and RTL name the same rule, unit and cycle."""

from collections.abc import Sequence

import numpy as np

from arch.config import Config
from arch.faults import FaultKind
from arch.image import Image
from arch.presets import preset
from compiler.program import Program
from runtime.rtl_backend import run_jobs_on_rtl
from verif.bench import default_seed, each_simulator
from verif.compiler.illegal import CASES
from verif.compiler.timetables import damage, golden, image_of, verified

NANO = preset("nano")
DAMAGED = {"icarus": 8, "verilator": 60}


def rtl_verdicts(images: Sequence[Image], simulator: str) -> list[object]:
    """Return the cycles or the fault of each image on the RTL."""
    results = run_jobs_on_rtl([(image, [{}]) for image in images], simulator)
    return [result.fault.key if result.fault else result.cycles for (result,) in results]


def damaged_products(config: Config, seed: int, count: int) -> list[Image]:
    """Return programs of a matrix product with random changes."""
    rng = np.random.default_rng(seed)
    program = Program(config, name="product")
    a, b = program.input("a", (5, 11)), program.input("b", (11, 9))
    program.output("c", program.matmul(a, b, bias=np.arange(9, dtype=np.int32), scale=0.125, relu=True))
    queues = dict(program.compile().queues)
    return [image_of(config, damage(rng, queues)) for _ in range(count)]


def test_every_kind_has_a_case() -> None:
    # Flipped bits are no fault of a timetable.
    assert {kind for _, kind, _, _ in CASES.values()} == set(FaultKind) - {FaultKind.UNCORRECTABLE}


@each_simulator
def test_illegal_timetables(simulator: str) -> None:
    """One program per rule that can be broken: RTL, golden machine and verifier name the same fault."""
    images = [image for image, *_ in CASES.values()]
    for name, image, found in zip(CASES, images, rtl_verdicts(images, simulator), strict=True):
        assert found == verified(image), name
        assert found == golden(image), name


@each_simulator
def test_damaged_programs(simulator: str) -> None:
    """Compiled programs with random changes: RTL, golden machine and verifier name the same fault or cycle count."""
    seed = default_seed(__name__)
    images = damaged_products(NANO, seed, DAMAGED[simulator])
    for number, (image, found) in enumerate(zip(images, rtl_verdicts(images, simulator), strict=True)):
        assert found == verified(image) == golden(image), f"program {number} of seed {seed}"
