"""Patterns of cycles that something occupies."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pattern:
    """`count` blocks of `length` cycles, one block every `every` cycles, the first from `start` on.

    The cycles of a block are `interval` apart.
    """

    start: int
    count: int = 1
    every: int = 1
    length: int = 1
    interval: int = 1

    @property
    def last(self) -> int:
        """The last occupied cycle."""
        return self.start + (self.count - 1) * self.every + (self.length - 1) * self.interval

    def shifted(self, cycles: int) -> "Pattern":
        """Return the same pattern `cycles` later."""
        return Pattern(self.start + cycles, self.count, self.every, self.length, self.interval)
