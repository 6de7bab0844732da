"""A queue that is longer than it has places, with the fetches of its text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from arch.config import Config
from arch.geometry import Unit
from arch.isa.encoding import encode
from compiler.emit.ifetch.fetch import Fetch, arrivals, words_per_vector
from compiler.emit.ifetch.repeats import Repeats
from compiler.emit.ifetch.slots import Slots

SPARE = 6
"""Words by which a fetch may come too early in the program: an IFETCH within a NOP makes two words more, within a
REPEAT five."""

_LONGER = 2
"""Words that an IFETCH makes as a rule: in a pause, which becomes two."""

_LEAST = 16
"""Fewest words of portions that are to stay equal."""

_SPAN = 64
"""Equal words from which on repetition is worth fetching by."""


@dataclass(frozen=True)
class Portion:
    """Text that one fetch is to bring.

    Attributes
    ----------
    vectors : int
    first : int
        Number of its first word, as it was before fetches came in.
    content : (int, bytes) or None
        By how many words it gets longer, and its words as they were, if they come again.
    twin : Fetch or None
        An earlier one that brings the same words, as far as is known.
    start : int or None
        Cycle for its IFETCH that leaves the words equal: as far from their use as the twin's.
    """

    vectors: int
    first: int = 0
    content: tuple[int, bytes] | None = None
    twin: Fetch | None = None
    start: int | None = None


@dataclass(eq=False)
class FetchedQueue:
    """Program of one queue: its words, and the fetches that bring those that it has no place for at the start.

    Equal layers have equal words, so that these can be fetched again and again from the same place, if three things
    hold: portions begin with the same word of each layer; each IFETCH, which is a word of the portion in which it
    issues, stands at the same place of it; and a portion is whole vectors, for which pauses are taken apart into as
    many words as are missing::

        layer        0         1         2         3         4
        words    |---------|---------|---------|---------|---------|
        portions |host's     |a    F   |a    F   |a    F   |a ...      F: the IFETCH of the next portion but one

    Attributes
    ----------
    config : Config
    unit : Unit
    slots : Slots
    fetches : list of Fetch
        In the order of their words.
    """

    config: Config
    unit: Unit
    slots: Slots
    fetches: list[Fetch] = field(default_factory=list)
    _brought: int = 0
    """Words of all fetches: asked for at every step of a search."""
    _repeats: Repeats | None = None
    _needs: np.ndarray | None = None
    _portions: dict[tuple[int, bytes], tuple[int, Fetch]] = field(default_factory=dict)
    _bounds: list[int] = field(default_factory=list)
    """Words, as they were before fetches came in, where the next portions end: each `_part` after the one before."""
    _part: int = 0
    _halvings: int = 0
    """How often a portion was too long to be brought at once."""

    @property
    def loaded(self) -> int:
        """Words in the queue at the start, and brought by the fetches."""
        return self.config.queue_depth + self._brought

    @property
    def missing(self) -> bool:
        """Whether there are words that nothing brings."""
        return len(self.slots) > self.loaded

    @property
    def most(self) -> int:
        """Most vectors of a portion: half the places, which leaves time for the next one, or what can be brought."""
        return max(1, (self.config.queue_depth // 2 // words_per_vector(self.config)) >> self._halvings)

    def halve(self) -> bool:
        """Make all further portions shorter; return whether that is possible."""
        possible = self.most > 1
        self._halvings += 1
        self._bounds = []
        return possible

    @property
    def deadline(self) -> int:
        """First cycle in which a word that nothing brings yet is needed."""
        return self.slots.needs[self.loaded - SPARE]

    def portions(self) -> Iterator[tuple[int, Fetch]]:
        """Yield each fetch with the number of its first word."""
        first = self.config.queue_depth
        for fetch in self.fetches:
            yield first, fetch
            first += fetch.words

    def period(self) -> int | None:
        """Return after how many words the first ones to be fetched come again; None if they do not."""
        if self._repeats is None:
            self._repeats = Repeats(self.slots.words, (max(self.config.queue_depth // 2, _SPAN), _SPAN))
            self._needs = np.array(self.slots.needs, np.int64)
        return self._repeats.distance(self._original())

    def portion(self, layers: int) -> Portion:
        """Return what the next fetch is to bring: as a rule the words of so many layers, or a part of these."""
        per = words_per_vector(self.config)
        most = min(self.most, -(-(len(self.slots) - self.loaded + SPARE) // per))
        first, period = self._original(), self.period()
        # While IFETCHes are as many words ahead of what they fetch, as many issue in a portion as are for one.
        longer = _LONGER * (1 + self._ahead(self.loaded + self._usual) - self._ahead(self.loaded))
        bound = self._bound(first, period, layers, longer)
        assert self._repeats is not None and self._needs is not None
        words = 0 if bound is None else bound - first
        if bound is None or self.loaded + words > len(self.slots) or -(-(words + longer) // per) > most:
            return Portion(most)
        vectors = -(-(words + longer) // per)
        # What stands at the beginning is still moved by the IFETCH, and pauses there are taken apart by it.
        begin = self.loaded + 2 * SPARE
        self.slots.lengthen(begin, self.loaded + words - 1, vectors * per - words - longer)
        key = longer, self._repeats.words[first : first + words].tobytes()
        known = self._portions.get(key)
        if known is None or known[1].words != vectors * per:
            return Portion(vectors, first, key)
        start = known[1].cycle + int(self._needs[first] - self._needs[known[0]])
        return Portion(vectors, first, key, known[1], start)

    def _bound(self, first: int, period: int | None, layers: int, longer: int) -> int | None:
        """Return where a portion from a word on should end, as words were before fetches came in; None for anywhere."""
        if not self._bounds or self._bounds[-1] - first <= self._part // 2:
            if period is None:
                self._bounds = []
                return None
            most = self.most * words_per_vector(self.config)
            total = period * max(1, min(layers, most // period))
            parts = -(-(total + longer + SPARE) // most)
            self._part = total // parts
            # Where an IFETCH made more or fewer words than were expected, the next portion makes up for it.
            last = self._bounds[-1] if self._bounds and abs(self._bounds[-1] - first) * 2 < self._part else first
            self._bounds = [last + total * (n + 1) // parts for n in range(parts)]
        return next(bound for bound in self._bounds if bound - first > self._part // 2)

    def _original(self) -> int:
        """Return the number of the next word to fetch as it will have been before all fetches came in."""
        before = len(self._repeats.words) if self._repeats is not None else len(self.slots)
        return max(0, self.loaded - (len(self.slots) - before) - _LONGER * (1 + self._ahead(self.loaded)))

    def _ahead(self, number: int) -> int:
        """Return how many IFETCHes of portions after a word will issue before it: those for which there is room."""
        later = -(-(len(self.slots) - number - self._usual) // self._usual)
        return max(0, min(self.config.queue_depth // self._usual - 1, later))

    @property
    def _usual(self) -> int:
        """Words of a portion as a rule."""
        return self._part + _LONGER if self._bounds else self.most * words_per_vector(self.config)

    def window(self, words: int) -> tuple[int, int]:
        """Return the first and the last cycle in which an IFETCH of the next `words` words may issue."""
        depth, slots, loaded = self.config.queue_depth, self.slots, self.loaded
        offsets = arrivals(self.config, 0, words)
        # The place of the word `depth` before is written two cycles before this one can issue.
        leaves = np.array(slots.leaves[loaded - depth : loaded - depth + words], np.int64)
        needs = np.array(slots.needs[loaded - SPARE : loaded - SPARE + words], np.int64)
        # Words come in the order of their fetches.
        earliest = max(self.fetches[-1].cycle + 1 if self.fetches else 0, _most(leaves + 3 - offsets[: len(leaves)]))
        return earliest, _least(needs - offsets[: len(needs)])

    def add(self, fetch: Fetch, word: int, portion: Portion) -> None:
        """Add the fetch of a portion, with its IFETCH."""
        self.slots.insert(fetch.cycle, word)
        self.fetches.append(fetch)
        self._brought += fetch.words
        if portion.content is None or fetch.words < _LEAST:
            # What was too long here need not be so elsewhere; short ones bring little more than their IFETCHes take.
            self._halvings, self._bounds = 0, []
        if portion.content is not None:
            self._portions[portion.content] = portion.first, fetch

    def bears(self, mnemonic: str, cycles: Sequence[int]) -> bool:
        """Return whether all text still comes in time if further words issue in some cycles: READs, or an IFETCH."""
        if not self.fetches:
            return True
        slots, word = self.slots.copy(), encode(mnemonic)
        for cycle in cycles:
            if mnemonic == "READ":
                slots.insert_read(cycle, word, self.config.mem_depth)
            else:
                slots.insert(cycle, word)
        return self._in_time(slots, min(cycles))

    def in_time(self) -> bool:
        """Return whether all text is there when it is needed, as things are now."""
        return self._in_time(self.slots, 0)

    def _in_time(self, slots: Slots, since: int) -> bool:
        """Return whether text for some slots is there when it is needed, as far as that is later than a cycle."""
        number, needs = self.loaded, slots.needs
        for fetch in reversed(self.fetches):
            if number <= len(needs) and needs[number - 1] < since:
                break
            number -= fetch.words
            wanted = np.array(needs[number : number + fetch.words], np.int64)
            if (arrivals(self.config, fetch.cycle, len(wanted)) > wanted).any():
                return False
        return True


def _most(cycles: np.ndarray) -> int:
    return int(cycles.max()) if len(cycles) else 0


def _least(cycles: np.ndarray) -> int:
    return int(cycles.min()) if len(cycles) else 1 << 62
