"""Patterns of cycles that something occupies."""

from functools import lru_cache
from typing import NamedTuple

Bits = int
"""Cycles, or places of another kind, as the bits of a number: bit 0 for the first one."""


class Pattern(NamedTuple):
    """`count` blocks of `length` cycles, one block every `every` cycles, the first from `start` on.

    The cycles of a block are `interval` apart.
    """

    start: int
    count: int = 1  # type: ignore[assignment]  # hides the tuple's method of that name
    every: int = 1
    length: int = 1
    interval: int = 1

    @property
    def last(self) -> int:
        """The last occupied cycle."""
        return self.start + (self.count - 1) * self.every + (self.length - 1) * self.interval

    @property
    def bits(self) -> Bits:
        """Occupied cycles from `start` on."""
        return comb(1, 1, self.count, self.every, self.length, self.interval)

    def shifted(self, cycles: int) -> "Pattern":
        """Return the same pattern `cycles` later."""
        return Pattern(self.start + cycles, self.count, self.every, self.length, self.interval)


@lru_cache(maxsize=1 << 14)
def comb(tooth: Bits, width: int, count: int, every: int, length: int, interval: int) -> Bits:
    """Return a pattern as bits of which `width` belong to each cycle: those of `tooth` in cycles that it occupies."""
    return repeated(repeated(tooth, length, interval * width), count, every * width)


def repeated(bits: Bits, count: int, step: int) -> Bits:
    """Return bits `count` times, `step` places apart."""
    for shift in _shifts(count, step):
        bits |= bits << shift
    return bits if count > 0 else 0


def merged(one: tuple[int, Bits], other: tuple[int, Bits], width: int = 1) -> tuple[int, Bits] | None:
    """Return both as one: a first place, of `width` bits, and bits from there on. None where they meet."""
    if other[0] < one[0]:
        one, other = other, one
    bits = other[1] << (other[0] - one[0]) * width
    return None if one[1] & bits else (one[0], one[1] | bits)


def any_of(bits: Bits, count: int, step: int) -> Bits:
    """Return for each place whether any of `count` places from there on, `step` apart, is set."""
    for shift in _shifts(count, step):
        bits |= bits >> shift
    return bits if count > 0 else 0


@lru_cache(maxsize=1 << 12)
def _shifts(count: int, step: int) -> tuple[int, ...]:
    """Return the shifts that make `count` of one, `step` apart, each of all that is there by then."""
    found, done = [], 1
    while done < count:
        # What is there already doubles; the last time parts may fall on each other, which are alike.
        more = min(done, count - done)
        found.append(more * step)
        done += more
    return tuple(found)
