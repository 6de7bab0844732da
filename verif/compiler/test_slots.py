"""A queue's words with their cycles, and words put between them."""

import numpy as np
import pytest

from arch.geometry import UnitKind, units
from arch.isa.encoding import disassemble, encode
from arch.presets import preset
from compiler.emit.ifetch.slots import Slots
from compiler.verifier.queue_walk import QueueWalk

CONFIG = preset("nano")
UNIT = next(unit for unit in units(CONFIG) if unit.kind is UnitKind.SXM_SHIFT)


def nop(count):
    return encode("NOP", count=count)


def repeat(count, interval):
    return encode("REPEAT", count=count, interval=interval)


def shift(amount):
    return encode("SHIFT", amount=amount)


def issues(words):
    walk = QueueWalk(CONFIG, UNIT, words)
    while walk.running:
        walk.step()
    assert walk.fault is None
    return sorted((int(cycle), item.fields["amount"]) for item in walk.issued for cycle in item.cycles)


END = encode("END")
PROGRAM = [nop(5), shift(1), repeat(3, 4), repeat(2, 3), shift(2), nop(2), shift(3), END]


def test_cycles_of_words():
    slots = Slots(PROGRAM).slots
    assert [(slot.need, slot.leave) for slot in slots] == [
        (0, 4),
        (5, 5),
        (6, 17),
        (18, 23),
        (24, 24),
        (25, 26),
        (27, 27),
        (28, 28),
    ]


@pytest.mark.parametrize("cycle", [0, 2, 4, 6, 8, 10, 16, 18, 22, 25, 26, 28, 40])
def test_insertion_moves_nothing(cycle):
    slots = Slots(PROGRAM)
    slots.insert(cycle, shift(7))
    assert issues(slots.words) == sorted([*issues(PROGRAM), (cycle, 7)]), [disassemble(word) for word in slots.words]
    assert slots.words == Slots(slots.words).words
    assert slots.slots == Slots(slots.words).slots


@pytest.mark.parametrize("cycle", [5, 9, 20, 24, 27])
def test_a_taken_cycle_takes_no_word(cycle):
    with pytest.raises(AssertionError):
        Slots(PROGRAM).insert(cycle, shift(7))


def test_random_insertions():
    rng = np.random.default_rng(3)
    slots = Slots(PROGRAM)
    taken = {cycle for cycle, _ in issues(PROGRAM)}
    for cycle in rng.permutation(60).tolist():
        if cycle not in taken:
            slots.insert(cycle, shift(0))
            taken.add(cycle)
            assert {at for at, _ in issues(slots.words)} == taken


SLICE = units(CONFIG)[0]


def read(addr, count, stride, cont=0):
    return encode("READ", addr=addr, count=count, stride=stride, interval=1, cont=cont)


def accesses(words):
    """Return cycle and address of every word that a MEM queue reads."""
    walk = QueueWalk(CONFIG, SLICE, words)
    while walk.running:
        walk.step()
    assert walk.fault is None
    found, kept = [], 0
    for item in walk.issued:
        burst = item.count * item.fields["stride"]
        for cycle in item.cycles.tolist():
            first = kept if item.fields["cont"] else item.fields["addr"]
            kept = first + burst
            found += [
                (cycle + number, (first + number * item.fields["stride"]) % (2 * CONFIG.mem_depth))
                for number in range(item.count)
            ]
    return sorted(found)


READS = [
    [nop(3), read(7, 2, 3), nop(6), read(0, 2, 3, cont=1), nop(5), read(0, 2, 3, cont=1), END],
    [read(40, 1, 1), nop(4), read(0, 1, 1, cont=1), repeat(6, 5), nop(3), read(0, 1, 1, cont=1), repeat(2, 4), END],
    [nop(2), read(9, 1, 0), repeat(3, 4), nop(4), read(500, 1, 2), nop(3), read(0, 1, 2, cont=1), repeat(9, 3), END],
    [read(300, 2, -1), nop(9), read(0, 2, -1, cont=1), repeat(3, 7), nop(20), read(100, 1, 1), END],
]


@pytest.mark.parametrize("words", READS)
def test_reads_between_reads_that_continue(words):
    """A READ takes the engine's address: what continued after it goes on as before."""
    before = accesses(words)
    busy = {cycle for cycle, _ in before}
    for cycle in range(max(busy) + 4):
        slots = Slots(words)
        starts = {slot.need for slot in slots.slots if not _waits(slot)}
        if cycle in busy or cycle in starts:
            continue
        slots.insert_read(cycle, read(77, 1, 1), CONFIG.mem_depth)
        assert accesses(slots.words) == sorted([*before, (cycle, 77)]), cycle
        assert slots.slots == Slots(slots.words).slots


def _waits(slot):
    return slot.leave > slot.need or slot.word == END
