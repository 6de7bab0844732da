"""From words with issue cycles to the words of a queue."""

from collections.abc import Iterable

from arch.errors import TaktError
from arch.isa.encoding import encode

NOP_LIMIT = (1 << 16) - 1
"""Longest NOP in cycles."""


def queue_words(timeline: Iterable[tuple[int, int]], close: bool = True) -> list[int]:
    """Return queue words that issue each word of ``(cycle, word)`` pairs in its cycle.

    Gaps become NOPs; `close` appends END one cycle after the last word.

    Raises
    ------
    TaktError
        When two words want the same cycle, or a cycle is negative.
    """
    words: list[int] = []
    now = 0
    for cycle, word in sorted(timeline):
        if cycle < now:
            raise TaktError(f"issue cycle must be at least {now}, not {cycle}: the queue is taken")
        while cycle > now:
            pause = min(cycle - now, NOP_LIMIT)
            words.append(encode("NOP", count=pause))
            now += pause
        words.append(word)
        now += 1
    return [*words, encode("END")] if close else words
