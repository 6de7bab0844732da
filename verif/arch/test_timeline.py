from collections.abc import Iterable

import numpy as np
import pytest

from arch.errors import TaktError
from arch.isa.encoding import decode, encode
from arch.isa.timeline import NOP_LIMIT, queue_words

END = encode("END")
READ = encode("READ", count=1, interval=1)


def issued(words: Iterable[int]) -> tuple[list[tuple[int, int]], int | None]:
    """Return (cycle, word) of what issues, NOPs apart, and the cycle of END: machine.md, section 3."""
    now = 0
    found: list[tuple[int, int]] = []
    for word in words:
        row, fields = decode(word)
        if row.mnemonic == "END":
            return found, now
        if row.mnemonic == "NOP":
            assert fields["count"] >= 1
            now += fields["count"]
        else:
            found.append((now, word))
            now += 1
    return found, None


def test_words_issue_in_their_cycles(rng: np.random.Generator) -> None:
    for _ in range(20):
        cycles = np.unique(rng.integers(0, 200, rng.integers(1, 40)))
        timeline = [(int(cycle), encode("READ", addr=i, count=1, interval=1)) for i, cycle in enumerate(cycles)]
        order = rng.permutation(len(timeline))
        assert issued(queue_words(timeline[i] for i in order)) == (timeline, timeline[-1][0] + 1)


@pytest.mark.parametrize("gap", [1, NOP_LIMIT - 1, NOP_LIMIT, NOP_LIMIT + 1, 3 * NOP_LIMIT + 5])
def test_gaps_of_any_length(gap: int) -> None:
    assert issued(queue_words([(0, READ), (1 + gap, READ)])) == ([(0, READ), (1 + gap, READ)], gap + 2)


def test_no_nop_where_there_is_no_gap() -> None:
    assert queue_words([(0, READ), (1, READ)]) == [READ, READ, END]


def test_empty_and_open_queues() -> None:
    assert queue_words([]) == [END]
    assert queue_words([], close=False) == []
    assert queue_words([(1, READ)], close=False) == [encode("NOP", count=1), READ]


def test_two_words_in_one_cycle() -> None:
    with pytest.raises(TaktError, match="issue cycle must be at least 6, not 5: the queue is taken"):
        queue_words([(5, READ), (5, READ)])


def test_negative_cycle() -> None:
    with pytest.raises(TaktError, match="issue cycle must be at least 0, not -1: the queue is taken"):
        queue_words([(-1, READ)])
