"""CONFIG: words that act on the lower superlanes only (docs/machine.md, 3.10)."""

import numpy as np
import pytest

from arch.geometry import Direction
from arch.isa.codes import Source
from arch.presets import preset
from verif.golden.program import Program

NANO = preset("nano")
ON = NANO.lanes
"""Lanes of one of nano's two superlanes."""
EAST, WEST = Direction.EAST, Direction.WEST


def limited(program, name, cycle, superlanes=1):
    """Let what a unit issues after `cycle` act on so many superlanes."""
    program.at(cycle, name, "CONFIG", superlanes=superlanes)


def vectors(rng, count):
    return rng.integers(0, 256, (count, NANO.vector_length)).astype(np.uint8)


@pytest.mark.parametrize("occupied", [False, True])
def test_read(rng, occupied):
    """In the other lanes, what is on the register moves on: a value that was driven before, or the zeros of none."""
    program = Program(NANO)
    program.machine.mem(program.unit("MEM_W2").id)[:2] = data = vectors(rng, 2)
    limited(program, "MEM_W2", 0)
    program.at(10, "MEM_W2", "READ", dir=EAST, stream=3, stride=1, count=2)
    before = vectors(rng, 2)
    for element in range(2 * occupied):
        program.inject(10 + element + program.func("READ") - 1, "MEM_W4", EAST, 3, before[[element]])
    held = program.watch("VXM_0", cycles=40)
    way = program.unit("VXM_0").position - program.unit("MEM_W2").position + program.func("READ")
    found = held.values[10 + way : 12 + way, EAST, 3]
    np.testing.assert_array_equal(found[:, :ON], data[:, :ON])
    np.testing.assert_array_equal(found[:, ON:], before[:, ON:] if occupied else 0)


def test_write_and_back_to_all(rng):
    program = Program(NANO)
    memory = program.machine.mem(program.unit("MEM_W2").id)
    memory[:3] = old = vectors(rng, 3)
    new = vectors(rng, 3)
    limited(program, "MEM_W2", 0)
    program.at(5, "MEM_W2", "WRITE", dir=EAST, stream=1, addr=0, stride=1, count=2)
    limited(program, "MEM_W2", 6, superlanes=2)
    program.at(9, "MEM_W2", "WRITE", dir=EAST, stream=1, addr=2)
    for cycle, vector in zip((5, 6, 9), new, strict=True):
        program.inject(cycle + program.skew("WRITE"), "MEM_W2", EAST, 1, vector[None])
    program.run()
    np.testing.assert_array_equal(memory[:3, :ON], new[:, :ON])
    np.testing.assert_array_equal(memory[:3, ON:], np.stack([old[0], old[1], new[2]])[:, ON:])
    program.clear()
    program.machine.clear_injections()
    program.at(5, "MEM_W2", "WRITE", dir=EAST, stream=1)
    program.inject(5 + program.skew("WRITE"), "MEM_W2", EAST, 1, new[[1]])
    program.run()  # a run starts with all superlanes on
    np.testing.assert_array_equal(memory[0], new[1])


def test_gather_and_scatter(rng):
    program = Program(NANO)
    gathered, scattered = (program.machine.mem(program.unit(name).id) for name in ("MEM_W2", "MEM_W4"))
    gathered[:8], scattered[:8] = vectors(rng, 8), vectors(rng, 8)
    table, old = gathered[:8].copy(), scattered[:8].copy()
    index = rng.integers(0, 8, NANO.vector_length)
    data = vectors(rng, 1)
    lanes = np.arange(NANO.vector_length)
    for name, mnemonic in (("MEM_W2", "GATHER"), ("MEM_W4", "SCATTER")):
        limited(program, name, 0)
        program.at(5, name, mnemonic, dir=EAST, stream=4, map_dir=WEST, map=2, count=1, interval=1 << 6)
        program.inject_numbers(5 + program.skew(mnemonic), name, WEST, 2, index.astype(np.uint16))
    program.inject(5 + program.skew("SCATTER"), "MEM_W4", EAST, 4, data)
    held = program.watch("MEM_W2", cycles=90)
    found = held.values[5 + program.func("GATHER"), EAST, 4]
    np.testing.assert_array_equal(found, np.where(lanes < ON, table[index, lanes], 0))
    old[index[:ON], lanes[:ON]] = data[0, :ON]
    np.testing.assert_array_equal(scattered[:8], old)


def test_vxm(rng):
    """Held results keep what they have in the other lanes."""
    program = Program(NANO)
    first, second = vectors(rng, 2)
    fields = {"a_src": Source.STREAM, "a_dir": EAST, "b_src": Source.ZERO, "drive": 1, "dst_dir": WEST, "dst": 2}
    program.at(5, "VXM_1", "PASS", **fields)
    limited(program, "VXM_1", 6)
    program.at(7, "VXM_1", "PASS", **fields)
    for cycle, vector in ((5, first), (7, second)):
        program.inject(cycle + program.skew("PASS"), "VXM_1", EAST, 0, vector[None])
    held = program.watch("VXM_1")
    found = held.values[7 + program.func("PASS"), WEST, 2]
    np.testing.assert_array_equal(found, [*second[:ON], *[0] * ON])
    np.testing.assert_array_equal(program.machine.held(1).astype(np.uint8), [*second[:ON], *first[ON:]])


def test_sxm(rng):
    """It sees zeros in the other lanes; map registers keep what they have there."""
    program = Program(NANO)
    vector = vectors(rng, 1)
    limited(program, "SXM_W.SHIFT0", 0)
    program.at(5, "SXM_W.SHIFT0", "SHIFT", src_dir=EAST, src=1, dst_dir=WEST, dst=2, amount=2, down=1)
    program.inject(5 + program.skew("SHIFT"), "SXM_W.SHIFT0", EAST, 1, vector)
    unit = "SXM_W.DISTRIBUTE"
    maps = rng.integers(0, ON, (2, NANO.vector_length)).astype(np.uint8)
    program.at(5, unit, "LOADMAP", map_dir=EAST, map=3)
    limited(program, unit, 6)
    program.at(7, unit, "LOADMAP", map_dir=EAST, map=3)
    limited(program, unit, 8, superlanes=2)
    program.at(9, unit, "DISTRIBUTE", src_dir=EAST, src=5, dst_dir=EAST, dst=6)
    for cycle, lane_map in zip((5, 7), maps, strict=True):
        program.inject(cycle + program.skew("LOADMAP"), unit, EAST, 3, lane_map[None])
    program.inject(9 + program.skew("DISTRIBUTE"), unit, EAST, 5, vector)
    held = program.watch(unit, cycles=40)
    shifted = held.values[5 + program.func("SHIFT"), WEST, 2]
    np.testing.assert_array_equal(shifted, [*vector[0, 2:ON], *[0] * (2 + ON)])
    chosen = np.concatenate([maps[1, :ON], maps[0, ON:] + ON])
    np.testing.assert_array_equal(held.values[9 + program.func("DISTRIBUTE"), EAST, 6], vector[0, chosen])


@pytest.mark.parametrize("queue", ["W", "A", "R", None])
def test_mxm(rng, queue):
    """Buffer rows, installs and activations, accumulators and results, each in the lower superlane only."""
    program = Program(NANO)
    length, lanes = NANO.vector_length, NANO.lanes
    old, weights = rng.integers(-128, 128, (2, length, length)).astype(np.int8)
    x = rng.integers(-128, 128, length).astype(np.int8)
    take = 20 + program.timing.acc_after_abc

    def multiply(matrix):
        blocks = NANO.superlanes
        program.at(5, "MXM_W0.W", "LW", stream=0, count=blocks)
        for step in range(blocks):
            columns = matrix[:, lanes * (blocks - 1 - step) :][:, :lanes].T
            program.inject(5 + step + program.skew("LW"), "MXM_W0.W", WEST, 0, columns)
        program.at(20, "MXM_W0.A", "ABC", stream=8, install=1)
        program.inject(20 + program.skew("ABC"), "MXM_W0.A", WEST, 8, x[None])
        program.at(take, "MXM_W0.R", "ACC", addr=3, emit=1, stream=4)

    multiply(old)
    program.run()
    program.clear()
    program.machine.clear_injections()
    program.machine.accumulators(0)[:] = 77
    if queue is not None:
        limited(program, f"MXM_W0.{queue}", 0)
    multiply(weights)
    held = program.watch("MXM_W0.R", cycles=take + 20)
    rows = np.arange(length) < ON
    buffer = np.where(rows[:, None], weights, old) if queue == "W" else weights
    installed = np.where(rows[:, None], buffer, old) if queue == "A" else buffer
    seen = np.where(rows, x, 0) if queue == "A" else x
    result = seen.astype(np.int32) @ installed.astype(np.int32)
    np.testing.assert_array_equal(program.machine.buffer(0), buffer)
    np.testing.assert_array_equal(program.machine.weights(0), installed)
    here = rows if queue == "R" else np.ones(length, bool)
    np.testing.assert_array_equal(program.machine.accumulators(0)[3], np.where(here, result, 77))
    emitted = held.values[take + program.func("ACC"), EAST, 4:8].T.copy().view(np.int32)[:, 0]
    np.testing.assert_array_equal(emitted, np.where(here, result, 0))
