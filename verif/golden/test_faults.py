"""Which of several violations is reported, and what a fault leaves behind."""

import numpy as np
import pytest

from arch.faults import FaultError, FaultKind
from arch.geometry import Direction
from arch.isa.encoding import encode
from arch.presets import preset
from verif.golden.program import Program

NANO = preset("nano")
NOP_0 = encode("NOP")


def test_lowest_cycle_before_lowest_queue():
    program = Program(NANO)
    program.raw("MEM_W0", encode("NOP", count=6), NOP_0)
    program.raw("VXM_3", encode("NOP", count=5), NOP_0)
    program.fails(5, "VXM_3", FaultKind.ILLEGAL)


def test_lowest_queue_before_lowest_code():
    program = Program(NANO)
    program.raw("MEM_W4", encode("NOP", count=5))
    program.raw("VXM_3", encode("NOP", count=5), NOP_0)
    program.fails(5, "MEM_W4", FaultKind.UNDERRUN)


def test_lowest_code_of_one_queue():
    """In cycle 9 one slice has a bank conflict (5), an unwritten read (6) and, in the end, an underrun (2)."""
    for underrun in (False, True):
        program = Program(NANO)
        program.at(8, "MEM_W4", "READ", stream=1)
        words = [encode("NOP", count=7), encode("READ", stream=1, count=2, interval=1)]
        words.append(encode("WRITE", count=1, interval=1))
        words += [] if underrun else [encode("END")]
        program.clear()
        program.raw("MEM_W4", *words)
        program.fails(9, "MEM_W4", FaultKind.UNDERRUN if underrun else FaultKind.BANK_CONFLICT)


def test_an_effect_comes_when_it_happens():
    """A double drive is due cycles after the issue that causes it; what goes wrong before is reported."""
    program = Program(NANO)
    for index in (0, 1):
        program.at(4, f"MEM_W{index}", "READ", stream=2)
    due = 4 + program.func("READ")
    program.raw("VXM_3", encode("NOP", count=due - 1), NOP_0)
    program.fails(due - 1, "VXM_3", FaultKind.ILLEGAL)
    program.raw("VXM_3", encode("NOP", count=due), NOP_0)
    program.fails(due, "MEM_W1", FaultKind.DOUBLE_DRIVE)
    program.raw("VXM_3", encode("NOP", count=due + 1), NOP_0)
    program.fails(due, "MEM_W1", FaultKind.DOUBLE_DRIVE)


def test_a_fault_is_sticky_until_the_queues_are_set():
    program = Program(NANO)
    program.raw("VXM_3", encode("NOP", count=5), NOP_0)
    error = program.fails(5, "VXM_3", FaultKind.ILLEGAL)
    assert program.machine.fault == error.fault
    with pytest.raises(FaultError, match="ILLEGAL at unit VXM_3, cycle 5: NOP: count must be at least 1"):
        program.machine.run()
    program.machine.clear()
    assert program.machine.run() == 0


def test_a_recording_ends_with_the_cycle_of_the_fault():
    program = Program(NANO)
    program.inject(5, "VXM_3", Direction.EAST, 0, np.ones((1, NANO.vector_length), np.uint8))
    program.machine.watch(program.unit("VXM_3").position)
    program.raw("VXM_3", encode("NOP", count=5), NOP_0)
    program.fails(5, "VXM_3", FaultKind.ILLEGAL)
    held = program.machine.recording(program.unit("VXM_3").position)
    assert held.values.shape == (6, 2, NANO.streams, NANO.vector_length)
    assert held.written[5, Direction.EAST, 0]


def test_unwritten_is_found_without_shadow_bits_too():
    program = Program(NANO.replace(checks=False))
    program.at(3, "MEM_W0", "WRITE", stream=2)
    program.fails(4, "MEM_W0", FaultKind.UNWRITTEN)
