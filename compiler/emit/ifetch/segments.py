"""Text of a program that is cut into segments: each is brought while the one before it runs, or in a pause after it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from arch.config import Config
from arch.errors import TaktError
from arch.geometry import Direction, Unit, units
from arch.isa.encoding import encode
from arch.isa.table import BY_MNEMONIC
from arch.isa.timeline import NOP_LIMIT
from arch.timing import timing
from compiler.emit.assembler import assemble_queues
from compiler.emit.ifetch.fetch import Burst, arrivals, direction_of, fetch_macro, read_cycle, words_per_vector
from compiler.emit.ifetch.slots import Slots
from compiler.emit.ifetch.text import Text, TextError
from compiler.memory.words import Bank, Words
from compiler.schedule.scheduler import Scheduler

_HOST = 0.7
"""Part of a queue that the host fills with segments as they are: IFETCHes and READs of text come in between."""

_TRIED = 12
"""Banks on each side of a queue that are tried for a text."""

_MOST: int = BY_MNEMONIC["IFETCH"].offsets["count"][1].maximum
"""Vectors that one IFETCH brings."""


def longest_segment(config: Config) -> int:
    """Return the words that a queue may have in a segment: there is room for two of them, and one IFETCH brings one."""
    return min(config.queue_depth // 2, _MOST * words_per_vector(config))


@dataclass
class _Next:
    """The segment of a queue that follows the one at hand: its number, and its words in whole vectors."""

    segment: int
    words: list[int]


class SegmentedText:
    """Brings the text of segments in which nothing of another one is under way.

    A queue has room for two segments. While one runs, or after its end, an IFETCH appends the next one that the queue
    has words in; the next one starts when all text has come, so that there is always a cycle for it::

        cycles     segment 0 ............. | pause | segment 1 ............ | segment 2
        VXM_0      words       F . . . . . . . .   | words   F . . . . .    | words         F: IFETCH of the next words
        MXM_W0     words                     F . . | words      F . .       | words
        MEM_W3     words      R. . . . . .  R. . . | words  R. . . R . .    | words         R: READs of text

    From the last segment back: what a segment has to bring is known when all after it have their words, among them
    the IFETCHes and READs for those after them. Equal words come from the same place.

    Parameters
    ----------
    config : Config
    scheduler : Scheduler
        Of segments, all of it written.
    words : Words
        Gives MEM for the text.
    """

    def __init__(self, config: Config, scheduler: Scheduler, words: Words) -> None:
        self._config = config
        self._words = words
        self._units = units(config)
        self._parts = [*scheduler.segments()]
        self._lengths = [part.retired for part in self._parts]
        """Cycles of each segment, with the pause after it once that is known."""
        self._starts = [*accumulate(self._lengths[:-1], initial=0)]
        self._pieces: list[dict[int, Slots]] = []
        wait = timing(config).barrier
        for part in self._parts:
            queues = assemble_queues(config, part.issues)
            self._pieces.append({queue: Slots(found.tolist(), wait) for queue, found in queues.items()})
        self._hosted: dict[int, int] = {}
        self._next: dict[int, _Next] = {}
        self._instructions = 0
        self._places: dict[bytes, tuple[Bank, int]] = {}

    def fit(self) -> Text:
        """Return the program, in queues that hold it.

        Raises
        ------
        TextError
            When a queue has more words than it holds, of two segments, or at first.
        TaktError
            When MEM has no room for the text.
        """
        before, per = sum(self._lengths), words_per_vector(self._config)
        self._hosted = self._count_hosted()
        for segment in reversed(range(len(self._parts))):
            # Pauses take as many words as fill up a vector.
            self._lengths[segment] = max(self._lengths[segment], self._bring(segment)) + per
            for queue, slots in self._pieces[segment].items():
                self._finish(segment, queue, slots)
        for queue, first in self._next.items():
            if first.segment:
                first.words = pause(sum(self._lengths[: first.segment]), 1, 0) + first.words
            self._check(queue, len(first.words))
        return self._text(sum(self._lengths) - per - before)

    def _count_hosted(self) -> dict[int, int]:
        """Return the last segment of each queue that the host writes."""
        room = dict.fromkeys((unit.id for unit in self._units), int(self._config.queue_depth * _HOST))
        hosted: dict[int, int] = dict.fromkeys(room, len(self._pieces))
        for segment, pieces in enumerate(self._pieces):
            for queue, slots in pieces.items():
                room[queue] -= len(slots)
                if room[queue] < 0:
                    hosted[queue] = min(hosted[queue], segment - 1)
        return hosted

    def _bring(self, segment: int) -> int:
        """Place the IFETCHes of a segment; return when the last word has come."""
        end = 0
        done: set[int] = set()
        # READs of text may give further queues words in this segment, so that what follows has to be brought here too.
        while left := [queue for queue in self._pieces[segment] if queue not in done]:
            # Long texts first, short ones find room beside them.
            queue = max(left, key=lambda one: len(self._next[one].words) if one in self._next else 0)
            done.add(queue)
            following = self._next.get(queue)
            if following is not None and following.segment > self._hosted[queue]:
                end = max(end, self._fetch(segment, queue, following.words)[1])
        return end

    def _fetch(self, segment: int, queue: int, words: list[int], earliest: int = 0) -> tuple[int, int]:
        """Place the IFETCH of some words; return its cycle, and when the last word has come.

        Where no bank has room for all of them, or they are more than one IFETCH brings, there are two.
        """
        config, unit, part, pieces = self._config, self._units[queue], self._parts[segment], self._pieces[segment]
        content = np.array(words, "<u8").tobytes()
        vectors = len(content) // config.vector_length
        known = self._places.get(content)
        best: tuple[int, Burst] | None = None
        banks = self._banks(unit, vectors) if known is None else [known]
        for bank, addr in banks if vectors <= _MOST else ():
            burst = Burst(bank, addr, 0, vectors, read_cycle(config, unit, self._units[bank.slice]))
            mark = part.mark()
            # A READ issues before its IFETCH, but in the same segment.
            first, limit = max(earliest, -burst.cycle), None if best is None else best[0]
            start = part.place(fetch_macro(config, unit, [burst]), first, limit)
            part.rollback(mark)
            best = best if start is None else (start, burst)
        if best is None and vectors > 1:
            half = vectors // 2 * words_per_vector(config)
            start, _ = self._fetch(segment, queue, words[:half], earliest)
            return self._fetch(segment, queue, words[half:], start + 1)
        if best is None:
            raise TaktError(f"text of {unit.name} must fit the MEM of {config.name} that is left for it")
        start, burst = best
        if known is None:
            taken = self._words.take(1, vectors, [burst.bank], high=True)
            assert taken is not None
            burst = burst.at(int(taken[1][0, 0]))
            self._places[content] = burst.bank, burst.addr
        placed = part.place(fetch_macro(config, unit, [burst]), start, start + 1)
        assert placed == start
        part.write()
        fetch, read = part.issues[-2:]
        pieces[queue].insert(fetch.cycle, encode("IFETCH", **fetch.fields))
        source = pieces.setdefault(burst.bank.slice, Slots([encode("END")]))
        source.insert_read(read.cycle, encode("READ", **read.fields), config.mem_depth)
        return start, int(arrivals(config, start, len(words))[-1]) + 1

    def _banks(self, unit: Unit, vectors: int) -> Iterator[tuple[Bank, int]]:
        """Yield banks for a text, the emptiest ones on each side of a unit, each with an address in it."""
        every = [Bank(number, bank) for number in range(self._config.slices) if number != unit.id for bank in (1, 0)]
        roomy = [bank for bank in every if self._words.run(bank, 0) >= vectors]
        for direction in Direction:
            side = [bank for bank in roomy if direction_of(unit, self._units[bank.slice]) is direction]
            for bank in sorted(side, key=lambda bank: -self._words.run(bank, 0))[:_TRIED]:
                yield bank, bank.bank * self._config.mem_depth

    def _finish(self, segment: int, queue: int, slots: Slots) -> None:
        """Let a queue wait, after its words of a segment, for those that follow."""
        per, following = words_per_vector(self._config), self._next.get(queue)
        words, is_hosted = slots.words, segment <= self._hosted[queue]
        if following is not None:
            left = sum(self._lengths[segment : following.segment]) - slots.needs[-1]
            words = words[:-1]
            words = words + pause(left, 1 if is_hosted else per, len(words))
        self._instructions += len(words)
        if following is not None and following.segment <= self._hosted[queue]:
            words = words + following.words
        elif following is not None:
            self._check(queue, len(words) + len(following.words))
        elif not is_hosted:
            # Nothing issues what comes after END.
            words = words + [0] * (-len(words) % per)
        self._check(queue, len(words))
        self._next[queue] = _Next(segment, words)

    def _check(self, queue: int, words: int) -> None:
        """Raise a TextError for more words than a queue holds at a time."""
        if words > self._config.queue_depth:
            raise TextError(
                f"queue_depth must be enough for the text of {self._units[queue].name} in segments, "
                f"not {self._config.queue_depth} for {words} words"
            )

    def _text(self, paused: int) -> Text:
        config, every = self._config, self._places.items()
        starts = accumulate(self._lengths[:-1], initial=0)
        addrs = [bank_addr[1] + np.arange(len(content) // config.vector_length) for content, bank_addr in every]
        slices = [np.full(len(addr), place[0].slice) for addr, (_, place) in zip(addrs, every, strict=True)]
        empty = np.zeros(0, np.int32)
        return Text(
            {queue: np.array(first.words, np.uint64) for queue, first in sorted(self._next.items())},
            np.concatenate([empty, *slices]).astype(np.int32),
            np.concatenate([empty, *addrs]).astype(np.int32),
            np.frombuffer(b"".join(self._places), np.uint8).reshape(-1, config.vector_length),
            self._instructions,
            paused,
            tuple(zip(self._starts, starts, strict=True)),
        )


def pause(cycles: int, multiple: int, after: int) -> list[int]:
    """Return NOPs for some cycles, so many that they, and words before them, are a multiple of a number.

    Parameters
    ----------
    cycles : int
        At least `multiple`.
    multiple : int
    after : int
        Words before.
    """
    least = -(-cycles // NOP_LIMIT)
    count = least + -(least + after) % multiple
    bounds = [cycles * number // count for number in range(count + 1)]
    return [encode("NOP", count=last - first) for first, last in pairwise(bounds)]
