"""Timetables made by hand or damaged, and what verifier and golden machine say to them."""

import numpy as np

from arch.config import Config
from arch.faults import FaultError
from arch.geometry import units
from arch.image import Image
from arch.isa.encoding import encode, row_of
from arch.isa.timeline import queue_words
from compiler.verifier.verify import verify
from golden.machine.machine import Machine

Verdict = int | tuple[int, int, int]
Queues = dict[int, np.ndarray]


def image_of(config: Config, queues: Queues) -> Image:
    """Return an image that has nothing but queues."""
    numbers = np.zeros(0, np.int32)
    words = np.zeros((0, config.vector_length), np.uint8)
    return Image(config, queues, numbers, numbers, words, (), (), 0)


def timetable(config: Config, *lines: tuple, raw: dict[str, list[int]] | None = None) -> Image:
    """Return an image of lines ``(cycle, unit name, mnemonic, fields)``, and of `raw` words of further units.

    Count and interval of a burst are 1 where they are not given.
    """
    numbers = {unit.name: unit.id for unit in units(config)}
    timelines: dict[int, list[tuple[int, int]]] = {}
    for cycle, name, mnemonic, fields in lines:
        burst = {"count": 1, "interval": 1} if mnemonic in ("READ", "WRITE", "ABC", "ACC") else {}
        timelines.setdefault(numbers[name], []).append((cycle, encode(mnemonic, **{**burst, **fields})))
    queues = {queue: np.array(queue_words(timeline), np.uint64) for queue, timeline in timelines.items()}
    queues |= {numbers[name]: np.array(words, np.uint64) for name, words in (raw or {}).items()}
    return image_of(config, queues)


def verified(image: Image) -> Verdict:
    """Return the verifier's cycles or fault."""
    try:
        return verify(image)
    except FaultError as error:
        return error.fault.key


def golden(image: Image) -> Verdict:
    """Return the golden machine's cycles or fault."""
    machine = Machine(image.config)
    try:
        machine.set_queues(image.queues)
        return machine.run()
    except FaultError as error:
        return error.fault.key


def damage(rng: np.random.Generator, queues: Queues) -> Queues:
    """Return queues with one or two random changes."""
    damaged = dict(queues)
    names = sorted(damaged)
    for _ in range(int(rng.integers(1, 3))):
        queue = int(rng.choice(names))
        words = damaged[queue].tolist()
        place = int(rng.integers(len(words)))
        match int(rng.integers(7)):
            case 0:
                words[place] ^= 1 << int(rng.integers(64))
            case 1:
                del words[place]
            case 2:
                words.insert(place, words[place])
            case 3:
                words.insert(place, encode("NOP", count=int(rng.integers(1, 5))))
            case 4:
                count, interval = rng.integers(1, 9, 2).tolist()
                words.insert(place, encode("REPEAT", count=count, interval=interval))
            case 5:
                words[place] = _other_field(rng, words[place])
            case _:
                other = damaged[int(rng.choice(names))].tolist()
                words.insert(place, other[int(rng.integers(len(other)))] if other else 0)
        damaged[queue] = np.array(words, np.uint64)
    return damaged


def _other_field(rng: np.random.Generator, word: int) -> int:
    """Return the word with one field small and random."""
    row = row_of(word)
    if row is None or not row.fields:
        return word
    field = row.fields[int(rng.integers(len(row.fields)))]
    bit = row.offsets[field.name][0]
    mask = (1 << field.width) - 1
    return word & ~(mask << bit) | (int(rng.integers(40)) & mask) << bit
