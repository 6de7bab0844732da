"""MEM slices and the way of a value across the chip."""

import numpy as np
import pytest

from arch.faults import FaultKind
from arch.geometry import Direction
from arch.presets import PRESETS, preset
from verif.golden.program import Program, numbers

NANO = preset("nano")


def words(rng, program, count):
    return rng.integers(0, 256, (count, program.config.vector_length)).astype(np.uint8)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("eastward", [True, False])
def test_copy_across_the_chip(rng, name, eastward):
    program = Program(preset(name))
    last = program.config.mem_slices - 1
    source, target = (f"MEM_W{last}", f"MEM_E{last}") if eastward else (f"MEM_E{last}", f"MEM_W{last}")
    data = words(rng, program, 9)
    program.machine.mem(program.unit(source).id)[5:14] = data
    read, write = {"addr": 5, "stride": 1, "count": 9}, {"addr": 30, "stride": -3, "count": 9}
    issue = program.copy(source, target, 4, stream=7, read=read, write=write)

    # READ at 4, d_func 2 + sram_latency, one cycle per position, then WRITE's own read one cycle after its issue.
    hops = 2 * program.config.mem_hops
    assert issue == 4 + 2 + program.config.sram_latency + hops - 1
    # Nine elements, and one cycle to write plus the stagger.
    assert program.run() == issue + 8 + 1 + program.config.superlanes
    got = program.machine.read([program.unit(target).id] * 9, range(30, 3, -3))
    assert (got == data).all()


def test_a_read_appears_position_by_position(rng):
    program = Program(NANO)
    data = words(rng, program, 3)
    program.machine.mem(program.unit("MEM_W0").id)[:3] = data
    program.at(2, "MEM_W0", "READ", dir=Direction.WEST, stream=5, stride=1, count=3, interval=4)
    start = 2 + 2 + NANO.sram_latency
    for name, distance in (("MEM_W0", 0), ("MEM_W2", 1), ("MXM_W0.W", 5), ("C2C_0", 6)):
        held = program.watch(name, cycles=40)
        due = [start + distance + 4 * element for element in range(3)]
        assert np.flatnonzero(held.written.any(axis=(1, 2))).tolist() == due
        assert (held.values[due, Direction.WEST, 5] == data).all()
        assert held.values.sum() == data.sum(dtype=np.int64)


def test_addresses_wrap_over_both_banks(rng):
    program = Program(NANO)
    size = 2 * NANO.mem_depth
    data = words(rng, program, size)
    program.machine.mem(0)[:] = data
    program.copy(
        "MEM_W0", "MEM_E0", 0, read={"addr": size - 2, "stride": 3, "count": 4}, write={"stride": 1, "count": 4}
    )
    program.run()
    assert (program.machine.mem(NANO.mem_slices)[:4] == data[[size - 2, 1, 4, 7]]).all()


def test_a_longest_stride_wraps(rng):
    program = Program(NANO)
    data = words(rng, program, 2 * NANO.mem_depth)
    program.machine.mem(0)[:] = data
    program.copy("MEM_W0", "MEM_E0", 0, read={"addr": 1, "stride": -1024, "count": 3}, write={"stride": 1, "count": 3})
    program.run()
    assert (program.machine.mem(NANO.mem_slices)[:3] == data[1]).all()


def test_a_write_is_seen_by_a_read_one_cycle_later(rng):
    program = Program(NANO)
    old, new = words(rng, program, 2)
    program.machine.mem(0)[9] = old
    program.inject(4, "MEM_W0", Direction.EAST, 0, new[None])
    program.at(3, "MEM_W0", "WRITE", addr=9)
    program.at(4, "MEM_W0", "READ", dir=Direction.EAST, stream=1, addr=9)
    held = program.watch("MEM_W0")
    assert (numbers(held, 4 + program.func("READ"), Direction.EAST, 1, np.uint8) == new).all()


@pytest.mark.parametrize("read_addr,write_addr,conflict", [(0, 255, True), (256, 511, True), (3, 400, False)])
def test_banks(rng, read_addr, write_addr, conflict):
    program = Program(NANO)
    data = words(rng, program, 6)
    for cycle in range(6):
        program.inject(4 + cycle, "MEM_E3", Direction.WEST, 0, data[cycle][None])
    program.at(3, "MEM_E3", "WRITE", dir=Direction.WEST, addr=write_addr, stride=-1, count=6)
    program.at(5, "MEM_E3", "READ", dir=Direction.WEST, stream=1, addr=read_addr, stride=1, count=2)
    if conflict:
        program.fails(6, "MEM_E3", FaultKind.BANK_CONFLICT)
    else:
        program.run()
        assert (program.machine.mem(NANO.mem_slices + 3)[write_addr : write_addr - 6 : -1] == data).all()


def test_a_conflict_comes_with_the_element_that_has_it():
    program = Program(NANO)
    for cycle in range(8):
        program.inject(1 + cycle, "MEM_W1", Direction.EAST, 0, np.ones((1, NANO.vector_length), np.uint8))
    program.at(0, "MEM_W1", "WRITE", addr=250, stride=1, count=8)
    program.at(1, "MEM_W1", "READ", stream=1, addr=500, count=8, stride=1)
    # The write goes on to bank 1 at its element 6, in cycle 7.
    program.fails(7, "MEM_W1", FaultKind.BANK_CONFLICT)


@pytest.mark.parametrize("mnemonic", ["READ", "WRITE"])
@pytest.mark.parametrize("early", [0, 1])
def test_busy_until_the_last_element(mnemonic, early):
    program = Program(NANO)
    for cycle in range(4, 24):
        program.inject(cycle, "MEM_W2", Direction.EAST, 0, np.zeros((1, NANO.vector_length), np.uint8))
    program.at(3, "MEM_W2", mnemonic, count=4, interval=3)
    again = 3 + 3 * 3 + 1 - early
    program.at(again, "MEM_W2", mnemonic, count=2)
    if mnemonic == "READ":
        program.machine.clear_injections()
    if early:
        program.fails(again, "MEM_W2", FaultKind.BUSY)
    else:
        program.run()


def test_engines_of_a_slice_are_independent(rng):
    program = Program(NANO)
    data = words(rng, program, 8)
    for cycle in range(8):
        program.inject(1 + cycle, "MEM_W0", Direction.EAST, 0, data[cycle][None])
    program.at(0, "MEM_W0", "WRITE", addr=0, stride=1, count=8)
    program.at(1, "MEM_W0", "READ", stream=1, addr=256, count=8)
    program.run()
    assert (program.machine.mem(0)[:8] == data).all()


def test_cont_goes_on_where_the_engine_stopped(rng):
    program = Program(NANO)
    data = words(rng, program, 40)
    program.machine.mem(0)[:40] = data
    # 4, 6, 8 | 10, 11 | 12, 13 and nothing of the writes in between.
    program.at(0, "MEM_W0", "READ", stream=1, addr=4, stride=2, count=3)
    program.at(4, "MEM_W0", "READ", stream=1, addr=99, stride=1, count=2, cont=1)
    program.inject(6, "MEM_W0", Direction.EAST, 0, data[:1])
    program.at(5, "MEM_W0", "WRITE", addr=300)
    program.at(9, "MEM_W0", "READ", stream=1, addr=99, stride=1, count=2, cont=1)
    held = program.watch("MEM_W0")
    out = held.values[held.written[:, Direction.EAST, 1], Direction.EAST, 1]
    assert (out == data[[4, 6, 8, 10, 11, 12, 13]]).all()


def test_cont_starts_at_0_in_every_run(rng):
    program = Program(NANO)
    data = words(rng, program, 4)
    program.machine.mem(0)[:4] = data
    program.at(0, "MEM_W0", "READ", stream=1, addr=99, stride=1, count=2, cont=1)
    for _ in range(2):
        held = program.watch("MEM_W0")
        out = held.values[held.written[:, Direction.EAST, 1], Direction.EAST, 1]
        assert (out == data[:2]).all()


def test_slices_with_different_rhythms(rng):
    """Bursts of many slices that start, pause and end at different times, against one sum per element."""
    program = Program(NANO)
    expected = []
    for index in range(8):
        data = words(rng, program, 2 * NANO.mem_depth)
        slice_ = program.unit(f"MEM_E{index}").id
        program.machine.mem(slice_)[:] = data
        issue = int(rng.integers(0, 6))
        for _ in range(4):
            count, interval = int(rng.integers(1, 6)), int(rng.integers(1, 5))
            addr, stride = int(rng.integers(0, 512)), int(rng.integers(-1024, 1024))
            fields = {"addr": addr, "stride": stride, "count": count, "interval": interval}
            program.at(issue, f"MEM_E{index}", "READ", dir=Direction.WEST, stream=index, **fields)
            for element in range(count):
                # At the VXM, one position for every pair of slices further on.
                cycle = issue + element * interval + program.func("READ") + 1 + index // 2
                expected.append((cycle, index, data[(addr + element * stride) % 512]))
            issue += (count - 1) * interval + 1 + int(rng.integers(0, 4))
    held = program.watch("VXM_0", cycles=120)
    assert held.written.sum() == len(expected)
    for cycle, stream, value in expected:
        assert (held.values[cycle, Direction.WEST, stream] == value).all(), (cycle, stream)
