import random

import numpy as np
import pytest

from arch.geometry import UnitKind, units
from arch.image import Image
from arch.isa.encoding import decode, encode
from arch.presets import preset
from compiler.verifier.walks import Walks
from runtime.gemm import blank_gemm, compile_gemm
from runtime.timetable import Activity, activities

CONFIG = preset("nano")
MEM, VXM = (next(unit.id for unit in units(CONFIG) if unit.kind is kind) for kind in (UnitKind.MEM, UnitKind.VXM))


def image_of(queue: int, words: list[int]) -> Image:
    nothing = np.zeros(0, np.int32)
    return Image(
        config=CONFIG,
        queues={queue: np.array(words, np.uint64)},
        constant_slices=nothing,
        constant_addrs=nothing,
        constant_words=np.zeros((0, CONFIG.vector_length), np.uint8),
        inputs=(),
        outputs=(),
        cycles=0,
    )


def elements(activity: Activity) -> list[int]:
    return [activity.start + number * activity.interval for number in range(activity.elements)]


def issues_by_stepping(words: list[int]) -> list[tuple[int, int]]:
    """(cycle, word) of every issue, word by word as machine.md section 3 says."""
    cycle = issued = word_again = 0
    found: list[tuple[int, int]] = []
    for word in words:
        row, fields = decode(word)
        if row.mnemonic == "END":
            return found
        if row.mnemonic == "NOP":
            cycle += fields["count"]
        elif row.mnemonic == "REPEAT":
            for _ in range(fields["count"]):
                issued += fields["interval"]
                found.append((issued, word_again))
            cycle = issued + 1
        else:
            issued, word_again = cycle, word
            found.append((issued, word_again))
            cycle += 1
    return found


def random_words(rng: random.Random, queue: int) -> list[int]:
    words = []
    for _ in range(rng.randint(1, 12)):
        if rng.random() < 0.5:
            words.append(encode("NOP", count=rng.randint(1, 5)))
        if queue == VXM:
            words.append(encode("RELU", dst=rng.randint(0, 3)))
        else:
            words.append(encode("READ", addr=rng.randint(0, 9), count=rng.randint(1, 3), interval=rng.randint(1, 2)))
        for _ in range(rng.choice((0, 0, 1, 2))):
            words.append(encode("REPEAT", count=rng.randint(1, 4), interval=rng.randint(1, 3)))
    return [*words, encode("END"), encode("RELU")]


@pytest.mark.parametrize("queue", [MEM, VXM])
@pytest.mark.parametrize("seed", range(20))
def test_elements_are_in_the_cycles_in_which_words_issue(queue, seed):
    words = random_words(random.Random(seed), queue)
    expected = []
    for cycle, word in issues_by_stepping(words):
        fields = decode(word)[1]
        count, interval = fields.get("count", 1), fields.get("interval", 1)
        expected += [(cycle + number * interval, word) for number in range(count)]
    found = [(cycle, a.word) for a in activities(image_of(queue, words)) for cycle in elements(a)]
    assert sorted(found) == sorted(expected), f"seed {seed}"


def test_a_repeated_word_of_one_element_is_one_activity():
    words = [encode("RELU"), encode("REPEAT", count=99, interval=2), encode("END")]
    (activity,) = activities(image_of(VXM, words))
    assert (activity.start, activity.elements, activity.interval, activity.stop) == (0, 100, 2, 199)


def test_words_of_fetched_text_are_known():
    image = compile_gemm(CONFIG.replace(queue_depth=16), blank_gemm(64, 64, 64, "int8"), None)
    host = {int(word) for words in image.queues.values() for word in words}
    known = {word for walk in Walks(image).by_queue.values() for word in walk.words}
    performed = {activity.word for activity in activities(image)}
    assert performed - host
    assert performed <= known
