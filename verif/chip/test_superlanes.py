"""CONFIG on the whole chip: superlanes that are off neither read, nor write, nor drive."""

import numpy as np
import pytest

from arch.presets import preset
from golden.machine.machine import Machine
from runtime.rtl_backend import run_jobs_on_rtl
from verif.bench import default_seed
from verif.bits import same_bits
from verif.chip.limited_program import Kept, LimitedProgram
from verif.compiler.timetables import verified

PROGRAMS = 12


@pytest.mark.parametrize(
    "simulator,settings",
    [
        ("verilator", ()),
        pytest.param("icarus", ("superlanes=4",), marks=pytest.mark.long),
        ("icarus", ("superlanes=1",)),
    ],
)
def test_every_unit_with_superlanes_of_its_own(simulator: str, settings: tuple[str, ...]) -> None:
    """CONFIG per queue: superlanes that are off read, write and drive nothing, on 1, 2 and 4 of them."""
    seed = default_seed(__name__)
    config, rng = preset("nano", settings), np.random.default_rng(seed)
    kept = Kept.at_power_up(config)
    programs = [LimitedProgram(config, rng, kept) for _ in range(PROGRAMS)]
    images = [program.image() for program in programs]
    machine = Machine(config)
    found = run_jobs_on_rtl([(image, [{}]) for image in images], simulator)
    for number, (program, image, (result,)) in enumerate(zip(programs, images, found, strict=True)):
        name = f"program {number} of seed {seed}"
        golden = machine.run_image(image, {})
        same_bits(golden.outputs["results"].view(np.uint8), program.expected, name)
        assert result.fault is None, f"{name}: {result.fault}"
        assert result.cycles == golden.cycles == verified(image), name
        same_bits(result.outputs["results"].view(np.uint8), program.expected, name)
