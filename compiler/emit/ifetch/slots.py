"""The words of a queue with the cycles in which each is at the head."""

from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from arch.isa.encoding import decode, encode
from arch.isa.instruction import OPCODE_BITS
from arch.isa.table import BY_MNEMONIC
from arch.isa.timeline import NOP_LIMIT

_OPCODE = (1 << OPCODE_BITS) - 1
_READ, _NOP, _REPEAT = (BY_MNEMONIC[name].opcode for name in ("READ", "NOP", "REPEAT"))

# The words of equal layers are equal words.
_fields = lru_cache(1 << 14)(lambda word: decode(word)[1])


class Slot(NamedTuple):
    """A word at the head of its queue.

    Attributes
    ----------
    word : int
    need : int
        First cycle in which it is at the head: by then it must be able to issue.
    leave : int
        Last one; its place in the queue is free from the next cycle on.
    """

    word: int
    need: int
    leave: int


class Slots:
    """A queue's program as slots, in order, without a cycle between them.

    Parameters
    ----------
    words : iterable of int
        From cycle 0 on; legal, closed by END.
    wait : int
        Cycles from a SYNC to the word after it.

    Attributes
    ----------
    words, needs, leaves : list of int
        As of `Slot`, by number.
    """

    def __init__(self, words: Iterable[int], wait: int = 1) -> None:
        self.words: list[int] = []
        self.needs: list[int] = []
        self.leaves: list[int] = []
        sync, now = BY_MNEMONIC["SYNC"].opcode, 0
        for word in words:
            opcode, span = word & _OPCODE, 1
            if opcode == _NOP:
                span = _fields(word)["count"]
            elif opcode == _REPEAT:
                span = _fields(word)["count"] * _fields(word)["interval"]
            elif opcode == sync:
                span = wait
            self.words.append(word)
            self.needs.append(now)
            self.leaves.append(now + span - 1)
            now += span

    def __len__(self) -> int:
        return len(self.words)

    def copy(self) -> "Slots":
        """Return the same program, to try changes on."""
        found = Slots(())
        found.words, found.needs, found.leaves = self.words.copy(), self.needs.copy(), self.leaves.copy()
        return found

    @property
    def slots(self) -> list[Slot]:
        """All slots."""
        return [self[number] for number in range(len(self))]

    def __getitem__(self, number: int) -> Slot:
        return Slot(self.words[number], self.needs[number], self.leaves[number])

    def index_at(self, cycle: int) -> int:
        """Return the number of the slot that `cycle` belongs to."""
        return bisect_right(self.needs, cycle) - 1

    def insert(self, cycle: int, word: int) -> None:
        """Let another word issue in a cycle in which none does: in a NOP, between issues of a REPEAT, or at the end."""
        end = self[len(self) - 1]
        if cycle >= end.need:
            after = cycle + 1
            pieces = [*_pause(end.need, cycle), Slot(word, cycle, cycle), Slot(end.word, after, after)]
            self._put(len(self) - 1, len(self), pieces)
            return
        index = self.index_at(cycle)
        slot = self[index]
        if slot.word & _OPCODE == _NOP:
            pieces = [*_pause(slot.need, cycle), Slot(word, cycle, cycle), *_pause(cycle + 1, slot.leave + 1)]
        else:
            assert slot.word & _OPCODE == _REPEAT, f"a word issues in cycle {cycle}"
            fields = _fields(slot.word)
            pieces = self._split(index, fields["count"], fields["interval"], cycle, word)
        self._put(index, index + 1, pieces)

    def insert_read(self, cycle: int, word: int, depth: int) -> None:
        """As `insert`, of a READ among others: one that continues from the burst before gets its address instead.

        An engine keeps one address, which the new READ overwrites.

        Parameters
        ----------
        cycle : int
        word : int
        depth : int
            Words of a bank.
        """
        self.insert(cycle, word)
        index = self.index_at(cycle)
        words = self.words
        following = next((n for n in range(index + 1, len(words)) if words[n] & _OPCODE == _READ), None)
        if following is None or not _fields(words[following])["cont"]:
            return
        slot, addr = self[following], self._kept(index, depth)
        first = Slot(readdressed(slot.word, addr), slot.need, slot.leave)
        pieces = [first]
        after = following + 1
        if after < len(words) and words[after] & _OPCODE == _REPEAT:
            # What is repeated continues, but for the first time.
            fields = _fields(words[after])
            again = slot.need + fields["interval"]
            pieces += [*_pause(slot.need + 1, again), Slot(slot.word, again, again)]
            pieces += _repeat(again, fields["count"] - 1, fields["interval"])
            after += 1
        self._put(following, after, pieces)

    def lengthen(self, first: int, last: int, words: int) -> int:
        """Take apart pauses among the slots from `first` to `last` into more words; return by how many it is longer.

        At most `words`. No word issues in another cycle for it.
        """
        left = words
        for index in range(last, first - 1, -1):
            slot = self[index]
            more = min(left, slot.leave - slot.need)
            if slot.word & _OPCODE != _NOP or not more:
                continue
            # Of about equal length: words that follow each other at once must have come at once.
            bounds = [slot.need + (slot.leave + 1 - slot.need) * n // (more + 1) for n in range(more + 2)]
            pieces = [piece for n in range(more + 1) for piece in _pause(bounds[n], bounds[n + 1])]
            self._put(index, index + 1, pieces)
            left -= len(pieces) - 1
            if left <= 0:
                break
        return words - left

    def readdress(self, cycle: int, addr: int) -> None:
        """Let the READ that issues in a cycle start at an address."""
        index = self.index_at(cycle)
        assert self.needs[index] == cycle and self.words[index] & _OPCODE == _READ
        self.words[index] = readdressed(self.words[index], addr)

    def _put(self, first: int, last: int, pieces: list[Slot]) -> None:
        """Let other slots stand where those from `first` to before `last` did."""
        self.words[first:last] = [piece.word for piece in pieces]
        self.needs[first:last] = [piece.need for piece in pieces]
        self.leaves[first:last] = [piece.leave for piece in pieces]

    def _kept(self, index: int, depth: int) -> int:
        """Return the address from which a READ continues after all slots before `index`."""
        words = self.words
        first = next(n for n in reversed(range(index)) if words[n] & _OPCODE == _READ and not _fields(words[n])["cont"])
        addr = 0
        for number in range(first, index):
            if words[number] & _OPCODE != _READ:
                continue
            fields = _fields(words[number])
            burst = fields["count"] * fields["stride"]
            issues, after = 1, number + 1
            while fields["cont"] and words[after] & _OPCODE == _REPEAT:
                issues += _fields(words[after])["count"]
                after += 1
            addr = (addr if fields["cont"] else fields["addr"]) + issues * burst
        return addr % (2 * depth)

    def _split(self, index: int, count: int, interval: int, cycle: int, word: int) -> list[Slot]:
        """Return a REPEAT taken apart around a cycle between two of its issues."""
        last = self.needs[index] - 1
        before = (cycle - last) // interval
        assert last + before * interval != cycle, "a word issues in this cycle"
        repeated = next(other for other in reversed(self.words[:index]) if other & _OPCODE != _REPEAT)
        pieces = _repeat(last, before, interval)
        pieces += [*_pause(last + before * interval + 1, cycle), Slot(word, cycle, cycle)]
        again = last + (before + 1) * interval
        pieces += [*_pause(cycle + 1, again), Slot(repeated, again, again)]
        return pieces + _repeat(again, count - before - 1, interval)


def readdressed(word: int, addr: int) -> int:
    """Return a READ, also one that continues, as one that starts at an address."""
    return encode("READ", **(_fields(word) | {"addr": addr, "cont": 0}))


def continues(words: Iterable[int]) -> bool:
    """Return whether a READ among some words continues from the one before."""
    return any(word & _OPCODE == _READ and _fields(word)["cont"] for word in words)


def _pause(start: int, end: int) -> list[Slot]:
    found = []
    while start < end:
        count = min(end - start, NOP_LIMIT)
        found.append(Slot(encode("NOP", count=count), start, start + count - 1))
        start += count
    return found


def _repeat(last: int, count: int, interval: int) -> list[Slot]:
    if not count:
        return []
    return [Slot(encode("REPEAT", count=count, interval=interval), last + 1, last + count * interval)]
