"""From the words of an image's queues to what every unit does in which cycles."""

from collections.abc import Iterator
from dataclasses import dataclass

from arch.geometry import Unit
from arch.image import Image
from arch.isa.encoding import decode, disassemble, encode
from arch.isa.table import BY_MNEMONIC
from compiler.verifier.queue_walk import Issued
from compiler.verifier.walks import Walks

__all__ = ["Activity", "activities"]


@dataclass(frozen=True)
class Activity:
    """A row of elements that a unit performs at a fixed interval.

    Attributes
    ----------
    unit
        Whose queue.
    start
        Cycle of the first element: the issue.
    elements
        Of the burst, or issues of a repeated word of one element.
    interval
        Cycles from one element to the next.
    word
        The instruction.
    """

    unit: Unit
    start: int
    elements: int
    interval: int
    word: int

    @property
    def stop(self) -> int:
        """First cycle after the last element."""
        return self.start + (self.elements - 1) * self.interval + 1

    @property
    def mnemonic(self) -> str:
        """Name of the instruction."""
        return decode(self.word)[0].mnemonic

    @property
    def text(self) -> str:
        """The instruction, disassembled."""
        return disassemble(self.word)


def activities(image: Image) -> list[Activity]:
    """Return what every used unit does, in queue order and then in order of time, up to a queue's first fault or the
    image's limit.

    A word of one element that issues at a fixed interval is one activity; other repeats are one activity each. Text
    that is fetched counts like the host's words.
    """
    found: list[Activity] = []
    for _, walk in sorted(Walks(image, image.limit).by_queue.items()):
        for item in sorted([*walk.issued, *walk.fetches], key=lambda one: int(one.cycles[0])):
            found.extend(_of_word(item))
    return found


def _of_word(item: Issued) -> Iterator[Activity]:
    names = BY_MNEMONIC[item.mnemonic].offsets
    word = encode(item.mnemonic, **{name: value for name, value in item.fields.items() if name in names})
    cycles = item.cycles.tolist()
    if item.count > 1:
        yield from (Activity(item.unit, cycle, item.count, item.interval, word) for cycle in cycles)
        return
    while cycles:
        interval = cycles[1] - cycles[0] if len(cycles) > 1 else 1
        number = 1
        while number < len(cycles) and cycles[number] - cycles[number - 1] == interval:
            number += 1
        yield Activity(item.unit, cycles[0], number, interval, word)
        del cycles[:number]
