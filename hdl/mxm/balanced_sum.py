"""Adder trees."""

from collections.abc import Sequence

from amaranth.hdl import Value

__all__ = ["balanced_sum"]


def balanced_sum(terms: Sequence[Value]) -> Value:
    """Return the sum of a power of two of signed terms, modulo the width of one."""
    level = list(terms)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=True)
        level = [(a + b)[: len(a)].as_signed() for a, b in pairs]
    return level[0]
