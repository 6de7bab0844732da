"""Queues that wait for one another."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.isa.encoding import decode
from arch.presets import preset
from arch.timing import timing
from compiler.program import Program
from verif.bits import same_bits
from verif.compiler.expressions import random_values, run_golden

MACHINES = [preset("nano"), preset("small"), preset("base")]
machines = pytest.mark.parametrize("config", MACHINES, ids=lambda config: config.name)


def build(config, barriers, shape=(9, 21)):
    """Return the image of a chain of four maps of 1 each, with barriers after some of them."""
    program = Program(config)
    value = program.input("x", shape, "int32")
    for step in range(4):
        value = program.map(lambda a: a + 1, value)
        for _ in range(barriers.count(step)):
            program.barrier()
    program.output("y", value)
    return program.compile()


def words(image, mnemonic):
    return [decode(word)[0].mnemonic for words in image.queues.values() for word in words.tolist()].count(mnemonic)


@machines
@pytest.mark.parametrize("barriers", [[0], [1, 2], [3], [0, 0]])
def test_values(config, barriers, rng):
    x = random_values(rng, "int32", 9, 21)
    image = build(config, barriers)
    same_bits(run_golden(image, x=x)["y"], x + np.int32(4))
    places = len(set(barriers))
    assert words(image, "NOTIFY") == places
    assert words(image, "SYNC") == places * (len(image.queues) - 1)


@machines
def test_cost(config):
    assert build(config, [1]).cycles >= build(config, []).cycles + timing(config).barrier
    assert words(build(config, []), "SYNC") == 0


def test_text_that_streams_in(rng):
    """Words behind a SYNC are there in time."""
    config = preset("nano", ["queue_depth=16"])
    x = random_values(rng, "int32", 40, 30)
    image = build(config, [0, 2], x.shape)
    assert words(image, "IFETCH") > 0
    same_bits(run_golden(image, x=x)["y"], x + np.int32(4))


def test_refusal():
    with pytest.raises(TaktError, match="barrier must come after an operation"):
        Program(MACHINES[0]).barrier()
