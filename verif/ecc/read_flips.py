"""Flipped bits of the words that a program reads."""

import random
from collections.abc import Iterator

from arch.config import Config
from arch.faults import FaultKind
from arch.geometry import Direction, units
from arch.isa.encoding import decode
from arch.isa.footprint import footprint
from arch.timing import timing
from verif.position_bench import Flips, Timelines

__all__ = ["every_bit", "operands", "two_bits"]

Operands = tuple[int, int, list[tuple[Direction, int]]]
"""Queue, cycle of tile 0, and the streams that an element reads."""


def operands(config: Config, program: Timelines) -> Iterator[Operands]:
    """Yield what each element of a program reads, if it reads anything."""
    for queue, timeline in program.items():
        for issue, word in timeline:
            row, fields = decode(word)
            touched = footprint(config, units(config)[queue], row.mnemonic, fields)
            streams = [(group.direction, group.first + index) for group in touched.reads for index in range(group.size)]
            first = issue + (timing(config)[row.mnemonic].d_skew or 0)
            for element in range(touched.elements if streams else 0):
                yield queue, first + element * touched.interval, streams


def every_bit(config: Config, program: Timelines) -> Flips:
    """Flip one bit of every word of every operand: of one and the same operand, another bit with every element.

    `stream_bits` elements of a queue that read alike thus meet each bit of each of their words, check bits included.
    """
    flips: dict[int, dict[Direction, dict[int, dict[int, int]]]] = {}
    elements: dict[int, int] = {}
    for queue, cycle, streams in operands(config, program):
        number = elements.setdefault(queue, 0)
        elements[queue] += 1
        for place, (direction, stream) in enumerate(streams):
            bits = [(number + 5 * place + 3 * row) % config.stream_bits for row in range(config.superlanes)]
            words = flips.setdefault(cycle, {}).setdefault(direction, {})
            words.setdefault(stream, {row: 1 << bit for row, bit in enumerate(bits)})
    return flips


def two_bits(
    config: Config, program: Timelines, element: Operands, place: int, rng: random.Random
) -> tuple[Flips, tuple[int, int, int]]:
    """Flip two bits of the word number `place` of an element, in one superlane; return the fault that this raises."""
    _, cycle, streams = element
    row = rng.randrange(config.superlanes)
    direction, stream = streams[place]
    mask = sum(1 << bit for bit in rng.sample(range(config.stream_bits), 2))
    readers = [queue for queue, at, read in operands(config, program) if at == cycle and (direction, stream) in read]
    return {cycle: {direction: {stream: {row: mask}}}}, (cycle + row, min(readers), int(FaultKind.UNCORRECTABLE))
