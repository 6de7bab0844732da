"""SXM: lane maps (permute, distribute, their registers) and rotations."""

import numpy as np
import pytest

from arch.faults import FaultKind
from arch.geometry import Direction
from arch.presets import PRESETS, preset
from verif.golden.program import Program
from verif.golden.test_sxm import vectors

EAST, WEST = Direction
NANO = preset("nano")
UNITS = {"PERMUTE": 2, "DISTRIBUTE": 1}
"""Streams of a map."""


def some_map(rng, config, mnemonic):
    """Return a lane map with repetitions and with lanes that do not exist, as numbers and as streams."""
    limit = config.vector_length if mnemonic == "PERMUTE" else config.lanes
    highest = 256 ** UNITS[mnemonic] - 1
    numbers = rng.integers(0, limit, config.vector_length)
    numbers[rng.integers(config.vector_length, size=3)] = limit, highest, highest - limit + 1
    return numbers, np.array([numbers >> 8 * place & 255 for place in range(UNITS[mnemonic])]).astype(np.uint8)


def mapped(config, mnemonic, source, numbers):
    result = np.zeros(config.vector_length, np.uint8)
    for lane, number in enumerate(numbers):
        if mnemonic == "PERMUTE" and number < config.vector_length:
            result[lane] = source[number]
        if mnemonic == "DISTRIBUTE" and number < config.lanes:
            result[lane] = source[lane // config.lanes * config.lanes + number]
    return result


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("mnemonic", UNITS)
def test_map_on_streams(rng, name, mnemonic):
    config = preset(name)
    program = Program(config)
    unit = f"SXM_E.{mnemonic}"
    (source,) = vectors(rng, config, 1)
    numbers, streams = some_map(rng, config, mnemonic)
    program.inject(4, unit, WEST, 5, source[None])
    program.inject(4, unit, EAST, 2, streams)
    fields = {"src_dir": WEST, "src": 5, "map_dir": EAST, "map": 2, "dst_dir": WEST, "dst": 7}
    program.at(3, unit, mnemonic, streamed=1, **fields)
    held = program.watch(unit)
    cycle = 3 + 3 + (config.superlanes if mnemonic == "PERMUTE" else 0)
    assert (held.values[cycle, WEST, 7] == mapped(config, mnemonic, source, numbers)).all()
    assert not held.written[cycle - 1, WEST, 7]


@pytest.mark.parametrize("mnemonic", UNITS)
def test_registers_take_effect_in_the_next_cycle(rng, mnemonic):
    program = Program(NANO)
    unit = f"SXM_W.{mnemonic}"
    sources = vectors(rng, NANO, 4)
    numbers, streams = some_map(rng, NANO, mnemonic)
    for cycle, source in enumerate(sources, 1):
        program.inject(cycle, unit, EAST, 0, source[None])
    program.inject(2, unit, EAST, 4, streams)
    # Register 3 holds zeros, gets a map, and register 2 stays as it is.
    program.at(0, unit, mnemonic, src=0, dst=8, register=3)
    program.at(1, unit, "LOADMAP", map=4, register=3)
    program.at(2, unit, mnemonic, src=0, dst=8, register=3)
    program.at(3, unit, mnemonic, src=0, dst=8, register=2)
    func = program.func(mnemonic)
    held = program.watch(unit)
    zeros = np.zeros_like(numbers)
    assert (held.values[func, EAST, 8] == mapped(NANO, mnemonic, sources[0], zeros)).all()
    assert not held.written[1 + func, EAST, 8]
    assert (held.values[2 + func, EAST, 8] == mapped(NANO, mnemonic, sources[2], numbers)).all()
    assert (held.values[3 + func, EAST, 8] == mapped(NANO, mnemonic, sources[3], zeros)).all()


def test_registers_survive_and_belong_to_one_unit(rng):
    program = Program(NANO)
    loaded = {}
    for unit in ("SXM_W.PERMUTE", "SXM_W.DISTRIBUTE", "SXM_E.PERMUTE"):
        loaded[unit], streams = some_map(rng, NANO, unit.partition(".")[2])
        program.inject(1, unit, EAST, 0 if unit.endswith("PERMUTE") else 2, streams)
        program.at(0, unit, "LOADMAP", map=0 if unit.endswith("PERMUTE") else 2, register=1)
    program.run()
    program.clear()
    (source,) = vectors(rng, NANO, 1)
    for unit, numbers in loaded.items():
        program.machine.clear_injections()
        program.clear()
        mnemonic = unit.partition(".")[2]
        program.inject(1, unit, EAST, 3, source[None])
        program.at(0, unit, mnemonic, src=3, dst=6, register=1)
        held = program.watch(unit)
        expected = mapped(NANO, mnemonic, source, numbers)
        assert (held.values[program.func(mnemonic), EAST, 6] == expected).all(), unit


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("size", [2, 3, 4])
def test_rotate(rng, name, size):
    config = preset(name)
    if size * size > config.lanes:
        return
    program = Program(config)
    (source,) = vectors(rng, config, 1)
    program.inject(1, "SXM_W.ROTATE", EAST, 3, source[None])
    program.at(0, "SXM_W.ROTATE", "ROTATE", src=3, dst_dir=WEST, dst=config.lanes, size=size)
    held = program.watch("SXM_W.ROTATE")
    for a in range(size):
        for b in range(size):
            expected = np.zeros(config.vector_length, np.uint8)
            for tile in range(0, config.vector_length, config.lanes):
                for i in range(size):
                    for j in range(size):
                        taken = size * ((i + a) % size) + (j + b) % size
                        expected[tile + size * i + j] = source[tile + taken]
            assert (held.values[3, WEST, config.lanes + size * a + b] == expected).all(), (a, b)
    assert np.flatnonzero(held.written[3, WEST]).tolist() == [config.lanes + n for n in range(size * size)]


def test_cycle_counts():
    lengths = {"PERMUTE": NANO.superlanes + 3, "DISTRIBUTE": 3, "ROTATE": 3, "LOADMAP": 1}
    for mnemonic, length in lengths.items():
        unit = "SXM_W.PERMUTE" if mnemonic == "LOADMAP" else f"SXM_W.{mnemonic}"
        program = Program(NANO)
        program.inject(1, unit, EAST, 0, np.zeros((2, NANO.vector_length), np.uint8))
        fields = {"LOADMAP": {}, "ROTATE": {"dst": 4, "size": 2}}.get(mnemonic, {"dst": 4})
        program.at(0, unit, mnemonic, **fields)
        assert program.run() == length + NANO.superlanes, mnemonic


@pytest.mark.parametrize(
    "unit, mnemonic, written, fields",
    [
        ("PERMUTE", "PERMUTE", (1, 2), {"src": 0}),
        ("PERMUTE", "PERMUTE", (0, 2), {"src": 0, "streamed": 1, "map": 2}),
        ("DISTRIBUTE", "DISTRIBUTE", (0,), {"src": 0, "streamed": 1, "map": 2}),
        ("PERMUTE", "LOADMAP", (2,), {"map": 2}),
        ("DISTRIBUTE", "LOADMAP", (2,), {"map": 3}),
        ("ROTATE", "ROTATE", (1,), {"src": 0, "size": 2}),
    ],
)  # fmt: skip
def test_unwritten(unit, mnemonic, written, fields):
    program = Program(NANO)
    for stream in written:
        program.inject(8, f"SXM_W.{unit}", EAST, stream, np.zeros((1, NANO.vector_length), np.uint8))
    program.at(7, f"SXM_W.{unit}", mnemonic, **fields)
    program.fails(8, f"SXM_W.{unit}", FaultKind.UNWRITTEN)


def test_only_the_streams_of_a_rotation_are_driven():
    """Beside them another unit may drive; on the last of them it may not."""
    for offset in (0, 1):
        program = Program(preset("nano", ["lanes=8"]))
        program.inject(1, "SXM_W.ROTATE", EAST, 0, np.zeros((1, 16), np.uint8))
        program.at(0, "SXM_W.ROTATE", "ROTATE", src=0, dst=8, size=2)
        program.at(0, "SXM_W.DISTRIBUTE", "DISTRIBUTE", src=0, dst=8 + 4 - offset)
        if offset:
            program.fails(3, "SXM_W.ROTATE", FaultKind.DOUBLE_DRIVE)
        else:
            program.run()
