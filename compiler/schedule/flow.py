"""Values on their way along streams."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from arch.geometry import Direction
from compiler.schedule.pattern import Pattern


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
