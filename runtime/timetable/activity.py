"""From the words of an image's queues to what every unit does in which cycles."""

from dataclasses import dataclass

from arch.config import Config
from arch.geometry import Unit, units
from arch.image import Image
from arch.isa.encoding import decode, disassemble
from arch.isa.footprint import footprint

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
    """Return what every used unit does, in queue order and then in order of time.

    A word of one element and the REPEAT after it are one activity; other repeats are one activity each.

    Raises
    ------
    TaktError
        For a word that is not in the instruction table.
    """
    found: list[Activity] = []
    for queue in sorted(image.queues):
        unit = units(image.config)[queue]
        found.extend(_of_queue(image.config, unit, [int(word) for word in image.queues[queue]]))
    return found


def _of_queue(config: Config, unit: Unit, words: list[int]) -> list[Activity]:
    found: list[Activity] = []
    now = issued = 0
    for word in words:
        row, fields = decode(word)
        if row.mnemonic == "END":
            break
        if row.mnemonic == "NOP":
            now += fields["count"]
        elif row.mnemonic == "REPEAT" and found:
            found[-1:] = _repeated(config, found[-1], issued, fields["count"], fields["interval"])
            issued += fields["count"] * fields["interval"]
            now = issued + 1
        else:
            extent = footprint(config, unit, row.mnemonic, fields)
            found.append(Activity(unit, now, extent.elements, extent.interval, word))
            issued = now
            now += 1
    return found


def _repeated(config: Config, last: Activity, issued: int, count: int, interval: int) -> list[Activity]:
    """The last activity, which issued last in cycle `issued`, and `count` repeats of its word."""
    unit, word = last.unit, last.word
    row, fields = decode(word)
    extent = footprint(config, unit, row.mnemonic, fields)
    if extent.elements > 1:
        issues = (issued + number * interval for number in range(1, count + 1))
        return [last, *(Activity(unit, issue, extent.elements, extent.interval, word) for issue in issues)]
    if last.elements == 1:
        return [Activity(unit, last.start, count + 1, interval, word)]
    return [last, Activity(unit, issued + interval, count, interval, word)]
