"""The words of a queue with the cycles in which each is at the head."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from arch.isa.encoding import decode, encode
from arch.isa.timeline import NOP_LIMIT


@dataclass(frozen=True, slots=True)
class Slot:
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
    """

    def __init__(self, words: Iterable[int], wait: int = 1) -> None:
        self.slots: list[Slot] = []
        now = 0
        for word in words:
            row, fields = decode(word)
            span = 1
            if row.mnemonic == "NOP":
                span = fields["count"]
            elif row.mnemonic == "REPEAT":
                span = fields["count"] * fields["interval"]
            elif row.mnemonic == "SYNC":
                span = wait
            self.slots.append(Slot(word, now, now + span - 1))
            now += span

    def __len__(self) -> int:
        return len(self.slots)

    @property
    def words(self) -> list[int]:
        """All words."""
        return [slot.word for slot in self.slots]

    def index_at(self, cycle: int) -> int:
        """Return the number of the slot that `cycle` belongs to."""
        return bisect_right(self.slots, cycle, key=lambda slot: slot.need) - 1

    def insert(self, cycle: int, word: int) -> None:
        """Let another word issue in a cycle in which none does: in a NOP, between issues of a REPEAT, or at the end."""
        end = self.slots[-1]
        if cycle >= end.need:
            after = cycle + 1
            self.slots[-1:] = [*_pause(end.need, cycle), Slot(word, cycle, cycle), Slot(end.word, after, after)]
            return
        index = self.index_at(cycle)
        slot = self.slots[index]
        row, fields = decode(slot.word)
        if row.mnemonic == "NOP":
            pieces = [*_pause(slot.need, cycle), Slot(word, cycle, cycle), *_pause(cycle + 1, slot.leave + 1)]
        else:
            assert row.mnemonic == "REPEAT", row.mnemonic
            pieces = self._split(index, fields["count"], fields["interval"], cycle, word)
        self.slots[index : index + 1] = pieces

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
        following = next(
            (number for number in range(index + 1, len(self.slots)) if _mnemonic(self.slots[number]) == "READ"), None
        )
        if following is None or not decode(self.slots[following].word)[1]["cont"]:
            return
        slot, addr = self.slots[following], self._kept(index, depth)
        first = Slot(_addressed(slot.word, addr), slot.need, slot.leave)
        pieces = [first]
        after = following + 1
        if after < len(self.slots) and _mnemonic(self.slots[after]) == "REPEAT":
            # What is repeated continues, but for the first time.
            fields = decode(self.slots[after].word)[1]
            again = slot.need + fields["interval"]
            pieces += [*_pause(slot.need + 1, again), Slot(slot.word, again, again)]
            pieces += _repeat(again, fields["count"] - 1, fields["interval"])
            after += 1
        self.slots[following:after] = pieces

    def _kept(self, index: int, depth: int) -> int:
        """Return the address from which a READ continues after all slots before `index`."""
        first = next(
            number
            for number in reversed(range(index))
            if _mnemonic(self.slots[number]) == "READ" and not decode(self.slots[number].word)[1]["cont"]
        )
        addr = 0
        for number in range(first, index):
            if _mnemonic(self.slots[number]) != "READ":
                continue
            fields = decode(self.slots[number].word)[1]
            burst = fields["count"] * fields["stride"]
            issues, after = 1, number + 1
            while fields["cont"] and _mnemonic(self.slots[after]) == "REPEAT":
                issues += decode(self.slots[after].word)[1]["count"]
                after += 1
            addr = (addr if fields["cont"] else fields["addr"]) + issues * burst
        return addr % (2 * depth)

    def _split(self, index: int, count: int, interval: int, cycle: int, word: int) -> list[Slot]:
        """Return a REPEAT taken apart around a cycle between two of its issues."""
        last = self.slots[index].need - 1
        before = (cycle - last) // interval
        assert last + before * interval != cycle, "a word issues in this cycle"
        repeated = next(slot.word for slot in reversed(self.slots[:index]) if decode(slot.word)[0].mnemonic != "REPEAT")
        pieces = _repeat(last, before, interval)
        pieces += [*_pause(last + before * interval + 1, cycle), Slot(word, cycle, cycle)]
        again = last + (before + 1) * interval
        pieces += [*_pause(cycle + 1, again), Slot(repeated, again, again)]
        return pieces + _repeat(again, count - before - 1, interval)


def _mnemonic(slot: Slot) -> str:
    return decode(slot.word)[0].mnemonic


def _addressed(word: int, addr: int) -> int:
    """Return a READ that continues as one that starts at an address."""
    return encode("READ", **(decode(word)[1] | {"addr": addr, "cont": 0}))


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
