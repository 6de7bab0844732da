"""States: values that a run leaves to the next one."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.presets import preset
from compiler.expression.functions import add, maximum
from compiler.program import Program
from golden.machine.machine import Machine
from runtime.backend import make_backend
from verif.bits import same_bits
from verif.compiler.expressions import random_values, run_golden

NANO = preset("nano")


@pytest.mark.parametrize("dtype", ["int8", "float32"])
@pytest.mark.parametrize("preset_name", ["nano", "small"])
@pytest.mark.parametrize("late", [False, True], ids=["read before", "read later"])
def test_running_sum(late, preset_name, dtype, rng):
    """The pass that makes the next value writes it to the state, unless something reads the state later."""
    program = Program(preset(preset_name), "sum")
    x = program.input("x", (9, 11), dtype)
    initial = random_values(rng, dtype, 9, 11)
    total = program.state("total", (9, 11), dtype, initial)
    old = None if late else program.map(lambda a: maximum(a, 0), total)
    following = program.map(lambda a, b: a + b, total, x)
    program.update(total, following)
    program.output("old", program.map(lambda a: maximum(a, 0), total) if old is None else old)
    program.output("new", following)
    image = program.compile()
    machine = Machine(image.config)
    expected = initial
    for run in range(4):
        values = random_values(rng, dtype, 9, 11)
        result = machine.run_image(image, {"x": values}, again=run > 0)
        assert result.cycles == image.cycles
        same_bits(result.outputs["old"], np.maximum(expected, 0))
        expected = (expected + values).astype(dtype)
        same_bits(result.outputs["new"], expected)
    again = machine.run_image(image, {"x": initial})
    same_bits(again.outputs["old"], np.maximum(initial, 0))


@pytest.mark.parametrize("config", [NANO, preset("small"), preset("base")], ids=lambda config: config.name)
@pytest.mark.parametrize("dtype", ["float16", "int32"])
def test_a_long_state_changes_on_the_way(config, dtype, rng):
    """The words of a state are written while others of it are read, in one pass."""
    rows = 150
    program, initial = Program(config, "largest"), random_values(rng, dtype, rows, 5)
    x, state = program.input("x", (rows, 5), dtype), program.state("s", (rows, 5), dtype, initial)
    program.output("old", program.reduce(state, "max", 0))
    following = program.map(maximum, state, x, dtype=dtype)
    program.update(state, following)
    image = program.compile()
    alone = Program(config, "alone")
    # A vector per cycle, as of a state, which lies in one place.
    alone.output("old", alone.reduce(alone.input("s", (rows, 5), dtype), "max", 0, in_turn=False))
    if dtype == "float16" or config is not NANO:  # which has too few slices on a side for two of each byte
        assert image.cycles < alone.compile().cycles + rows + 100
    machine, expected = Machine(config), initial
    for run in range(3):
        values = random_values(rng, dtype, rows, 5)
        result = machine.run_image(image, {"x": values}, again=run > 0)
        assert result.cycles == image.cycles
        same_bits(result.outputs["old"], expected.max(axis=0).astype(np.int32 if dtype == "int32" else np.float32))
        expected = np.maximum(expected, values)


def test_states_that_exchange_values_and_products_that_read_them(rng):
    program = Program(NANO, "exchange")
    a, b = (program.state(name, (4, 8), "int8", random_values(rng, "int8", 4, 8)) for name in "ab")
    w = random_values(rng, "int8", 8, 8)
    y = program.matmul(a, program.constant("w", w))
    program.update(a, b)
    program.update(b, a)
    program.output("y", y)
    program.output("a", a)
    image = program.compile()
    results = make_backend("golden").run(image, [{}, {}, {}])
    first, second = np.asarray(a.data), np.asarray(b.data)
    for result in results:
        same_bits(result.outputs["y"], first.astype(np.int32) @ w.astype(np.int32))
        first, second = second, first
        same_bits(result.outputs["a"], first)


def test_refusals():
    program = Program(NANO, "wrong")
    state = program.state("s", (4, 8), "int16")
    x = program.input("x", (4, 8), "int16")
    program.output("y", program.map(add, state, x))
    with pytest.raises(TaktError, match="state must be updated, not 's' left as it is"):
        program.compile()
    with pytest.raises(TaktError, match="update must be of a state of this program, not of 'x'"):
        program.update(x, state)
    with pytest.raises(TaktError, match=r"update of s must be int16 of shape \(4, 8\), not int16 of shape \(3, 8\)"):
        program.update(state, x[:3])
    program.update(state, x)
    with pytest.raises(TaktError, match="state must be updated once"):
        program.update(state, x)
    with pytest.raises(TaktError, match=r"initial value of t must be int8 of shape \(2,\)"):
        program.state("t", (2,), "int8", np.zeros(3, np.int8))


def test_a_value_goes_to_its_state_without_a_pass_of_its_own():
    """Unless it has so many vectors that it would be written while it is read."""

    def cycles(late):
        program = Program(NANO)
        x, total = program.input("x", (6, 8), "int32"), program.state("total", (6, 8), "int32")
        following = program.map(lambda a, b: a + b, total, x)
        program.update(total, following)
        program.output("y", following)
        if late:
            program.output("old", program.map(lambda a: a + 0, total))
        return program.compile().cycles

    assert cycles(False) < 30 < cycles(True)


def test_readers_of_all_slices_share_a_state(rng):
    """Four streams of four bytes each read all slices; the next four read other vectors of the state, from the same."""
    initial = rng.integers(-99, 99, (27, 27)).astype(np.int32)
    program = Program(NANO, "transposed")
    state, x = program.state("s", initial.shape, "int32", initial), program.input("x", initial.shape, "int32")
    program.output("turned", program.switch_transpose(state))
    program.update(state, x)
    lanes = NANO.lanes
    tiles = np.pad(initial, ((0, 1), (0, 1))).reshape(-1, lanes, 28 // lanes, lanes)
    found = run_golden(program.compile(), x=initial[::-1])["turned"]
    same_bits(found[:, :28], tiles.transpose(0, 3, 2, 1).reshape(28, 28))


@pytest.mark.parametrize("config", [NANO, preset("small"), preset("base")], ids=lambda config: config.name)
@pytest.mark.parametrize("dtype", ["int8", "float16", "int32"])
def test_no_byte_of_a_state_changes_before_it_is_read(config, dtype, rng):
    """Bytes in slices that are nearer to the ALU are written sooner than others: none before the last read of all."""
    initial = rng.integers(-9, 9, 2).astype(dtype)
    program = Program(config)
    state = program.state("s", initial.shape, dtype, initial)
    # The last read comes late, since the smallest element has to be known, and the next value is there long before.
    program.output("where", program.argmin(state, axis=0, keepdims=True))
    program.update(state, program.map(lambda a: a + a, state, dtype=dtype))
    same_bits(run_golden(program.compile())["where"], np.argmin(initial, keepdims=True).astype(np.int32))
