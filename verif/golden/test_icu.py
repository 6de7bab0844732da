"""Instruction control: when words issue, when a run ends, and what is illegal."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.faults import FaultError, FaultKind
from arch.geometry import Direction
from arch.isa.encoding import encode
from arch.presets import PRESETS, preset
from arch.timing import timing
from golden.machine.latency import d_func
from golden.machine.machine import Machine
from verif.golden.program import Program

NANO = preset("nano")
LATENCY = d_func(NANO, "READ")
RETIRE = timing(NANO)["READ"].retire


def read(stream=0, **fields):
    return encode("READ", stream=stream, **{"count": 1, "interval": 1, **fields})


def nop(count):
    return encode("NOP", count=count)


def repeat(count, interval):
    return encode("REPEAT", count=count, interval=interval)


END = encode("END")


def issues(program, stream=0):
    """Return the cycles in which MEM_W0 must have issued, by what came onto its stream."""
    held = program.watch("MEM_W0")
    return (np.flatnonzero(held.written[:, Direction.EAST, stream]) - LATENCY).tolist()


@pytest.mark.parametrize(
    "words,cycles",
    [
        ([read(), read(), read(), END], [0, 1, 2]),
        ([nop(1), read(), nop(5), read(), END], [1, 7]),
        ([nop(3), nop(4), read(), END], [7]),
        ([read(), repeat(3, 1), END], [0, 1, 2, 3]),
        ([read(), repeat(2, 5), read(), END], [0, 5, 10, 11]),
        ([nop(2), read(), repeat(1, 2), repeat(2, 3), read(), END], [2, 4, 7, 10, 11]),
        ([read(), repeat(1, 2), nop(3), read(), END], [0, 2, 6]),
        ([read(), END, read(), 63], [0]),
        ([read(), repeat(2, 4), nop(1), read(), repeat(1, 1), END], [0, 4, 8, 10, 11]),
    ],
)
def test_issue_cycles(words, cycles):
    program = Program(NANO)
    program.raw("MEM_W0", *words)
    assert issues(program) == cycles


def test_a_repeated_burst_goes_on_with_cont(rng):
    program = Program(NANO)
    data = rng.integers(0, 256, (2 * NANO.mem_depth, NANO.vector_length)).astype(np.uint8)
    program.machine.mem(0)[:] = data
    program.raw("MEM_W0", read(addr=7), read(stride=2, count=3, cont=1), repeat(2, 4), END)
    held = program.watch("MEM_W0")
    out = held.values[held.written[:, Direction.EAST, 0], Direction.EAST, 0]
    # The READ of one word has stride 0, so the next burst starts where it was.
    assert (out == data[[7, 7, 9, 11, 13, 15, 17, 19, 21, 23]]).all()
    cycles = np.flatnonzero(held.written[:, Direction.EAST, 0]) - LATENCY
    assert cycles.tolist() == [0, 1, 2, 3, 5, 6, 7, 9, 10, 11]


@pytest.mark.parametrize(
    "words,cycles",
    [
        ([END], 1),
        ([nop(9), END], 10),
        ([nop(65535), nop(65535), END], 2 * 65535 + 1),
        ([read(), END], RETIRE),
        ([read(), nop(20), END], 22),
        ([read(count=10, interval=7), END], 63 + RETIRE),
        ([read(), repeat(3, 50), END], 150 + RETIRE),
    ],
)
def test_cycle_counts(words, cycles):
    program = Program(NANO)
    program.raw("MEM_E7", *words)
    assert program.run() == cycles
    assert program.machine.run() == cycles


def test_cycle_count_is_that_of_the_last_queue():
    program = Program(NANO)
    program.raw("MEM_E7", nop(9), END)
    program.raw("C2C_1", nop(99), END)
    program.raw("VXM_0", END)
    program.raw("VXM_1")
    assert program.run() == 100


@pytest.mark.parametrize("name", PRESETS)
def test_nothing_takes_no_time(name):
    machine = Machine(preset(name))
    assert machine.run() == 0
    machine.set_queues({0: []})
    assert machine.run() == 0


@pytest.mark.parametrize(
    "words,cycle",
    [
        ([nop(5)], 5),
        ([read()], 1),
        ([read(), read()], 2),
        ([read(), repeat(2, 7)], 15),
        ([read(count=100)], 1),
    ],
)
def test_underrun(words, cycle):
    program = Program(NANO)
    program.raw("MEM_E3", *words)
    program.fails(cycle, "MEM_E3", FaultKind.UNDERRUN)


@pytest.mark.parametrize(
    "words,cycle",
    [
        ([repeat(1, 1)], 0),
        ([nop(6), repeat(1, 1)], 6),
        ([read(), nop(1), repeat(1, 1)], 2),
        ([read(), repeat(0, 1)], 1),
        ([read(), repeat(1, 0)], 1),
        ([read(), repeat(2, 3), repeat(0, 1)], 7),
        ([nop(0)], 0),
        ([read(count=0)], 0),
        ([read(), read(interval=0)], 1),
        ([nop(3), read(stream=16)], 3),
        ([read(addr=512)], 0),
        ([encode("LW", count=1)], 0),
        ([encode("GATHER")], 0),
        ([encode("IFETCH")], 0),
        ([encode("NOTIFY"), repeat(1, 1)], 1),
        ([63], 0),
        ([7], 0),
    ],
)
def test_illegal(words, cycle):
    program = Program(NANO)
    program.raw("MEM_E3", *words, END)
    program.fails(cycle, "MEM_E3", FaultKind.ILLEGAL)


def test_words_of_other_units_and_columns():
    for name, word in (
        ("VXM_1", encode("MUL", dtype=2, out_dtype=2, a_src=3, b_src=3)),
        ("VXM_2", encode("ADD", dtype=4, out_dtype=4, a_src=3, b_src=3)),
        ("VXM_0", encode("EXP")),
        ("VXM_0", encode("PASS", dtype=2, out_dtype=2, a_index=2, b_src=3)),
        ("MXM_W0.W", encode("ABC", count=1, interval=1)),
        ("MXM_W0.W", encode("LW", count=3)),
        ("MXM_W0.A", encode("ABC", count=1, interval=1, dtype=3)),
        ("MXM_W0.R", encode("ACC", count=1, interval=1, stream=2)),
        ("SXM_W.SHIFT0", encode("TRANSPOSE")),
        ("SXM_W.SHIFT0", encode("SHIFT", amount=9)),
        ("SXM_W.TRANSPOSE", encode("TRANSPOSE", src=2)),
        ("SXM_E.PERMUTE", encode("DISTRIBUTE")),
        ("C2C_0", encode("SEND")),
    ):
        program = Program(NANO)
        program.raw(name, nop(4), word, END)
        program.fails(4, name, FaultKind.ILLEGAL)


def test_an_illegal_word_names_the_field():
    program = Program(NANO)
    program.raw("MEM_E3", nop(4), read(stream=31), END)
    error = program.fails(4, "MEM_E3", FaultKind.ILLEGAL)
    assert str(error).startswith("ILLEGAL at unit MEM_E3, cycle 4: READ: stream must name a stream of the machine")


def test_overrun():
    config = NANO.replace(queue_depth=16)
    program = Program(config)
    program.raw("MEM_W0", *[nop(1)] * 15, END)
    assert program.run() == 16
    for name in ("VXM_4", "MEM_E3"):
        program.raw(name, *[nop(1)] * 16, END)
    program.fails(0, "MEM_E3", FaultKind.OVERRUN)
    with pytest.raises(FaultError, match="OVERRUN at unit MEM_E3, cycle 0: 17 words for 16"):
        program.machine.run()


def test_unknown_queue():
    with pytest.raises(TaktError, match="queue must be 0 to 57, not 58"):
        Machine(NANO).set_queues({58: [END]})
