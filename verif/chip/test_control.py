"""Instruction control of the whole chip: golden machine, verifier and RTL agree."""

from collections.abc import Mapping

import pytest

from arch.config import Config
from arch.faults import FaultError, FaultKind
from arch.image import Image
from arch.presets import PRESETS, preset
from arch.timing import timing
from golden.machine.machine import Machine
from runtime.rtl_backend import run_jobs_on_rtl
from verif.bench import default_seed, each_simulator
from verif.bits import same_bits
from verif.chip.control_programs import RandomControl, barriers, boot, fetch_faults, fetched_everywhere
from verif.compiler.timetables import Verdict, verified

SMALL_QUEUES = ("queue_depth=16",)
MACHINES = {
    **{name: preset(name, SMALL_QUEUES) for name in PRESETS},
    "lanes=8": preset("nano", [*SMALL_QUEUES, "lanes=8", "mem_slices=12", "superlanes=3"]),
    "slow SRAM": preset("small", [*SMALL_QUEUES, "sram_latency=2", "alu_cols=2"]),
}
NANO, SMALL = preset("nano"), preset("small")
"""With their 1024 places per queue, on which other benches run too: a chip of its own would take minutes to build."""


def golden(found: Image) -> Verdict:
    """Return what the golden machine makes of an image."""
    machine = Machine(found.config)
    try:
        machine.load(found)
        return machine.run()
    except FaultError as error:
        return error.fault.key


def programs(config: Config) -> dict[str, Image]:
    return {**barriers(config), **fetch_faults(config), **fetched_everywhere(config)}


def check_on_rtl(images: Mapping[str, Image], simulator: str, runs: int = 1) -> None:
    """Check that the RTL does as the golden machine and the verifier do."""
    results = run_jobs_on_rtl([(found, [{}] * runs) for found in images.values()], simulator)
    for (name, found), each in zip(images.items(), results, strict=True):
        expected = golden(found)
        assert verified(found) == expected, name
        for result in each:
            assert (result.fault.key if result.fault else result.cycles) == expected, name


@pytest.mark.parametrize("machine", MACHINES)
def test_golden_and_verifier(machine: str) -> None:
    """Golden machine and verifier agree on barriers and fetched text of every preset."""
    config = MACHINES[machine]
    for name, found in programs(config).items():
        assert golden(found) == verified(found), name


@pytest.mark.parametrize("machine", MACHINES)
def test_measured_release(machine: str) -> None:
    """The END behind a SYNC issues `barrier` cycles after the NOTIFY, from one end of the chip to the other."""
    config = MACHINES[machine]
    found = barriers(config)
    assert golden(found["released"]) == 9 + timing(config).barrier + 1
    assert golden(found["released in the other direction"]) == timing(config).barrier + 1
    assert golden(found["just in time"]) == 4 + timing(config).barrier + 1


def test_faults_are_what_they_seem() -> None:
    config = MACHINES["nano"]
    kinds = {name: golden(found) for name, found in fetch_faults(config).items()}
    for name, verdict in kinds.items():
        kind = name.split()[0]
        if kind in FaultKind.__members__:
            assert isinstance(verdict, tuple), name
            assert FaultKind(verdict[2]).name == kind, name
    assert isinstance(kinds["port free again"], int)


@pytest.mark.parametrize("machine", MACHINES)
def test_boot(machine: str) -> None:
    """Text of more than twenty times the queues' depth runs in them."""
    found, copied = boot(MACHINES[machine], 165, default_seed(__name__))
    assert len(found.constant_words) * MACHINES[machine].vector_length // 8 > 20 * 16
    assert max(len(words) for words in found.queues.values()) < 5
    result = Machine(found.config).run_image(found, {})
    same_bits(result.outputs["copied"], copied)
    assert result.cycles == verified(found)


@pytest.mark.parametrize(
    "config",
    [MACHINES["nano"], MACHINES["small"], MACHINES["lanes=8"], SMALL],
    ids=["nano", "small", "lanes=8", "deep"],
)
def test_random_programs(config: Config) -> None:
    """Golden machine and verifier agree on random barriers, fetches and their faults."""
    seed = default_seed(__name__)
    control = RandomControl(config, seed)
    kinds = set()
    for number in range(150):
        found = control.image()
        expected = golden(found)
        assert verified(found) == expected, f"program {number} of seed {seed}"
        kinds.add(FaultKind(expected[2]) if isinstance(expected, tuple) else None)
    faults = {FaultKind.ILLEGAL, FaultKind.UNDERRUN, FaultKind.OVERRUN, FaultKind.BUSY, FaultKind.DEADLOCK}
    assert {None, *faults} <= kinds, f"{kinds}, seed {seed}"


def random_programs(config: Config, number: int) -> dict[str, Image]:
    seed = default_seed(__name__)
    control = RandomControl(config, seed)
    return {f"program {index} of seed {seed}": control.image() for index in range(number)}


@each_simulator
def test_barriers(simulator: str) -> None:
    """SYNC and NOTIFY on the whole chip release, miss and lock up when the golden machine says so."""
    check_on_rtl(barriers(NANO), simulator)


def test_nano() -> None:
    """IFETCH by every kind of queue on the whole chip with two superlanes.

    One takes less text than a queue has places, where vectors are as short as here: faults are for the other chips.
    """
    check_on_rtl(fetched_everywhere(NANO), "verilator")


def test_small() -> None:
    """Barriers, IFETCH by every kind of queue, and those that break a rule, on the whole chip with one superlane."""
    check_on_rtl(programs(SMALL), "verilator")


@pytest.mark.parametrize("config", [NANO, SMALL], ids=["nano", "small"])
def test_random_programs_on_rtl(config: Config) -> None:
    """Random barriers, fetches and their faults on the whole chip."""
    check_on_rtl(random_programs(config, 60), "verilator")


@pytest.mark.long
@each_simulator
def test_short_queues(simulator: str) -> None:
    """The same on a chip whose queues wrap around after 16 words; too slow in Icarus for every day."""
    config = MACHINES["nano"]
    check_on_rtl({**programs(config), **random_programs(config, 6 if simulator == "icarus" else 60)}, simulator)


@pytest.mark.parametrize(
    "config,transfers,simulator",
    [
        (SMALL, 1022, "verilator"),
        pytest.param(MACHINES["nano"], 165, "icarus", marks=pytest.mark.long),
        pytest.param(MACHINES["nano"], 165, "verilator", marks=pytest.mark.long),
    ],
    ids=["small", "short-icarus", "short-verilator"],
)
def test_boot_on_rtl(config: Config, transfers: int, simulator: str) -> None:
    """Twice: the text has overwritten the host's words, so they are written anew."""
    found, copied = boot(config, transfers, default_seed(__name__))
    assert 2 * transfers > 1.9 * config.queue_depth
    ((first, second),) = run_jobs_on_rtl([(found, [{}, {}])], simulator)
    for result in (first, second):
        assert result.fault is None
        assert result.cycles == golden(found)
        same_bits(result.outputs["copied"], copied)
