"""Stream registers: movement, replacement, edges, and the two faults of streams."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.faults import FaultKind
from arch.geometry import Direction, positions
from arch.presets import preset
from verif.golden.program import Program

NANO = preset("nano")
LENGTH = NANO.vector_length


def constant(value, size=1):
    return np.full((size, LENGTH), value, np.uint8)


@pytest.mark.parametrize("direction", Direction)
def test_values_move_one_position_per_cycle_and_leave_at_the_edge(direction):
    last = positions(NANO) - 1
    for position in (0, 1, 5, last):
        program = Program(NANO)
        program.machine.inject(3, 6, direction, 2, constant(9))
        program.machine.watch(position)
        program.run(cycles=3 * last)
        held = program.machine.recording(position)
        distance = (position - 6) * direction.step
        due = [3 + distance] if distance >= 0 else []
        assert np.flatnonzero(held.written[:, direction, 2]).tolist() == due
        assert held.written.sum() == len(due)
        assert (held.values[due, direction, 2] == 9).all()


def test_a_producer_replaces_what_arrives():
    program = Program(NANO)
    program.machine.mem(0)[:] = 2
    # The value 1 would be at MEM_W0 in cycle 10; the slice puts 2 there in that cycle.
    program.inject(10 - 4, "SXM_W.SHIFT0", Direction.EAST, 3, constant(1))
    program.at(10 - program.func("READ"), "MEM_W0", "READ", dir=Direction.EAST, stream=3)
    # A reader at the very position and cycle sees the new value, one before sees the old one.
    program.at(9, "MEM_W1", "WRITE", dir=Direction.EAST, stream=3)
    program.at(8, "MEM_W2", "WRITE", dir=Direction.EAST, stream=3)
    program.at(10, "VXM_0", "PASS", dtype=0, out_dtype=0, a_src=0, a_dir=0, a_index=3, b_src=3)
    program.run()
    assert (program.machine.mem(1)[0] == 2).all()
    assert (program.machine.mem(2)[0] == 1).all()
    assert (program.machine.held(0) == 2).all()


def test_reading_does_not_consume():
    program = Program(NANO)
    program.inject(1, "SXM_W.SHIFT0", Direction.EAST, 3, constant(7))
    for slices in range(4):
        for index in (2 * slices, 2 * slices + 1):
            cycle = 1 + program.unit(f"MEM_W{index}").position - program.unit("SXM_W.SHIFT0").position
            program.at(cycle - 1, f"MEM_W{index}", "WRITE", dir=Direction.EAST, stream=3, addr=index)
    program.run()
    assert all((program.machine.mem(index)[index] == 7).all() for index in range(8))


def test_registers_start_empty_in_every_run():
    program = Program(NANO)
    program.machine.mem(0)[:] = 2
    program.at(0, "MEM_W0", "READ", dir=Direction.EAST, stream=3, count=20)
    program.run()
    program.clear()
    program.at(0, "VXM_0", "PASS", dtype=0, out_dtype=0, a_src=0, a_dir=0, a_index=3, b_src=3)
    program.fails(1, "VXM_0", FaultKind.UNWRITTEN)


def test_a_zero_is_a_value():
    program = Program(NANO)
    program.at(0, "MEM_W0", "READ", dir=Direction.EAST, stream=3)
    program.at(program.func("READ"), "VXM_0", "PASS", a_src=0, a_dir=0, a_index=3, b_src=3)
    program.run()


@pytest.mark.parametrize("off", [-1, 1])
def test_unwritten_a_cycle_beside_the_value(off):
    program = Program(NANO)
    program.at(10, "MEM_W0", "READ", dir=Direction.EAST, stream=3)
    cycle = 10 + program.func("READ") + off
    program.at(cycle, "VXM_0", "PASS", a_src=0, a_dir=0, a_index=3, b_src=3)
    program.fails(cycle + 1, "VXM_0", FaultKind.UNWRITTEN)


def test_unwritten_is_checked_for_every_stream_of_a_group():
    program = Program(NANO)
    program.inject(5, "VXM_0", Direction.EAST, 4, constant(1, 3))
    program.at(4, "VXM_0", "PASS", dtype=2, out_dtype=2, a_src=0, a_dir=0, a_index=4, b_src=3)
    error = program.fails(5, "VXM_0", FaultKind.UNWRITTEN)
    assert "stream east 7 at position 7" in str(error)


def test_unwritten_in_the_middle_of_a_burst():
    program = Program(NANO)
    program.at(0, "MEM_E0", "READ", dir=Direction.EAST, stream=0, count=5, interval=2)
    program.at(3, "MEM_E2", "WRITE", dir=Direction.EAST, stream=0, count=5, interval=1)
    program.fails(3 + 1 + 1, "MEM_E2", FaultKind.UNWRITTEN)


def test_double_drive_blames_the_later_queue():
    program = Program(NANO)
    func = program.func("READ")
    program.at(10, "MEM_W1", "READ", dir=Direction.EAST, stream=3)
    program.at(10, "MEM_W0", "READ", dir=Direction.EAST, stream=3)
    program.at(10, "MEM_E0", "READ", dir=Direction.EAST, stream=3)
    error = program.fails(10 + func, "MEM_W1", FaultKind.DOUBLE_DRIVE)
    assert "stream east 3 at position 6" in str(error)


def test_double_drive_of_three_blames_the_second():
    program = Program(preset("small"))
    for index in (3, 0, 2):
        program.at(10, f"MEM_W{index}", "READ", dir=Direction.WEST, stream=3)
    program.fails(10 + program.func("READ"), "MEM_W2", FaultKind.DOUBLE_DRIVE)


def test_double_drive_of_different_kinds_of_units():
    program = Program(NANO)
    func = program.func("PASS")
    program.at(20, "VXM_2", "PASS", dtype=2, out_dtype=2, a_src=3, b_src=3, drive=1, dst_dir=1, dst=4)
    program.at(20, "VXM_5", "PASS", dtype=0, out_dtype=0, a_src=3, b_src=3, drive=1, dst_dir=1, dst=7)
    program.fails(20 + func, "VXM_5", FaultKind.DOUBLE_DRIVE)


def test_same_stream_of_the_other_direction_position_or_cycle_is_free():
    program = Program(NANO)
    program.at(10, "MEM_W0", "READ", dir=Direction.EAST, stream=3)
    program.at(10, "MEM_W1", "READ", dir=Direction.WEST, stream=3)
    program.at(10, "MEM_W2", "READ", dir=Direction.EAST, stream=3)
    program.at(11, "MEM_W1", "READ", dir=Direction.EAST, stream=3)
    assert program.run() == 11 + program.timing["READ"].retire


def test_long_idle_times_leave_nothing_behind():
    program = Program(NANO)
    program.at(0, "MEM_W0", "READ", dir=Direction.EAST, stream=3)
    program.at(100_000, "VXM_0", "PASS", a_src=0, a_dir=0, a_index=3, b_src=3)
    program.fails(100_001, "VXM_0", FaultKind.UNWRITTEN)


def test_injected_values_are_driven_values():
    program = Program(NANO)
    program.inject(10 + program.func("READ"), "MEM_W1", Direction.EAST, 3, constant(1))
    program.at(10, "MEM_W1", "READ", dir=Direction.EAST, stream=3)
    program.fails(10 + program.func("READ"), "MEM_W1", FaultKind.DOUBLE_DRIVE)


@pytest.mark.parametrize(
    "position,stream,vectors,message",
    [
        (15, 0, constant(0), "position must be 0 to 14, not 15"),
        (0, 15, constant(0, 2), "stream must be 0 to 14, not 15"),
        (0, 0, np.zeros((1, 7), np.uint8), r"vectors must have the shape \(n, 8\), not \(1, 7\)"),
    ],
)
def test_wrong_injections(position, stream, vectors, message):
    with pytest.raises(TaktError, match=message):
        Program(NANO).machine.inject(0, position, Direction.EAST, stream, vectors)
