"""Mappings: places of a graph's operations in the mesh."""

from dataclasses import dataclass

from compiler.mesh.graph import Kind, Node


@dataclass(frozen=True)
class Source:
    """Source of an operand of an ALU: stream number `index` of `Mapping.streams`, mesh row `index`, itself, or zero."""

    kind: Kind
    index: int = 0


@dataclass(frozen=True)
class Cell:
    """An operation of every step in an ALU of its own, issued ``level * chain`` cycles after level 0."""

    node: Node
    alu: int
    level: int
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Stream:
    """A port read by the cells of one level."""

    port: int
    level: int


@dataclass(frozen=True)
class Mapping:
    """A graph in the mesh.

    Attributes
    ----------
    cells : tuple of Cell
        The graph's nodes and the PASSes between them.
    streams : tuple of Stream
        A port that is needed at several levels is read once and passed on, or read once per level.
    outputs : tuple of int
        Cell of each output.
    """

    cells: tuple[Cell, ...]
    streams: tuple[Stream, ...]
    outputs: tuple[int, ...]

    def holds(self, stream: int) -> bool:
        """Return whether a stream is read in the first steps of a group only, by an ALU that holds its word."""
        source = Source(Kind.PORT, stream)
        return any(cell.node.holds and source in cell.sources for cell in self.cells)

    @property
    def depth(self) -> int:
        """Levels."""
        return 1 + max(cell.level for cell in self.cells)
