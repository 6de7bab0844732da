"""Values on their way along streams."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from arch.geometry import Direction
from compiler.schedule.pattern import Bits, Pattern, comb, merged


@dataclass(frozen=True)
class Segment:
    """Values driven at one position and last read at another.

    Attributes
    ----------
    member : int
        Stream within the flow's group.
    source, sink : int
        Positions of the producer and of the farthest reader.
    cycles : Pattern
        When the values are on the register at `source`, relative to the macro-operation.
    """

    member: int
    source: int
    sink: int
    cycles: Pattern


@dataclass
class Flow:
    """A group of `width` aligned streams that one macro-operation needs; the scheduler picks which.

    Attributes
    ----------
    key : hashable
        Flows of equal key get equal streams where possible, so that instruction words repeat.
    direction : Direction
    width : int
        Streams of the group; its first one is a multiple of this.
    segments : list of Segment
        What the streams carry, and how far.
    """

    key: Hashable
    direction: Direction
    width: int
    segments: list[Segment] = field(default_factory=list)

    def carry(self, member: int, source: int, sink: int, cycles: Pattern) -> None:
        """Add values that are driven at `source` and last read at `sink`."""
        self.segments.append(Segment(member, source, sink, cycles))

    def ways(self, positions: int) -> dict[int, tuple[int, Bits]] | None:
        """Return what each member takes of its stream's diagonals.

        Parameters
        ----------
        positions : int
            Stream register positions: bits of a diagonal.

        Returns
        -------
        dict of int to (int, int), or None
            By member, the first diagonal, as of `Reservations.take_way`, and the bits from there on. None when two
            values of a member meet, whatever the start.
        """
        found: dict[int, tuple[int, Bits]] = {}
        for item in self.segments:
            low, high = min(item.source, item.sink), max(item.source, item.sink)
            way, cycles = ((1 << high - low + 1) - 1) << low, item.cycles
            first = cycles.start + (positions - item.source if self.direction is Direction.EAST else item.source)
            bits = comb(way, positions, cycles.count, cycles.every, cycles.length, cycles.interval)
            if item.member in found:
                both = merged(found[item.member], (first, bits), positions)
                if both is None:
                    return None
                found[item.member] = both
            else:
                found[item.member] = first, bits
        return found
