"""Flipped bits on their way from MEM and streams to whoever consumes them."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.faults import FaultKind
from arch.geometry import Direction
from arch.isa.codes import Source
from arch.presets import preset
from golden.machine.ecc import EccState
from verif.golden.program import Program, numbers

NANO = preset("nano", ["ecc=true"])
EAST = Direction.EAST
PASS = {"a_src": Source.STREAM, "a_index": 0, "b_src": Source.ZERO}


def operand(program, slice_="MEM_W0", addr=3):
    """Read a word and let an ALU take it; return the cycle in which tile 0 does."""
    program.at(2, slice_, "READ", addr=addr)
    distance = program.unit("VXM_0").position - program.unit(slice_).position
    cycle = 2 + program.func("READ") + distance
    program.at(cycle - program.skew("PASS"), "VXM_0", "PASS", **PASS)
    return cycle


@pytest.mark.parametrize("superlane", [0, 1])
@pytest.mark.parametrize("bit", [0, 31, 32, 38])
def test_a_flipped_bit_is_corrected_and_counted(rng, superlane, bit):
    program = Program(NANO)
    word = rng.integers(0, 256, NANO.vector_length).astype(np.uint8)
    program.machine.mem(0)[3] = word
    cycle = operand(program)
    length = program.run()
    assert program.machine.ecc == EccState()
    program.machine.flip(0, 3, superlane, bit)
    assert program.run() == length
    queue = program.unit("VXM_0").id
    assert program.machine.ecc == EccState(1, queue, cycle + superlane)
    assert (program.machine.held(0) == word.view(np.int8).astype(np.int32).view(np.uint32)).all()
    # The word keeps its flip; CLEAR comes with new queues, but a second run without it goes on counting.
    program.machine.run()
    assert program.machine.ecc == EccState(2, queue, cycle + superlane)
    program.machine.clear()
    assert program.machine.ecc == EccState()


def test_a_bit_flipped_twice_is_right(rng):
    program = Program(NANO)
    operand(program)
    for _ in range(2):
        program.machine.flip(0, 3, 0, 5)
    program.run()
    assert program.machine.ecc.count == 0


@pytest.mark.parametrize("superlane", [0, 1])
def test_two_flipped_bits(superlane):
    program = Program(NANO)
    cycle = operand(program)
    for bit in (4, 37):
        program.machine.flip(0, 3, superlane, bit)
    program.fails(cycle + superlane, "VXM_0", FaultKind.UNCORRECTABLE)


@pytest.mark.parametrize("late,first", [(0, "VXM_2"), (1, "VXM_0"), (2, "VXM_0")])
def test_a_fault_in_a_higher_superlane_waits_for_its_cycle(late, first):
    """VXM_0 reads two flipped bits one cycle after tile 0; VXM_2 misses a stream about then."""
    program = Program(NANO)
    cycle = operand(program)
    for bit in (4, 37):
        program.machine.flip(0, 3, 1, bit)
    missed = cycle + late
    program.at(missed - program.skew("PASS"), "VXM_2", "PASS", **{**PASS, "a_index": 9})
    kind = FaultKind.UNWRITTEN if first == "VXM_2" else FaultKind.UNCORRECTABLE
    program.fails(missed if first == "VXM_2" else cycle + 1, first, kind)
    # What was read after the fault does not count.
    assert program.machine.ecc.count == 0


def test_words_keep_their_flips_from_slice_to_slice():
    program = Program(NANO)
    program.machine.flip(0, 3, 1, 6)
    program.copy("MEM_W0", "MEM_E2", 2, stream=4, read={"addr": 3}, write={"addr": 9})
    program.run()
    assert program.machine.ecc.count == 0
    program.clear()
    target = program.unit("MEM_E2").id
    program.at(2, "MEM_E2", "READ", dir=Direction.WEST, stream=0, addr=9)
    cycle = 2 + program.func("READ") + program.unit("MEM_E2").position - program.unit("VXM_0").position
    program.at(cycle - 1, "VXM_0", "PASS", **PASS, a_dir=Direction.WEST)
    program.run()
    assert program.machine.ecc == EccState(1, program.unit("VXM_0").id, cycle + 1)
    # The host's writes make a new code word.
    program.machine.write([target], [9], np.zeros((1, NANO.vector_length), np.uint8))
    program.run()
    assert program.machine.ecc.count == 0


def test_a_driver_replaces_flips():
    program = Program(NANO)
    program.machine.flip(program.unit("MEM_W4").id, 0, 0, 1)
    distance = program.unit("MEM_W0").position - program.unit("MEM_W4").position
    program.at(2, "MEM_W4", "READ")
    program.at(2 + distance, "MEM_W0", "READ", addr=5)
    arrival = 2 + distance + program.func("READ") + program.unit("VXM_0").position - program.unit("MEM_W0").position
    program.at(arrival - 1, "VXM_0", "PASS", **PASS)
    program.run()
    assert program.machine.ecc.count == 0


def test_gather_reads_every_lane_on_its_own(rng):
    program = Program(NANO)
    indices = np.array([7, 7, 9, 7, 7, 9, 9, 9], np.uint16)
    program.inject_numbers(5, "MEM_W0", EAST, 0, indices)
    for bit in (3, 12):
        program.machine.flip(0, 10 + (7, 9)[bit == 12], bit == 12, bit)
    program.at(4, "MEM_W0", "GATHER", stream=5, addr=10, count=1, interval=4)
    program.watch("MEM_W0")
    # Superlane 0: lanes 0, 1 and 3 of word 17; superlane 1: lanes 1, 2 and 3 of word 19.
    expected = [(6 + lane, 0, 0) for lane in (0, 1, 3)] + [(6 + lane + 1, 0, 1) for lane in (1, 2, 3)]
    assert program.machine.corrected == sorted(expected)


def test_scatter_writes_words_back_without_flips(rng):
    program = Program(NANO)
    program.inject_numbers(5, "MEM_W0", EAST, 0, np.zeros(NANO.vector_length, np.uint16))
    program.inject(5, "MEM_W0", EAST, 2, np.ones((1, NANO.vector_length), np.uint8))
    program.machine.flip(0, 3, 1, 9)
    program.at(4, "MEM_W0", "SCATTER", stream=2, addr=3, count=1, interval=12)
    for count in (1, 0):
        program.run()
        assert len(program.machine.corrected) == count
    assert (program.machine.mem(0)[3] == 1).all()


@pytest.mark.parametrize("stream", [0, 1, 2])
def test_indices_and_data_are_consumed_at_once(stream):
    program = Program(NANO)
    zeros = np.zeros((3, NANO.vector_length), np.uint8)
    flips = {stream: {1: 1 << 30}, 0: {1: 1 << 35}}
    program.machine.inject(5, program.unit("MEM_W0").position, EAST, 0, zeros, flips)
    program.at(4, "MEM_W0", "SCATTER", stream=2, addr=3, count=1, interval=12)
    program.run()
    assert program.machine.corrected == [(6, 0, 1)]


def test_recordings_show_flips(rng):
    program = Program(NANO)
    program.machine.flip(0, 3, 1, 6)
    program.at(2, "MEM_W0", "READ", addr=3, stream=4)
    held = program.watch("MEM_W0")
    cycle = 2 + program.func("READ")
    assert held.flips[cycle] == {(EAST, 4): {1: 1 << 6}}
    assert not any(flips for at, flips in enumerate(held.flips) if at != cycle)
    assert (numbers(held, cycle, EAST, 4, np.uint8) == 0).all()


def test_wrong_flips():
    with pytest.raises(TaktError, match="bits can be flipped in a machine with ecc only, not in nano"):
        Program(preset("nano")).machine.flip(0, 0, 0, 0)
    with pytest.raises(TaktError, match="bit must be 0 to 38, not 39"):
        Program(NANO).machine.flip(0, 0, 0, 39)
    with pytest.raises(TaktError, match="superlane must be 0 to 1, not 2"):
        Program(NANO).machine.flip(0, 0, 2, 0)
