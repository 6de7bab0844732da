"""GATHER and SCATTER against sums over lanes."""

import numpy as np
import pytest

from arch.faults import FaultKind
from arch.geometry import Direction
from arch.isa.mem_rows import gather_accesses, scatter_accesses
from arch.presets import PRESETS, preset
from verif.golden.program import Program, numbers

NANO = preset("nano")
EAST = Direction.EAST


def indices(rng, program, cycle, name, stream=0):
    """Inject random indices, and return them as numbers per lane."""
    found = rng.integers(0, 1 << 16, program.config.vector_length).astype("<u2")
    program.inject_numbers(cycle, name, EAST, stream, found)
    return found.astype(int)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("addr", [0, 9, -3])
def test_gather(rng, name, addr):
    program = Program(preset(name))
    depth = program.config.mem_depth
    addr %= 2 * depth
    words = rng.integers(0, 256, (2 * depth, program.config.vector_length)).astype(np.uint8)
    program.machine.mem(0)[:] = words
    accesses = gather_accesses(program.config)
    fields = {"stream": 5, "addr": addr, "count": 3, "interval": accesses + 1, "map": 2}
    program.at(4, "MEM_W0", "GATHER", **fields)
    maps = [indices(rng, program, 5 + k * (accesses + 1), "MEM_W0", 2) for k in range(3)]
    held = program.watch("MEM_W0")
    for k, index in enumerate(maps):
        got = numbers(held, 4 + program.func("GATHER") + k * (accesses + 1), EAST, 5, np.uint8)
        expected = [words[addr // depth * depth + (addr + i) % depth, lane] for lane, i in enumerate(index)]
        assert (got == expected).all()


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("addr", [0, 9, -3])
def test_scatter(rng, name, addr):
    program = Program(preset(name))
    depth, length = program.config.mem_depth, program.config.vector_length
    addr %= 2 * depth
    words = rng.integers(0, 256, (2 * depth, length)).astype(np.uint8)
    program.machine.mem(3)[:] = words
    accesses = scatter_accesses(program.config)
    program.at(4, "MEM_W3", "SCATTER", stream=5, addr=addr, count=2, interval=accesses, map=2)
    for k in range(2):
        index = indices(rng, program, 5 + k * accesses, "MEM_W3", 2)
        data = rng.integers(0, 256, length).astype(np.uint8)
        program.inject(5 + k * accesses, "MEM_W3", EAST, 5, data[None])
        for lane, i in enumerate(index):
            words[addr // depth * depth + (addr + i) % depth, lane] = data[lane]
    assert program.run() == 4 + accesses + program.timing["SCATTER"].retire
    assert (program.machine.mem(3) == words).all()


@pytest.mark.parametrize("mnemonic,plain", [("GATHER", "WRITE"), ("SCATTER", "READ")])
@pytest.mark.parametrize("bank", [0, 1])
@pytest.mark.parametrize("edge", ["before", "first", "last", "after"])
def test_bank_conflict(rng, mnemonic, plain, bank, edge):
    program = Program(NANO)
    accesses = {"GATHER": gather_accesses, "SCATTER": scatter_accesses}[mnemonic](NANO)
    for cycle in range(40):
        program.inject(cycle, "MEM_W0", EAST, 0, rng.integers(0, 256, (4, NANO.vector_length)).astype(np.uint8))
    program.at(10, "MEM_W0", mnemonic, stream=2 if plain == "READ" else 5, addr=7, count=1, interval=accesses)
    cycle = {"before": 10, "first": 12, "last": 11 + accesses, "after": 12 + accesses}[edge]
    program.at(cycle - 1, "MEM_W0", plain, stream=3, dir=Direction.WEST if plain == "READ" else EAST, addr=256 * bank)
    if bank == 0 and edge in ("first", "last"):
        program.fails(cycle, "MEM_W0", FaultKind.BANK_CONFLICT)
    else:
        program.run()


@pytest.mark.parametrize("first,second", [("GATHER", "SCATTER"), ("SCATTER", "GATHER")])
def test_gather_and_scatter_of_one_bank(first, second):
    for bank in range(2):
        program = Program(NANO)
        for cycle in (11, 14):
            program.inject(cycle, "MEM_W0", EAST, 0, np.zeros((4, NANO.vector_length), np.uint8))
        program.at(10, "MEM_W0", first, stream=2, addr=7, count=1, interval=12)
        program.at(13, "MEM_W0", second, stream=2, addr=256 * bank, count=1, interval=12)
        if bank == 0:
            program.fails(15, "MEM_W0", FaultKind.BANK_CONFLICT)
        else:
            program.run()


@pytest.mark.parametrize("following", ["GATHER", "READ"])
@pytest.mark.parametrize("early", [0, 1])
def test_busy(following, early):
    program = Program(NANO)
    for cycle in range(40):
        program.inject(cycle, "MEM_W0", EAST, 0, np.zeros((2, NANO.vector_length), np.uint8))
    program.at(3, "MEM_W0", "GATHER", stream=2, count=2, interval=7)
    again = 3 + 7 + NANO.lanes + 3 - early
    program.at(again, "MEM_W0", following, stream=3, **({"count": 1, "interval": 7} if following == "GATHER" else {}))
    if early:
        program.fails(again, "MEM_W0", FaultKind.BUSY)
    else:
        program.run()


def test_cont_after_a_gather(rng):
    program = Program(NANO)
    data = rng.integers(0, 256, (20, NANO.vector_length)).astype(np.uint8)
    program.machine.mem(0)[:20] = data
    program.inject(1, "MEM_W0", EAST, 0, np.zeros((2, NANO.vector_length), np.uint8))
    program.at(0, "MEM_W0", "GATHER", stream=2, addr=11, count=1, interval=4)
    program.at(9, "MEM_W0", "READ", stream=2, cont=1, stride=3, count=2)
    held = program.watch("MEM_W0")
    out = held.values[held.written[:, EAST, 2], EAST, 2]
    assert (out == data[[11, 11, 14]]).all()


@pytest.mark.parametrize("missing", ["low", "high", "data"])
def test_unwritten(missing):
    program = Program(NANO)
    for stream, name in ((0, "low"), (1, "high"), (2, "data")):
        if name != missing:
            program.inject(6, "MEM_W0", EAST, stream, np.zeros((1, NANO.vector_length), np.uint8))
    program.at(5, "MEM_W0", "SCATTER", stream=2, count=1, interval=12)
    program.fails(6, "MEM_W0", FaultKind.UNWRITTEN)
