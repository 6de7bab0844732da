"""Operations with some superlanes switched off."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.geometry import units
from arch.isa.encoding import decode
from arch.presets import preset
from compiler.program import Program
from golden.machine.machine import Machine
from verif.bits import same_bits
from verif.compiler.expressions import random_values, run_golden

NANO = preset("nano")
MACHINES = [NANO, preset("nano", ["superlanes=4"]), preset("base")]
machines = pytest.mark.parametrize("config", MACHINES, ids=lambda config: f"{config.name}-{config.superlanes}")


def limits(image):
    """Return the superlanes of each queue's CONFIGs, by unit name."""
    found = {}
    for queue, words in image.queues.items():
        decoded = (decode(word) for word in words.tolist())
        found[units(image.config)[queue].name] = [
            fields["superlanes"] for row, fields in decoded if row.mnemonic == "CONFIG"
        ]
    return found


def layer(config, rng, rows=9):
    """Return a program of an operation with all superlanes, a product and a map with one, and another with all."""
    n, k, wide = config.lanes, config.lanes - 1, config.vector_length
    w = random_values(rng, "int8", k, n)
    program = Program(config)
    x, z = program.input("x", (rows, k)), program.input("z", (rows, wide), "int32")
    before = program.map(lambda a: a + 3, z)
    program.configure(1)
    product = program.matmul(x, program.constant("w", w))
    doubled = program.map(lambda a: a + a, product)
    program.configure(config.superlanes)
    after = program.map(lambda a, b: a - b, before, z)
    for name, tensor in (("product", product), ("doubled", doubled), ("after", after)):
        program.output(name, tensor)
    return program.compile(), w


@machines
def test_values(config, rng):
    image, w = layer(config, rng)
    x, z = random_values(rng, "int8", 9, config.lanes - 1), random_values(rng, "int32", 9, config.vector_length)
    found = run_golden(image, x=x, z=z)
    product = x.astype(np.int32) @ w.astype(np.int32)
    same_bits(found["product"], product)
    same_bits(found["doubled"], 2 * product)
    same_bits(found["after"], np.full_like(z, 3))


@machines
def test_words(config, rng):
    """Each queue that is used between goes to one superlane and back, whether it is used afterwards or not."""
    image, _ = layer(config, rng)
    found = limits(image)
    assert {tuple(numbers) for numbers in found.values() if numbers} == {(1, config.superlanes)}
    for kind in ("MEM", "VXM", "MXM"):
        assert any(numbers for name, numbers in found.items() if name.startswith(kind))


def test_several_stretches(rng):
    """From some superlanes to fewer, and what is not used in a stretch is left alone in it."""
    config = preset("nano", ["superlanes=4"])
    x = random_values(rng, "int32", 5, 3)
    program = Program(config)
    value = program.input("x", x.shape, "int32")
    for superlanes in (3, 1, 1, 2, 4, 2):
        program.configure(superlanes)
        value = program.map(lambda a: a * 3, value)
    program.output("y", value)
    image = program.compile()
    same_bits(run_golden(image, x=x)["y"], x * np.int32(3**6))
    assert all(numbers[-1] == 4 for numbers in limits(image).values() if numbers)


def test_text_that_streams_in(rng):
    """Whole vectors of text, although slices are limited meanwhile."""
    config = preset("nano", ["queue_depth=16"])
    x = random_values(rng, "int32", 40, 4)
    program = Program(config)
    value = program.input("x", x.shape, "int32")
    for superlanes in (2, 1, 2, 1):
        program.configure(superlanes)
        value = program.map(lambda a: a + 1, value)
    program.output("y", value)
    image = program.compile()
    words = [decode(word)[0].mnemonic for words in image.queues.values() for word in words.tolist()]
    assert "IFETCH" in words
    same_bits(run_golden(image, x=x)["y"], x + np.int32(4))


def test_text_that_is_late_does_not_switch_superlanes_on():
    """Segments have no CONFIG: a program with any is refused where its text comes late."""
    program = Program(preset("nano", ["queue_depth=32", "superlanes=4"]))
    program.configure(2)
    table, index = program.input("table", (8, 8), "int8"), program.input("index", (8,), "int32")
    program.output("y", program.gather(table, program.map(lambda a: a + 0, index)))
    with pytest.raises(TaktError, match="queue_depth must be enough for the text of"):
        program.compile()


def test_states_are_updated_with_all_superlanes(rng):
    shape = (3, NANO.vector_length)
    program = Program(NANO)
    state = program.state("total", shape, "int32")
    program.output("old", program.map(lambda a: a + 1, state))
    program.configure(1)
    program.output("y", program.map(lambda a: a + 1, program.input("x", (2, 4), "int32")))
    program.update(state, program.input("z", shape, "int32"))
    machine, image = Machine(NANO), program.compile()
    x, z = np.zeros((2, 4), np.int32), random_values(rng, "int32", *shape)
    machine.run_image(image, {"x": x, "z": z})
    found = machine.run_image(image, {"x": x, "z": z}, again=True).outputs
    same_bits(found["old"], z + np.int32(1))
    same_bits(found["y"], x + 1)


def test_all_superlanes_cost_nothing(rng):
    program = Program(preset("nano", ["superlanes=1"]))
    program.configure(1)
    program.output("y", program.map(lambda a: a + 1, program.input("x", (2, 3), "int32")))
    assert not any(limits(program.compile()).values())


def test_refusals():
    def compiled(use, superlanes=1):
        program = Program(NANO)
        program.configure(superlanes)
        program.output("y", use(program))
        return program.compile()

    for wrong in (0, 3, -1):
        with pytest.raises(TaktError, match=f"superlanes must be 1 to 2, not {wrong}"):
            Program(NANO).configure(wrong)
    with pytest.raises(TaktError, match="must be at most 4 with 1 superlanes on, not 5"):
        compiled(lambda p: p.map(lambda a: a + 1, p.input("x", (2, 5), "int32")))
    for k, n in ((5, 4), (4, 5)):
        with pytest.raises(TaktError, match="must be at most 4 with 1 superlanes on, not 5"):
            compiled(lambda p, k=k, n=n: p.matmul(p.input("x", (2, k)), np.zeros((k, n), np.int8)))
    with pytest.raises(TaktError, match="superlanes must be all 2"):
        compiled(lambda p: p.shift(p.input("x", (2, 4)), 1))
    with pytest.raises(TaktError, match="must be int8 in a program that switches superlanes off"):
        compiled(lambda p: p.matmul(p.input("x", (2, 4), "float16"), np.zeros((4, 4), np.float16)))
    with pytest.raises(TaktError, match="w of .* must be a constant or an input in a program that switches"):
        compiled(lambda p: p.matmul(p.input("x", (2, 4)), p.map(lambda a: a + a, p.input("w", (4, 4)), layout=0)))
