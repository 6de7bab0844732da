"""fp16 products of a pair of MXM planes."""

import numpy as np
import pytest

from arch.faults import FaultKind
from arch.formats import DType
from arch.presets import PRESETS, preset
from golden.numerics.fp16_matrix import Fp16Matrix
from verif.golden import exact_float
from verif.golden.program import Program, numbers

NANO = preset("nano")


class PairProgram(Program):
    """A program for the eastern pair, whose operands are injected."""

    def __init__(self, config=NANO):
        super().__init__(config)
        self.outward = self.unit("MXM_E0.W").outward
        self.inward = self.unit("MXM_E0.W").inward
        self.last = config.streams - 2

    def load(self, cycle, weights, plane):
        """LW at `cycle` of one plane's bytes of fp16 `weights` [row, column]."""
        lanes = self.config.lanes
        part = weights.astype("<f2").view(np.uint8).reshape(*weights.shape, 2)[:, :, plane]
        for step in range(self.config.superlanes):
            block = lanes * (self.config.superlanes - 1 - step)
            columns = np.ascontiguousarray(part[:, block : block + lanes].T)
            self.inject(cycle + 1 + step, f"MXM_E{plane}.W", self.outward, 0, columns)
        self.at(cycle, f"MXM_E{plane}.W", "LW", stream=0, count=self.config.superlanes)

    def load_both(self, cycle, weights):
        """LW of both planes, one after the other; return the first cycle in which they may be installed."""
        for plane in (0, 1):
            self.load(cycle + plane * self.config.superlanes, weights, plane)
        return cycle + 2 * self.config.superlanes

    def feed(self, cycle, activations, interval=2, **fields):
        """ABC at `cycle` of all rows of fp16 `activations`."""
        for element, vector in enumerate(activations):
            at = cycle + element * interval + 1
            self.inject_numbers(at, "MXM_E0.A", self.outward, self.last, vector.astype("<f2"))
        self.at(
            cycle,
            "MXM_E0.A",
            "ABC",
            stream=self.last,
            count=len(activations),
            interval=interval,
            dtype=DType.FP16,
            **fields,
        )

    def collect(self, cycle, **fields):
        """ACC that takes the results of an fp16 ABC at `cycle`; return its own cycle."""
        issue = cycle + self.timing.acc_after_fp16_abc
        self.at(issue, "MXM_E0.R", "ACC", **{"interval": 2, "float": 1, **fields})
        return issue

    def sums(self):
        return self.machine.accumulators(2).view(np.uint32)


def fp16(rng, *shape):
    return rng.normal(0, 3, shape).astype(np.float16)


def product(activations, weights):
    matrix = Fp16Matrix(np.ascontiguousarray(weights.T))
    return np.stack([matrix.product(vector) for vector in activations])


@pytest.mark.parametrize("name", PRESETS)
def test_matrix_product(rng, name):
    config = preset(name)
    program = PairProgram(config)
    length = config.vector_length
    weights, activations = fp16(rng, length, length), fp16(rng, 5, length)
    start = program.load_both(3, weights)
    program.feed(start, activations, install=1)
    issue = program.collect(start, addr=1, stride=2, count=5, emit=1, stream=4)
    held = program.watch("MXM_E0.R")
    expected = product(activations, weights)
    assert (program.sums()[1:11:2] == expected).all()
    reference = activations.astype(np.float64) @ weights.astype(np.float64)
    assert np.allclose(expected.view(np.float32), reference, rtol=1e-6, atol=1e-4)
    for element in range(5):
        cycle = issue + 2 * element + program.func("ACC")
        assert (numbers(held, cycle, program.inward, 4, np.uint32) == expected[element]).all()


def test_passes_add_up_in_fp32(rng):
    program = PairProgram()
    weights, activations = fp16(rng, 8, 8), fp16(rng, 6, 8)
    start = program.load_both(0, weights)
    program.feed(start, activations, install=1, interval=3)
    program.collect(start, addr=7, count=1)
    program.collect(start + 3, addr=7, count=5, interval=3, add=1)
    program.run()
    parts = product(activations, weights).tolist()
    total = parts[0]
    for part in parts[1:]:
        total = [exact_float.add(a, b) for a, b in zip(total, part, strict=True)]
    assert program.sums()[7].tolist() == total


def test_fp16_weights_are_zero_at_power_up_and_survive_int8_installs(rng):
    program = PairProgram()
    weights, activations = fp16(rng, 8, 8), fp16(rng, 2, 8)
    program.feed(0, activations[:1])
    program.collect(0, addr=0, count=1)
    start = max(program.load_both(2, weights), 6)
    program.feed(start, activations[1:], install=1)
    program.collect(start, addr=1, count=1)
    program.run()
    assert not (program.sums()[0] & 0x7FFFFFFF).any()
    # Weights of int8 ABCs are others.
    assert not program.machine.weights(2).any()
    program.clear()
    program.machine.clear_injections()
    program.inject(1, "MXM_E0.W", program.outward, 0, np.zeros((4, 8), np.int8))
    program.inject(2, "MXM_E0.W", program.outward, 0, np.zeros((4, 8), np.int8))
    program.at(0, "MXM_E0.W", "LW", stream=0, count=2)
    program.inject(4, "MXM_E0.A", program.outward, 0, np.ones((1, 8), np.int8))
    program.at(3, "MXM_E0.A", "ABC", stream=0, install=1)
    program.at(3 + program.timing.acc_after_abc, "MXM_E0.R", "ACC", addr=3)
    program.feed(4, activations[1:])
    program.collect(4, addr=2, count=1)
    program.run()
    assert (program.sums()[2] == program.sums()[1]).all()


def test_install_without_a_bubble(rng):
    """A new weight tile for every two vectors; both planes load it, in turn, while the one before is used."""
    program = PairProgram()
    tiles, activations = [fp16(rng, 8, 8) for _ in range(3)], fp16(rng, 6, 8)
    for number, tile in enumerate(tiles):
        assert program.load_both(4 * number, tile) == 4 * number + 4
        program.feed(4 * number + 4, activations[2 * number : 2 * number + 2], install=1)
    program.collect(4, count=6, stride=1)
    program.run()
    expected = [product(activations[2 * n : 2 * n + 2], tile) for n, tile in enumerate(tiles)]
    assert (program.sums()[:6] == np.concatenate(expected)).all()


@pytest.mark.parametrize("plane", [0, 1])
@pytest.mark.parametrize("late", [-1, 0])
def test_install_while_one_plane_is_loading(rng, plane, late):
    program = PairProgram()
    program.load(10, fp16(rng, 8, 8), plane)
    program.feed(12 + late, fp16(rng, 1, 8), install=1)
    program.collect(12 + late, count=1)
    if late:
        program.fails(12, "MXM_E0.A", FaultKind.OPERAND_MISSED)
    else:
        program.run()


@pytest.mark.parametrize("other", ["MXM_E0", "MXM_E1"])
@pytest.mark.parametrize("early", [0, 1])
def test_an_fp16_element_occupies_both_planes_for_two_cycles(rng, other, early):
    program = PairProgram()
    program.feed(10, fp16(rng, 2, 8), interval=3)
    for element in (10, 13):
        program.collect(element, count=1)
    issue = 15 - early
    program.inject(issue + 1, "MXM_E0.A", program.outward, 0, np.ones((1, 8), np.int8))
    program.at(issue, f"{other}.A", "ABC", stream=0)
    if not early:
        program.at(issue + program.timing.acc_after_abc, f"{other}.R", "ACC")
    if early:
        program.fails(issue, f"{other}.A", FaultKind.BUSY)
    else:
        program.run()


@pytest.mark.parametrize("issue,busy", [(7, None), (8, "MXM_E0.A"), (10, "MXM_E0.A"), (11, "MXM_E1.A")])
def test_the_other_plane_must_be_idle(rng, issue, busy):
    program = PairProgram()
    for element in range(3):
        program.inject(issue + 1 + element, "MXM_E0.A", program.outward, 0, np.ones((1, 8), np.int8))
    program.at(issue, "MXM_E1.A", "ABC", stream=0, count=3)
    program.at(issue + program.timing.acc_after_abc, "MXM_E1.R", "ACC", count=3)
    program.feed(10, fp16(rng, 2, 8))
    program.collect(10, count=2)
    if busy:
        program.fails(max(issue, 10), busy, FaultKind.BUSY)
    else:
        program.run()


def test_formats_of_results_are_told_apart(rng):
    for first, takes_float in (("fp16", 0), ("int8", 1)):
        program = PairProgram()
        if first == "fp16":
            program.feed(5, fp16(rng, 1, 8))
            issue = 5 + program.timing.acc_after_fp16_abc
        else:
            program.inject(6, "MXM_E0.A", program.outward, 0, np.ones((1, 8), np.int8))
            program.at(5, "MXM_E0.A", "ABC", stream=0)
            issue = 5 + program.timing.acc_after_abc
        program.at(issue, "MXM_E0.R", "ACC", float=takes_float, interval=2)
        program.fails(issue + 1, "MXM_E0.R", FaultKind.OPERAND_MISSED)


def test_a_result_without_acc_is_missed_before_the_run_ends(rng):
    for config in (preset("small"), NANO):
        program = PairProgram(config)
        program.feed(5, fp16(rng, 1, config.vector_length))
        program.fails(5 + program.timing.acc_after_fp16_abc + 1, "MXM_E0.R", FaultKind.OPERAND_MISSED)
