"""Random programs of every unit: the RTL does what the golden machine does, or latches its fault."""

import numpy as np

from arch.faults import FaultError
from arch.image import Image
from arch.presets import preset
from golden.machine.machine import Machine
from runtime.rtl_backend import run_jobs_on_rtl
from verif.bench import default_seed, each_simulator
from verif.chip.random_program import RandomProgram
from verif.compiler.timetables import verified

PROGRAMS = {"icarus": 6, "verilator": 40}
CONFIG = preset("nano")


def golden_outcome(machine: Machine, image: Image) -> object:
    """Return what the golden machine makes of an image: cycles or fault."""
    try:
        machine.load(image)
        return machine.run()
    except FaultError as error:
        return error.fault.key


def mem_of(machine: Machine, image: Image) -> np.ndarray:
    """Return the MEM words that the image puts out."""
    return image.outputs[0].unpack(machine.read(image.outputs[0].slices, image.outputs[0].addrs))


@each_simulator
def test_random_programs(simulator: str) -> None:
    """Random programs of every unit leave the MEM that the golden machine leaves, or its fault."""
    seed = default_seed(__name__)
    programs = [RandomProgram(CONFIG, seed + number) for number in range(PROGRAMS[simulator])]
    for program in programs:
        program.grow(60)
    # Faults come last: what a machine holds after one is not defined.
    images = [program.image() for program in programs] + [program.image(spoilt=True) for program in programs[::2]]
    results = run_jobs_on_rtl([(image, [{}]) for image in images], simulator)
    machine = Machine(CONFIG)
    for number, (image, (result,)) in enumerate(zip(images, results, strict=True)):
        name = f"program of seed {seed + number}" if number < len(programs) else f"fault {number - len(programs)}"
        expected = golden_outcome(machine, image)
        assert verified(image) == expected, name
        assert (result.fault.key if result.fault else result.cycles) == expected, name
        if number < len(programs):
            wrong = np.argwhere(result.outputs["mem"] != mem_of(machine, image))
            places = [(int(image.outputs[0].slices[at]), int(image.outputs[0].addrs[at])) for at in wrong[:5, 0]]
            assert not len(wrong), f"{name}: {len(wrong)} bytes of MEM differ, at (slice, address) {places}"
