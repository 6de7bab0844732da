"""The chip's netlist, without mapping it to gates."""

from collections import Counter
from pathlib import Path

import pytest

from arch.geometry import units
from arch.presets import preset
from hdl.chip import Chip
from synth.checks import check_flat
from synth.design import elaborate_component
from synth.hierarchy import Hierarchy
from synth.mapping import map_module
from synth.units import counts_by_unit, label_of, unit_of_class

NANO = preset("nano")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chip")


@pytest.fixture(scope="module")
def chip(folder: Path) -> Hierarchy:
    """Elaborate the chip; a latch is an error in it."""
    return elaborate_component(Chip(config=NANO.replace(checks=False)), folder)


def test_no_combinational_loop(chip: Hierarchy, folder: Path) -> None:
    """The whole chip has no latch, no combinational loop, and one driver per net."""
    check_flat(folder / "elaborated.il", folder)


def test_every_tile_is_counted(chip: Hierarchy) -> None:
    """The report counts every cell of the array, slice, lane and queue that the configuration has."""
    found: Counter[str] = Counter()
    for (_, module), count in counts_by_unit(chip, unit_of_class()).items():
        found[label_of(module)] += count
    blocks = NANO.superlanes**2
    assert found["Supercell"] == NANO.planes * blocks
    assert found["MemSliceTile"] == NANO.slices * NANO.superlanes
    assert found["VxmLane"] == NANO.alus * NANO.vector_length
    # C2C queues are there too: they hold NOP, REPEAT and END.
    assert found["InstructionQueue"] == len(units(NANO))


def test_memory_bits_are_those_of_the_configuration(chip: Hierarchy, folder: Path) -> None:
    """The report finds the bits of MEM, accumulators and queues."""
    bits: Counter[str] = Counter()
    areas = {
        name: map_module(chip.standalone(name), folder / "cache")
        for name in chip.modules
        if label_of(name).startswith("takt_sram")
    }
    for (unit, module), count in counts_by_unit(chip, unit_of_class()).items():
        if module in areas:
            bits[unit] += areas[module].memory_bits * count
    assert bits == {
        "mem": 8 * NANO.mem_bytes,
        "mxm": NANO.planes * NANO.acc_depth * NANO.vector_length * 32,
        "icu": len(units(NANO)) * NANO.queue_depth * 64,
    }


@pytest.mark.long
def test_with_ecc(tmp_path: Path) -> None:
    """Encoders and decoders make no latch and no loop."""
    chip = elaborate_component(Chip(config=NANO.replace(ecc=True, checks=False)), tmp_path)
    check_flat(tmp_path / "elaborated.il", tmp_path)
    assert {label_of(name) for name in chip.modules} >= {"EccDecoder", "EccEncoder"}
