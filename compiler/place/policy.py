"""Policies of placement: what a whole program may prefer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """One way to share MEM slices and ALUs among operations.

    Attributes
    ----------
    dense : bool
        Results lie in one place each, which few words of text read and write, at the price of waiting for each other.
    copied : bool
        Passes keep clear of more of their neighbours, so that more of them can run at the same time.
    sparse : bool
        What is sparse (read in fewer cycles than its operation runs) shares few slices, so that room is left for what
        is read all the time; passes keep their pauses.
    latched : bool
        ALUs hold what many steps of a pass share, where the mesh has room for that.
    segment : int or None
        Words of text that a queue may have in a segment, of a program that is cut into segments.
    """

    dense: bool = False
    copied: bool = False
    sparse: bool = False
    latched: bool = False
    segment: int | None = None
