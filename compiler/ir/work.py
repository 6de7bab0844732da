"""Work: what operations ask of every unit at least, for bounds and reports."""

from dataclasses import astuple, dataclass


@dataclass(frozen=True)
class Work:
    """Work of one operation, or of several.

    Attributes
    ----------
    macs : int
        Multiply-accumulates that the results need.
    rows : int
        Cycles of a plane: rows of activations times tiles of weights, of float16 two of a pair of planes.
    loads : int
        Steps of loads of weights, `lanes` columns each.
    operations : int
        Operations of ALUs on vectors.
    words : int
        Words of MEM that are read at least: of what is read several times, once.
    """

    macs: int = 0
    rows: int = 0
    loads: int = 0
    operations: int = 0
    words: int = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(*(mine + more for mine, more in zip(astuple(self), astuple(other), strict=True)))
