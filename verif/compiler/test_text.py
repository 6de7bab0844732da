"""Text of equal layers: fetched again from the same words."""

import numpy as np
import pytest

from arch.config import Config
from arch.geometry import Unit, UnitKind, units
from arch.presets import preset
from compiler.emit.ifetch.repeats import Repeats
from compiler.emit.ifetch.streamer import TextStreamer
from compiler.memory.words import Bank, Words
from compiler.program import Program
from compiler.schedule.macro import Action, Macro
from compiler.schedule.scheduler import Scheduler
from verif.bits import same_bits
from verif.compiler.expressions import random_values, run_golden

CONFIG = preset("small", ["queue_depth=128"])
LAYERS, CYCLES, ROWS = 100, 400, 110


def layered(config: Config, unit: Unit) -> Scheduler:
    """Return a scheduler with equal layers of 15 different words each, and a pause before each word."""
    scheduler = Scheduler(config)
    for layer in range(LAYERS):
        macro = Macro("layer")
        macro.actions = [
            Action(unit, "SHIFT", number * 20, {"amount": number % 4, "dst": number, "dst_dir": 1})
            for number in range(15)
        ]
        assert scheduler.place(macro, layer * CYCLES) == layer * CYCLES
    scheduler.synchronise()
    return scheduler


def words_left(config: Config, rows: int) -> Words:
    """Return the words of MEM, all taken but so many of a bank of each fourth slice."""
    words = Words(config)
    for number in range(config.slices):
        for bank in (0, 1):
            left = rows if bank and number % 4 == 0 else 0
            words.take(1, config.mem_depth - left, [Bank(number, bank)])
    return words


SHIFTER = next(unit for unit in units(CONFIG) if unit.kind is UnitKind.SXM_SHIFT)


def test_equal_layers_share_their_text():
    text = TextStreamer(CONFIG, layered(CONFIG, SHIFTER), Words(CONFIG)).fit()
    brought = (text.instructions - CONFIG.queue_depth) * 8 // CONFIG.vector_length
    assert len(text.slices) < brought / 3


def test_text_that_fits_only_if_it_is_shared():
    room = CONFIG.slices // 4 * ROWS
    brought = (LAYERS * 30 - CONFIG.queue_depth) * 8 // CONFIG.vector_length
    assert brought > 1.3 * room
    text = TextStreamer(CONFIG, layered(CONFIG, SHIFTER), words_left(CONFIG, ROWS)).fit()
    assert len(text.slices) <= room
    assert len(set(zip(text.slices.tolist(), text.addrs.tolist(), strict=True))) == len(text.slices)


@pytest.mark.parametrize(("preset_name", "depth"), [("nano", 128), ("small", 128)])
def test_programs_of_equal_layers(rng, preset_name, depth):
    config = preset(preset_name, [f"queue_depth={depth}"])
    x = random_values(rng, "int32", 16, config.vector_length)
    program = Program(config)
    value = program.input("x", x.shape, "int32")
    for _ in range(60):
        value = program.map(lambda a: a * 3 + 1, value)
    program.output("y", value)
    image = program.compile()
    expected = x
    for _ in range(60):
        expected = expected * np.int32(3) + np.int32(1)
    same_bits(run_golden(image, x=x)["y"], expected)
    hosted = sum(len(words) for words in image.queues.values())
    assert image.notes["instructions"] > 1.2 * hosted


def test_distances():
    words = [*range(100), *([1, 2, 3, 4, 5, 6, 7] * 10), *range(200, 220)]
    repeats = Repeats(words, (32, 8))
    assert repeats.distance(0) is None
    assert repeats.distance(100) == 7
    assert repeats.distance(100 + 70 - 12) is None
    assert repeats.distance(len(words)) is None
