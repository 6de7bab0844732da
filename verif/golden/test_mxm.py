"""MXM planes against NumPy's integer matrix product."""

import numpy as np
import pytest

from arch.faults import FaultKind
from arch.presets import PRESETS, preset
from verif.golden.program import Program, numbers

NANO = preset("nano")


class PlaneProgram(Program):
    """A program for one plane, `MXM_E1` or another, whose operands are injected."""

    def __init__(self, config, plane="MXM_E1"):
        super().__init__(config)
        self.plane = plane
        self.outward = self.unit(f"{plane}.W").outward
        self.inward = self.unit(f"{plane}.W").inward
        self.number = 2 * (plane[4] == "E") + int(plane[5])
        self.last = config.streams - 1

    def load(self, cycle, weights, count=None):
        """LW at `cycle`: column blocks count - 1 down to 0 of `weights` [row, column]."""
        count = count or self.config.superlanes
        lanes = self.config.lanes
        for step in range(count):
            block = lanes * (count - 1 - step)
            columns = np.ascontiguousarray(weights[:, block : block + lanes].T)
            self.inject(cycle + 1 + step, f"{self.plane}.W", self.outward, 0, columns)
        self.at(cycle, f"{self.plane}.W", "LW", stream=0, count=count)

    def feed(self, cycle, activations, interval=1, install=0):
        """ABC at `cycle` of all rows of `activations`, on the last stream."""
        for element, vector in enumerate(activations):
            self.inject(cycle + element * interval + 1, f"{self.plane}.A", self.outward, self.last, vector[None])
        fields = {"count": len(activations), "interval": interval, "install": install}
        self.at(cycle, f"{self.plane}.A", "ABC", stream=self.last, **fields)

    def collect(self, cycle, **fields):
        """ACC that takes the results of an ABC at `cycle`; return its own cycle."""
        issue = cycle + self.timing.acc_after_abc
        self.at(issue, f"{self.plane}.R", "ACC", **fields)
        return issue


def int8(rng, *shape):
    return rng.integers(-128, 128, shape).astype(np.int8)


def product(a, b):
    return (a.astype(np.int64) @ b.astype(np.int64)).astype(np.int32)


@pytest.mark.parametrize("plane", ["MXM_W0", "MXM_E1"])
@pytest.mark.parametrize("name", PRESETS)
def test_matrix_product(rng, name, plane):
    config = preset(name)
    program = PlaneProgram(config, plane)
    length = config.vector_length
    weights, activations = int8(rng, length, length), int8(rng, 7, length)
    program.load(3, weights)
    start = 3 + config.superlanes
    program.feed(start, activations, install=1)
    issue = program.collect(start, addr=1, stride=2, count=7, emit=1, stream=4)
    held = program.watch(f"{plane}.R")

    assert issue == start + config.superlanes + 2
    expected = product(activations, weights)
    assert (program.machine.accumulators(program.number)[1:15:2] == expected).all()
    assert (program.machine.weights(program.number) == weights).all()
    for element in range(7):
        assert (numbers(held, issue + 3 + element, program.inward, 4, np.int32) == expected[element]).all()


def test_cycle_count_of_the_last_result():
    program = PlaneProgram(NANO)
    program.feed(0, np.ones((5, 8), np.int8), interval=3)
    issue = program.collect(0, count=5, interval=3)
    assert program.run() == issue + 4 * 3 + 3 + NANO.superlanes


def test_extremes(rng):
    config = preset("groqchip")
    program = PlaneProgram(config)
    length = config.vector_length
    program.load(0, np.full((length, length), -128, np.int8))
    activations = np.stack([np.full(length, -128), np.full(length, 127)]).astype(np.int8)
    program.feed(config.superlanes, activations, install=1)
    program.collect(config.superlanes, count=2, stride=1)
    program.run()
    sums = program.machine.accumulators(program.number)
    assert (sums[0] == length * 128 * 128).all()
    assert (sums[1] == length * 127 * -128).all()


def test_install_without_a_bubble(rng):
    """A new weight tile for every two activations; the next load issues in the cycle of the install."""
    program = PlaneProgram(NANO)
    tiles = [int8(rng, 8, 8) for _ in range(4)]
    activations = int8(rng, 8, 8)
    for number, tile in enumerate(tiles):
        program.load(2 * number, tile)
        program.feed(2 * number + 2, activations[2 * number : 2 * number + 2], install=1)
    program.collect(2, count=8, stride=1)
    program.run()
    expected = np.concatenate([product(activations[2 * n : 2 * n + 2], tile) for n, tile in enumerate(tiles)])
    assert (program.machine.accumulators(program.number)[:8] == expected).all()


def test_activations_keep_the_installed_weights_while_others_load(rng):
    program = PlaneProgram(NANO)
    first, second = int8(rng, 8, 8), int8(rng, 8, 8)
    activations = int8(rng, 3, 8)
    program.load(0, first)
    program.feed(2, activations[:1], install=1)
    program.load(2, second)
    program.feed(7, activations[1:2])
    program.feed(9, activations[2:], install=1)
    for cycle, addr in ((2, 0), (7, 1), (9, 2)):
        program.collect(cycle, addr=addr)
    program.run()
    expected = [product(activations[:2], first), product(activations[2:], second)]
    assert (program.machine.accumulators(program.number)[:3] == np.concatenate(expected)).all()


def test_a_partial_load_keeps_the_upper_column_blocks(rng):
    config = preset("base")
    program = PlaneProgram(config)
    old, new = int8(rng, 64, 64), int8(rng, 64, 64)
    program.load(0, old)
    program.load(4, new, count=2)
    program.feed(6, int8(rng, 1, 64), install=1)
    program.collect(6)
    program.run()
    assert (program.machine.weights(program.number) == np.concatenate([new[:, :32], old[:, 32:]], axis=1)).all()


def test_a_later_install_repeats_the_buffer(rng):
    """The buffer stays after an install, from run to run too."""
    program = PlaneProgram(NANO)
    weights = int8(rng, 8, 8)
    program.load(0, weights)
    program.run()
    assert (program.machine.buffer(program.number) == weights).all()
    assert not program.machine.weights(program.number).any()
    program.clear()
    program.machine.clear_injections()
    activations = int8(rng, 1, 8)
    program.feed(0, activations, install=1)
    program.collect(0, addr=5)
    program.run()
    assert (program.machine.accumulators(program.number)[5] == product(activations, weights)).all()


def test_accumulate_wraps_and_sees_the_cycle_before(rng):
    program = PlaneProgram(NANO)
    weights = int8(rng, 8, 8)
    program.load(0, weights)
    activations = int8(rng, 6, 8)
    program.feed(2, activations, install=1)
    program.machine.accumulators(program.number)[NANO.acc_depth - 1] = 2**31 - 1
    program.machine.accumulators(program.number)[0] = -(2**31)
    # Three adds to one address by stride 0, then three by a stride that wraps.
    fields = {"addr": NANO.acc_depth - 1, "stride": 0, "count": 3, "add": 1}
    program.collect(2, **fields)
    program.collect(5, **{**fields, "addr": 0, "stride": NANO.acc_depth})
    program.run()
    sums = program.machine.accumulators(program.number).astype(np.int64)
    first, second = product(activations[:3], weights), product(activations[3:], weights)
    assert (sums[-1] == (2**31 - 1 + first.sum(axis=0, dtype=np.int64)).astype(np.int32)).all()
    assert (sums[0] == (-(2**31) + second.sum(axis=0, dtype=np.int64)).astype(np.int32)).all()


def test_emit_only_when_asked(rng):
    program = PlaneProgram(NANO)
    program.feed(0, int8(rng, 2, 8))
    program.collect(0, addr=0, emit=0)
    program.collect(1, addr=1, emit=1, stream=8)
    held = program.watch("MXM_E1.R")
    assert held.written[:, program.inward].sum() == 4


def test_planes_of_a_hemisphere_share_the_streams(rng):
    program = PlaneProgram(NANO, "MXM_W0")
    weights, activations = int8(rng, 8, 8), int8(rng, 2, 8)
    program.load(0, weights)
    program.feed(2, activations, install=1)
    program.collect(2, count=2, stride=1)
    program.at(0, "MXM_W1.W", "LW", count=2)
    program.at(2, "MXM_W1.A", "ABC", stream=program.last, count=2, install=1)
    program.at(2 + program.timing.acc_after_abc, "MXM_W1.R", "ACC", count=2, stride=1)
    program.run()
    for plane in (0, 1):
        assert (program.machine.accumulators(plane)[:2] == product(activations, weights)).all()
    assert not program.machine.accumulators(2).any()


@pytest.mark.parametrize("late", [-1, 0])
def test_install_while_weights_are_loading(rng, late):
    config = preset("base")
    program = PlaneProgram(config)
    program.load(10, int8(rng, 64, 64))
    program.feed(14 + late, int8(rng, 1, 64), install=1)
    program.collect(14 + late)
    if late:
        program.fails(14 + late + 1, "MXM_E1.A", FaultKind.OPERAND_MISSED)
    else:
        program.run()


def test_an_install_right_after_the_issue_of_a_load_is_too_early(rng):
    program = PlaneProgram(NANO)
    program.load(10, int8(rng, 8, 8))
    program.feed(11, int8(rng, 1, 8), install=1)
    program.fails(12, "MXM_E1.A", FaultKind.OPERAND_MISSED)


def test_a_load_issued_with_the_install_is_not_in_it(rng):
    program = PlaneProgram(NANO)
    program.load(10, int8(rng, 8, 8))
    program.feed(10, int8(rng, 1, 8), install=1)
    program.collect(10)
    program.run()
    assert not program.machine.weights(program.number).any()


def test_no_result_for_an_acc(rng):
    program = PlaneProgram(NANO)
    program.feed(5, int8(rng, 2, 8))
    issue = program.collect(5, count=3)
    program.fails(issue + 2 + 1, "MXM_E1.R", FaultKind.OPERAND_MISSED)


def test_no_acc_for_a_result(rng):
    program = PlaneProgram(NANO)
    program.feed(5, int8(rng, 3, 8))
    issue = program.collect(5, count=2)
    program.fails(issue + 2 + 1, "MXM_E1.R", FaultKind.OPERAND_MISSED)


def test_an_acc_a_cycle_early_finds_no_result(rng):
    program = PlaneProgram(NANO)
    program.feed(5, int8(rng, 1, 8))
    issue = program.collect(4)
    program.fails(issue + 1, "MXM_E1.R", FaultKind.OPERAND_MISSED)


def test_an_acc_a_cycle_late_has_let_its_result_pass(rng):
    program = PlaneProgram(NANO)
    program.feed(5, int8(rng, 1, 8))
    issue = program.collect(6)
    program.fails(issue, "MXM_E1.R", FaultKind.OPERAND_MISSED)


@pytest.mark.parametrize(
    "queue,mnemonic,fields,length",
    [("W", "LW", {"count": 2}, 2), ("A", "ABC", {"count": 3, "interval": 4}, 9)],
)
@pytest.mark.parametrize("early", [0, 1])
def test_busy(queue, mnemonic, fields, length, early):
    program = PlaneProgram(NANO)
    for cycle in range(40):
        program.inject(cycle, "MXM_E1.W", program.outward, 0, np.zeros((16, 8), np.uint8))
    again = 10 + length - early
    for first in (10, again):
        program.at(first, f"MXM_E1.{queue}", mnemonic, **fields)
        if queue == "A":
            program.at(first + program.timing.acc_after_abc, "MXM_E1.R", "ACC", **fields)
    if early:
        program.fails(again, f"MXM_E1.{queue}", FaultKind.BUSY)
    else:
        program.run()


def test_busy_results():
    program = PlaneProgram(NANO)
    program.feed(0, np.zeros((4, 8), np.int8))
    issue = program.collect(0, count=4)
    program.at(issue + 3, "MXM_E1.R", "ACC")
    program.fails(issue + 3, "MXM_E1.R", FaultKind.BUSY)


def test_unwritten_weights_and_activations(rng):
    program = PlaneProgram(NANO)
    program.inject(5, "MXM_E1.W", program.outward, 0, int8(rng, 4, 8))
    program.at(4, "MXM_E1.W", "LW", count=2)
    program.fails(6, "MXM_E1.W", FaultKind.UNWRITTEN)
    program = PlaneProgram(NANO)
    program.inject(5, "MXM_E1.W", program.inward, program.last, int8(rng, 1, 8))
    program.at(4, "MXM_E1.A", "ABC", stream=program.last)
    program.fails(5, "MXM_E1.A", FaultKind.UNWRITTEN)
