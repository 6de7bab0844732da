"""How to share MEM slices among what operations read and write."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """One way to place the tensors of a program.

    Attributes
    ----------
    tight : bool
        Let what ALUs keep share slices with weights, both read rarely, where there are no others.
    dense : bool
        Let operations read one copy of a result, and keep that in one place, at the price of waiting for each
        other; and gather from one copy of a table.
    copied : bool
        Give every pass a copy of its own of what the host writes, however much that is.
    pooled : bool
        Put what passes read now and then, results too, into few slices, so that room is left for what they read all
        the time; passes keep their pauses.
    """

    tight: bool = False
    dense: bool = False
    copied: bool = False
    pooled: bool = False
